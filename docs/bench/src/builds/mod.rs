//! What it costs to build the crates, beside their peers: time from nothing, crates compiled, dependencies.

mod candidates;
mod scratch;
mod sheet;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use candidates::{ALL, Candidate};
pub use scratch::{Built, Profile, Scratch};
pub use sheet::sheet;

/// What each of our crates with its default features is promised to be built in, from nothing, on two cores.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How many crates are compiled at a time.
pub const JOBS: u32 = 2;

/// All that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Builds {
    /// Processor, system and compiler.
    pub machine: String,
    /// How often each was built; a time is the median.
    pub rounds: usize,
    /// In the order of [`ALL`].
    pub rows: Vec<Build>,
}

/// One crate with some of its features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// With which features: `default`, `none`, `all`, or their names.
    pub features: String,
    /// Whether it is one of the four.
    pub is_ours: bool,
    /// Whether it is what the promise is about: one of the four with its default features.
    pub is_promised: bool,
    /// Seconds to build it from nothing in the dev profile.
    pub dev_s: f64,
    /// Seconds to build it from nothing in the release profile.
    pub release_s: f64,
    /// Crates compiled, itself among them.
    pub crates: usize,
    /// Of these, procedural macros.
    pub macros: usize,
    /// Build scripts compiled and run.
    pub build_scripts: usize,
    /// Crates that it depends on, by normal dependencies, and theirs.
    pub dependencies: usize,
}

impl Build {
    /// Whether the promise is kept, in either profile.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.dev_s.max(self.release_s) < LIMIT.as_secs_f64()
    }
}
