//! What is built.

/// A crate with some of its features.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its name.
    pub package: &'static str,
    /// What is said of its features.
    pub features: &'static str,
    /// Where it is in this workspace, if it is one of the four.
    pub folder: Option<&'static str>,
    /// Whether it is one of the four with its default features.
    pub is_promised: bool,
    /// What stands in the manifest beside its place or its version.
    pub choice: &'static str,
}

/// All of them. `evenkeel-breaker` and `evenkeel-hedging` have no default features.
pub const ALL: &[Candidate] = &[
    ours("evenkeel-backoff", "backoff", "none", NONE),
    promised("evenkeel-backoff", "backoff", "default"),
    ours("evenkeel-backoff", "backoff", "tower", "default-features = false, features = [\"tower\"]"),
    ours("evenkeel-backoff", "backoff", "all", BACKOFF),
    ours("evenkeel-budget", "budget", "none", NONE),
    promised("evenkeel-budget", "budget", "default"),
    ours("evenkeel-budget", "budget", "tower", "default-features = false, features = [\"tower\"]"),
    ours("evenkeel-budget", "budget", "all", "features = [\"metrics\", \"serde\", \"throttle\", \"tower\"]"),
    promised("evenkeel-breaker", "breaker", "default (none)"),
    ours("evenkeel-breaker", "breaker", "tower", "features = [\"tower\"]"),
    ours("evenkeel-breaker", "breaker", "all", REST),
    promised("evenkeel-hedging", "hedging", "default (none)"),
    ours("evenkeel-hedging", "hedging", "tower", "features = [\"tower\"]"),
    ours("evenkeel-hedging", "hedging", "all", REST),
    peer("backon", "std, tokio-sleep", "default-features = false, features = [\"std\", \"tokio-sleep\"]"),
    peer("tokio-retry2", "jitter", "features = [\"jitter\"]"),
    peer("tokio-retry", "default", ""),
    peer("backoff", "tokio", "features = [\"tokio\"]"),
    peer("tower", "retry", "default-features = false, features = [\"retry\"]"),
    peer("tower", "hedge", "default-features = false, features = [\"hedge\"]"),
    peer("recloser", "none", NONE),
    peer("failsafe", "none", NONE),
    peer("tower-resilience-retry", "none", NONE),
    peer("tower-resilience-circuitbreaker", "none", NONE),
    peer("tower-resilience-hedge", "none", NONE),
];

const NONE: &str = "default-features = false";
const BACKOFF: &str = "features = [\"http\", \"metrics\", \"retry\", \"serde\", \"std\", \"tower\"]";
const REST: &str = "features = [\"metrics\", \"serde\", \"tower\"]";

const fn ours(package: &'static str, folder: &'static str, features: &'static str, choice: &'static str) -> Candidate {
    Candidate { package, features, folder: Some(folder), is_promised: false, choice }
}

const fn promised(package: &'static str, folder: &'static str, features: &'static str) -> Candidate {
    Candidate { is_promised: true, ..ours(package, folder, features, "") }
}

/// With the features that the benches ask for.
const fn peer(package: &'static str, features: &'static str, choice: &'static str) -> Candidate {
    Candidate { package, features, folder: None, is_promised: false, choice }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn all_of_a_librarys_features_are_all_that_its_manifest_has() {
        for candidate in ALL.iter().filter(|candidate| candidate.features == "all") {
            let folder = candidate.folder.expect("a peer is never built with all");
            let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("its manifest");
            let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n\n").next());
            let named = features.expect("it has features").lines().filter(|line| !line.starts_with('#'));
            let named: BTreeSet<&str> = named.filter_map(|line| Some(line.split_once(" =")?.0)).collect();
            let chosen: BTreeSet<&str> = candidate.choice.split('"').skip(1).step_by(2).chain(["default"]).collect();
            assert_eq!(chosen, named, "{folder}");
        }
    }

    #[test]
    fn each_of_the_four_is_promised_once() {
        let promised = ALL.iter().filter(|candidate| candidate.is_promised);
        let promised: BTreeSet<_> = promised.filter_map(|candidate| candidate.folder).collect();
        assert_eq!(promised, ["backoff", "breaker", "budget", "hedging"].into());
    }
}
