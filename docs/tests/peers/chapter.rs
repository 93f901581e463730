//! The chapter says of which versions it speaks, and each of its claims that was run has its test, and each test its claim.

use std::{collections::BTreeSet, fs, path::Path};

/// The crates that are run. `tower-resilience-core` speaks for its family where a test is about several of them.
const PEERS: [&str; 9] = [
    "backoff",
    "backon",
    "failsafe",
    "recloser",
    "tokio-retry2",
    "tower",
    "tower-resilience-circuitbreaker",
    "tower-resilience-hedge",
    "tower-resilience-retry",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn chapter() -> String {
    read("book/src/compared.md")
}

/// The one version of a crate that `Cargo.lock` has.
fn locked(name: &str) -> String {
    let lock: toml::Table = read("../Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let mut versions = packages.filter(|package| package["name"].as_str() == Some(name));
    let version = versions.next().unwrap_or_else(|| panic!("{name} is not in Cargo.lock"))["version"].as_str();
    assert!(versions.next().is_none(), "there are several of {name}");
    version.unwrap().to_owned()
}

/// `backon` and 1.6.0 make `backon_1_6`.
fn prefix(name: &str, version: &str) -> String {
    let mut parts = version.split('.');
    format!("{}_{}_{}", name.replace('-', "_"), parts.next().unwrap(), parts.next().unwrap())
}

/// The names of the tests in this folder.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let mut names = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line == "#[test]" || line.starts_with("#[tokio::test") {
                let name =
                    lines.next().and_then(|line| line.split("fn ").nth(1)).and_then(|line| line.split('(').next());
                names.insert(name.unwrap().to_owned());
            }
        }
    }
    names
}

/// What stands between backticks and can be the name of a test.
fn named(chapter: &str) -> BTreeSet<String> {
    let quoted = chapter.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| text.matches('_').count() >= 4 && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    quoted.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn the_versions_in_the_chapter_are_those_that_are_run() {
    let chapter = chapter();
    for name in PEERS {
        let version = locked(name);
        let row = format!("| [`{name}`](https://docs.rs/{name}/{version}) | {version} |");
        assert!(
            chapter.contains(&row),
            "{name} is {version} now: run its tests, look at what is said of it, then say {row}"
        );
    }
}

#[test]
fn a_test_is_named_after_the_version_that_it_runs() {
    let family = prefix("tower-resilience", &locked("tower-resilience-core"));
    let prefixes: BTreeSet<_> = PEERS.iter().map(|name| prefix(name, &locked(name))).chain([family]).collect();
    let ours = |name: &str| name.starts_with("ours_");
    for name in tests().iter().filter(|name| name.contains(|c: char| c.is_ascii_digit()) && !ours(name)) {
        assert!(prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())), "{name}: {prefixes:?}");
    }
}

#[test]
fn what_the_chapter_says_was_run_is_run_and_what_is_run_is_said() {
    let (chapter, tests) = (chapter(), tests());
    let of_the_lab = ["the_share_of_tower_is_higher_than_it_was_told_and_rises_with_the_tail".to_owned()].into();
    let missing: Vec<_> =
        named(&chapter).difference(&of_the_lab).filter(|name| !tests.contains(*name)).cloned().collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");

    let of_libraries =
        tests.iter().filter(|name| name.starts_with("ours_") || name.contains(|c: char| c.is_ascii_digit()));
    let unsaid: Vec<_> = of_libraries.filter(|name| !chapter.contains(&format!("`{name}`"))).collect();
    assert!(unsaid.is_empty(), "not in the chapter: {unsaid:?}");
    assert!(read("lab/tests/hedging.rs").contains(of_the_lab.first().map_or("", String::as_str)));
}
