//! `features`: a library builds with any one of its features, and the smallest build stays as small as is promised.

use std::fs;

use crate::{
    manifest,
    report::{Report, Stop},
    step::Step,
    workspace::{self, LIBRARIES},
};

/// Checks each library alone, since cargo would unite the features of packages that are built together.
pub(crate) fn run(report: &mut Report, _: &[String]) -> Result<(), Stop> {
    let line = "cargo xtask features # evenkeel-backoff is no_std, and without alloc, unless a feature says so";
    report.check("no_std", line, backoff_is_no_std)?;
    for library in LIBRARIES {
        let manifest = workspace::read(&format!("{library}/Cargo.toml")).map_err(|error| {
            eprintln!("✗ {error}");
            Stop::Exit(1)
        })?;
        steps(library, &manifest::features(&manifest)).iter().try_for_each(|step| report.run(step))?;
    }
    Ok(())
}

/// Clippy, because its `-D warnings` is ours alone; in `RUSTFLAGS` it would rebuild every dependency.
fn steps(library: &str, features: &[String]) -> Vec<Step> {
    let step = |choice: &str| {
        let line = format!("clippy --quiet --locked --lib -p evenkeel-{library} {choice} -- -D warnings");
        Step::cargo("features", &line)
    };
    let alone = features.iter().map(|feature| step(&format!("--no-default-features --features {feature}")));
    let (none, every) = (step("--no-default-features"), step("--all-features"));
    [none].into_iter().chain(alone).chain([every]).collect()
}

fn backoff_is_no_std() -> Result<(), String> {
    let root = workspace::root();
    let mut folders = vec!["backoff/src".to_owned()];
    no_std_at_the_root(&workspace::read("backoff/src/lib.rs")?)?;
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries.flatten() {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                no_ungated_extern_crate(&workspace::read(&path)?)
                    .map_err(|(line, why)| format!("{path}:{line}: {why}"))?;
            }
        }
    }
    Ok(())
}

/// With these two the compiler does the rest: it knows no path into `std` or `alloc` that has not been declared.
fn no_std_at_the_root(lib: &str) -> Result<(), String> {
    if lib.lines().any(|line| line.trim() == "#![no_std]") {
        Ok(())
    } else {
        Err("backoff/src/lib.rs: no `#![no_std]` that always holds: `cfg_attr` is not enough, gate `extern crate std` instead".to_owned())
    }
}

/// Finds the first `extern crate std` or `alloc` without a `#[cfg(feature = …)]` or `#[cfg(test)]` right above it.
fn no_ungated_extern_crate(text: &str) -> Result<(), (usize, String)> {
    let mut gated = false;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        let mut words = line.trim_end_matches(';').split_whitespace().skip_while(|word| word.starts_with("pub"));
        let declared = match (words.next(), words.next(), words.next()) {
            (Some("extern"), Some("crate"), name @ Some("std" | "alloc")) => name,
            _ => None,
        };
        if let (Some(name), false) = (declared, gated) {
            let why = format!("`extern crate {name}` needs a `#[cfg(feature = \"…\")]` above it");
            return Err((index + 1, why));
        }
        let gate = line.starts_with("#[cfg(")
            && !line.contains("not(")
            && (line.contains("feature =") || line.contains("test"));
        gated = gate || (gated && (line.starts_with("#[") || line.starts_with("//")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_built_alone_between_none_and_all() {
        let steps = steps("budget", &["tower".to_owned(), "serde".to_owned()]);
        let choices: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let start = "cargo clippy --quiet --locked --lib -p evenkeel-budget";
        let choice = |choice: &str| format!("{start} {choice} -- -D warnings");
        let expected = [
            choice("--no-default-features"),
            choice("--no-default-features --features tower"),
            choice("--no-default-features --features serde"),
            choice("--all-features"),
        ];
        assert_eq!(choices, expected);
    }

    #[test]
    fn no_std_must_hold_whatever_the_features() {
        assert_eq!(no_std_at_the_root("//! Docs.\n#![no_std]\n"), Ok(()));
        assert!(no_std_at_the_root("#![cfg_attr(not(feature = \"std\"), no_std)]\n").is_err());
    }

    #[test]
    fn a_declared_crate_must_be_gated() {
        let gated = "#[cfg(feature = \"std\")]\n#[macro_use]\nextern crate std;\n#[cfg(test)]\nextern crate alloc;\n";
        assert_eq!(no_ungated_extern_crate(gated), Ok(()));
        let line = |text: &str| no_ungated_extern_crate(text).map_err(|(line, _)| line);
        assert_eq!(line("//! Docs.\nextern crate alloc;\n"), Err(2));
        assert_eq!(line("#[cfg(feature = \"std\")]\nmod a;\npub extern crate std;\n"), Err(3));
        assert_eq!(line("#[cfg(not(feature = \"std\"))]\nextern crate std;\n"), Err(2));
    }
}
