//! Rules for the manifests of the members: what they share is said once, at the root.

use super::{Fault, Rule};
use crate::manifest::{Entry, entries};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "shared-key", applies: is_manifest, check: shared_keys },
    Rule { name: "description", applies: is_manifest, check: description },
    Rule { name: "own-version", applies: is_manifest, check: own_versions },
];

fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

fn shared_keys(text: &str) -> Vec<Fault> {
    let Some(entries) = member(text) else { return Vec::new() };
    let inherits = |key: &str| entries.iter().any(|entry| entry.table == "package" && is_inherited(entry, key));
    let has_lints = entries.iter().any(|entry| {
        let dotted = entry.table.is_empty() && is_inherited(entry, "lints");
        dotted || (entry.table == "lints" && entry.key == "workspace" && entry.value == "true")
    });
    let missing = ["version", "edition", "license", "rust-version"].into_iter().filter(|key| !inherits(key));
    let mut faults: Vec<Fault> =
        missing.map(|key| (1, format!("write `{key}.workspace = true` under `[package]`"))).collect();
    if !has_lints {
        faults.push((1, "write `workspace = true` under `[lints]`".to_owned()));
    }
    faults
}

fn description(text: &str) -> Vec<Fault> {
    let Some(entries) = member(text) else { return Vec::new() };
    let is_there = |entry: &Entry| entry.table == "package" && entry.key == "description" && entry.value.len() > 2;
    if entries.iter().any(is_there) {
        return Vec::new();
    }
    vec![(1, "say in one sentence what the package is: `description` under `[package]`".to_owned())]
}

fn own_versions(text: &str) -> Vec<Fault> {
    let entries = member(text).unwrap_or_default();
    let own = entries.iter().filter(|entry| is_own_version(entry));
    own.map(|entry| (entry.line, format!("write `{}.workspace = true`, and the version at the root", name(entry))))
        .collect()
}

/// The entries, if this is a package that belongs to the workspace and not one with a workspace of its own.
fn member(text: &str) -> Option<Vec<Entry>> {
    let has = |table: &str| text.lines().any(|line| line.trim() == table);
    (has("[package]") && !has("[workspace]")).then(|| entries(text))
}

fn is_inherited(entry: &Entry, key: &str) -> bool {
    let dotted = entry.key.strip_suffix(".workspace") == Some(key) && entry.value == "true";
    dotted || (entry.key == key && has_key(&entry.value, "workspace"))
}

fn is_own_version(entry: &Entry) -> bool {
    if entry.table.ends_with("dependencies") {
        let Entry { key, value, .. } = entry;
        let elsewhere = key.ends_with(".workspace") || has_key(value, "workspace") || has_key(value, "path");
        // `a.features = […]` goes with an `a.workspace = true`.
        let detail = key.contains('.') && !key.ends_with(".version");
        has_key(value, "version") || !(elsewhere || detail)
    } else {
        entry.table.contains("dependencies.") && entry.key == "version"
    }
}

/// The dependency that an entry is about.
fn name(entry: &Entry) -> &str {
    let dotted = entry.table.rsplit_once("dependencies.").map_or(entry.key.as_str(), |(_, name)| name);
    dotted.split('.').next().unwrap_or(dotted)
}

/// Whether an inline table has this key.
fn has_key(value: &str, key: &str) -> bool {
    let inside = value.trim_start_matches('{').split(',');
    value.starts_with('{') && inside.filter_map(|pair| pair.split_once('=')).any(|(found, _)| found.trim() == key)
}

#[cfg(test)]
mod tests {
    use super::{super::lines, *};

    const GOOD: &str = "[package]\nname = \"a\"\ndescription = \"A.\"\nlicense.workspace = true\n\
        rust-version = { workspace = true }\nversion.workspace = true\nedition.workspace = true\n\n[dependencies]\nb.workspace = true\n\
        c = { workspace = true, features = [\"x\"], optional = true }\nd = { path = \"../d\" }\n\n[lints]\nworkspace = true\n";

    #[test]
    fn a_member_that_takes_all_from_the_root_is_in_order() {
        let faults: Vec<Fault> = RULES.iter().flat_map(|rule| (rule.check)(GOOD)).collect();
        assert_eq!(faults, []);
    }

    #[test]
    fn what_is_shared_must_come_from_the_root() {
        let faults = shared_keys("[package]\nlicense = \"MIT\"\n");
        assert_eq!(faults.len(), 5, "{faults:?}");
    }

    #[test]
    fn a_package_says_what_it_is() {
        assert_eq!(lines(&description("[package]\nname = \"a\"\n")), [1]);
        assert_eq!(lines(&description("[package]\ndescription = \"\"\n")), [1]);
    }

    #[test]
    fn a_version_stands_at_the_root() {
        let text = "[package]\n[dependencies]\na = \"1\"\nb = { path = \"b\", version = \"1\" }\n\
            [target.'cfg(not(loom))'.dev-dependencies]\nc = { version = \"1\" }\n[dependencies.d]\nversion = \"1\"\n";
        assert_eq!(lines(&own_versions(text)), [3, 4, 6, 8]);
    }

    #[test]
    fn the_root_and_a_workspace_of_its_own_are_left_alone() {
        assert!(own_versions("[workspace.dependencies]\na = \"1\"\n").is_empty());
        assert!(shared_keys("[package]\nname = \"fuzz\"\n[workspace]\n").is_empty());
    }
}
