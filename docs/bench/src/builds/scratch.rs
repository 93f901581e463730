//! A crate that has one dependency and nothing else, in a folder of its own, to be built from nothing.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Candidate, JOBS};

/// One candidate's crate.
#[derive(Clone, Debug)]
pub struct Scratch {
    folder: PathBuf,
    package: &'static str,
}

/// How it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As one builds while one works.
    Dev,
    /// Optimised.
    Release,
}

/// What was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// From the start of cargo to its end.
    pub took: Duration,
    /// Crates compiled, the scratch crate not among them.
    pub crates: usize,
    /// Of these, procedural macros.
    pub macros: usize,
    /// Build scripts.
    pub build_scripts: usize,
}

/// The root of this workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The scratch crate's name.
const NAME: &str = "scratch";

impl Scratch {
    /// Writes it into `folder`, with the lock file of this workspace, and fetches what it needs.
    ///
    /// # Errors
    ///
    /// When a file cannot be written, or cargo cannot fetch.
    pub fn new(folder: PathBuf, candidate: &Candidate) -> io::Result<Self> {
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("src/lib.rs"), "")?;
        let lock = fs::read_to_string(Path::new(ROOT).join("Cargo.lock"))?;
        let place = match candidate.folder {
            Some(own) => format!("path = {:?}", Path::new(ROOT).canonicalize()?.join(own)),
            None => format!("version = {:?}", format!("={}", locked(&lock, candidate.package)?)),
        };
        fs::write(folder.join("Cargo.toml"), manifest(candidate, &place))?;
        // What it does not need is dropped from it; what is left keeps its version.
        fs::write(folder.join("Cargo.lock"), lock)?;
        let scratch = Self { folder, package: candidate.package };
        scratch.cargo("fetch", &[])?;
        Ok(scratch)
    }

    /// Builds it, after all that was built before is gone.
    ///
    /// # Errors
    ///
    /// When cargo does not start, or it does not build.
    pub fn build(&self, profile: Profile) -> io::Result<Built> {
        self.clear()?;
        let jobs = format!("--jobs={JOBS}");
        let mut args = vec!["--offline", "--locked", "--message-format=json", &jobs];
        args.extend((profile == Profile::Release).then_some("--release"));
        let start = Instant::now();
        let messages = self.cargo("build", &args)?;
        Ok(Built { took: start.elapsed(), ..counted(&messages) })
    }

    /// What the dependency's version is, and how many others it depends on.
    ///
    /// # Errors
    ///
    /// When cargo does not start, or refuses.
    pub fn dependencies(&self) -> io::Result<(String, usize)> {
        let tree =
            self.cargo("tree", &["--offline", "--edges=normal", "--prefix=none", "--no-dedupe", "--format={p}"])?;
        // `name v1.0.0 (proc-macro)`, or a path.
        let lines: BTreeSet<(&str, &str)> = tree
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                Some((words.next()?, words.next()?.trim_start_matches('v')))
            })
            .filter(|&(name, _)| name != NAME)
            .collect();
        let own = lines.iter().find(|&&(name, _)| name == self.package);
        let (_, version) = own.ok_or_else(|| io::Error::other(format!("{}: not in its own tree", self.package)))?;
        Ok(((*version).to_owned(), lines.len() - 1))
    }

    /// Removes what was built.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.folder.join("target")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn cargo(&self, task: &str, args: &[&str]) -> io::Result<String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(task).arg("--quiet").args(args).current_dir(&self.folder);
        // What this program itself was built with is none of theirs.
        for (key, _) in std::env::vars_os() {
            let name = key.to_string_lossy();
            if name.starts_with("CARGO_PROFILE_") || ["RUSTFLAGS", "CARGO_INCREMENTAL"].contains(&&*name) {
                cargo.env_remove(&key);
            }
        }
        cargo.env("CARGO_TARGET_DIR", self.folder.join("target"));
        let output = cargo.output().map_err(|error| io::Error::other(format!("cargo did not start: {error}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let (package, status) = (self.package, output.status);
        Err(io::Error::other(format!("{package}: cargo {task}: {status}\n{}", String::from_utf8_lossy(&output.stderr))))
    }
}

fn manifest(candidate: &Candidate, place: &str) -> String {
    let Candidate { package, choice, .. } = candidate;
    let comma = if choice.is_empty() { "" } else { ", " };
    // Whatever lies above it, it is a workspace of its own.
    format!(
        "[package]\nname = \"{NAME}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{package} = {{ {place}{comma}{choice} }}\n"
    )
}

/// The version of a package in a lock file that has one of it.
fn locked<'a>(lock: &'a str, package: &str) -> io::Result<&'a str> {
    let entries = lock.split("[[package]]");
    let mut versions = entries.filter_map(|entry| {
        let value = |key: &str| entry.lines().find_map(|line| line.strip_prefix(key)?.strip_suffix('"'));
        (value("name = \"")? == package).then(|| value("version = \""))?
    });
    match (versions.next(), versions.next()) {
        (Some(version), None) => Ok(version),
        (None, _) => Err(io::Error::other(format!("{package} is not in the lock file"))),
        (Some(_), Some(_)) => Err(io::Error::other(format!("{package} is in the lock file more than once"))),
    }
}

/// Of cargo's messages, one a line, those that say what was compiled.
fn counted(messages: &str) -> Built {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut built = Built::default();
    for message in messages.filter(|message| message["reason"] == "compiler-artifact") {
        let is_kind =
            |kind: &str| message["target"]["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind));
        if is_kind("custom-build") {
            built.build_scripts += 1;
        } else if message["target"]["name"] != NAME {
            built.crates += 1;
            built.macros += usize::from(is_kind("proc-macro"));
        }
    }
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_lock_file_and_a_second_one_is_refused() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\ndependencies = [\n \"b\",\n]\n\n\
            [[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
        assert_eq!(locked(lock, "a").ok(), Some("1.2.3"));
        assert!(locked(lock, "b").is_err() && locked(lock, "c").is_err());
    }

    #[test]
    fn every_peer_is_in_our_lock_file_once() {
        let lock = fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).expect("the workspace has one");
        for candidate in super::super::ALL {
            locked(&lock, candidate.package).expect("one version");
        }
    }

    #[test]
    fn what_was_compiled_is_counted() {
        let artifact = |name: &str, kind: &str| {
            format!("{{\"reason\":\"compiler-artifact\",\"target\":{{\"name\":\"{name}\",\"kind\":[\"{kind}\"]}}}}\n")
        };
        let messages = [("a", "lib"), ("b", "proc-macro"), ("build-script-build", "custom-build"), (NAME, "lib")];
        let messages = messages.map(|(name, kind)| artifact(name, kind)).concat() + "{\"reason\":\"build-finished\"}\n";
        assert_eq!(counted(&messages), Built { crates: 2, macros: 1, build_scripts: 1, ..Built::default() });
    }

    #[test]
    fn the_manifest_has_the_one_dependency() {
        let manifest = |choice| {
            let candidate = Candidate { package: "a", features: "", folder: None, is_promised: false, choice };
            manifest(&candidate, "version = \"=1.0.0\"")
        };
        assert!(manifest("").ends_with("a = { version = \"=1.0.0\" }\n"));
        let line = "a = { version = \"=1.0.0\", features = [\"b\"] }\n";
        assert!(manifest("features = [\"b\"]").ends_with(line));
    }
}
