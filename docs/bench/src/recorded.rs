//! What was measured when the book was written: the files in `results/`, and what is made of them.

use std::io;

use evenkeel_lab::sheet::Sheet;

use crate::{builds, growth, instructions, sheet};

/// A record, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// Costs beside the peers.
    Bench,
    /// How costs grow, and what things take.
    Growth,
    /// What it costs to build.
    Builds,
    /// The instructions of the hot paths.
    Counts,
}

impl Record {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bench, Self::Growth, Self::Builds, Self::Counts];

    /// What it is called in the book, and its file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bench => "bench",
            Self::Growth => "growth",
            Self::Builds => "builds",
            Self::Counts => "counts",
        }
    }

    /// The command that measures it anew.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Bench => "cargo xtask bench",
            Self::Growth => "cargo xtask bench growth",
            Self::Builds => "cargo xtask bench builds",
            Self::Counts => "cargo xtask bench counts",
        }
    }

    /// What it shows.
    ///
    /// # Errors
    ///
    /// When the file is not what the program writes: it is of an earlier version.
    pub fn sheet(self) -> io::Result<Sheet> {
        match self {
            Self::Bench => sheet::of(&serde_json::from_str(include_str!("../results/bench.json"))?),
            Self::Growth => growth::sheet(&serde_json::from_str(include_str!("../results/growth.json"))?),
            Self::Builds => builds::sheet(&serde_json::from_str(include_str!("../results/builds.json"))?),
            Self::Counts => instructions::sheet(&serde_json::from_str(include_str!("../instructions.json"))?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_can_be_shown() {
        for record in Record::ALL {
            let sheet = record.sheet().unwrap_or_else(|error| panic!("{}: {error}", record.name()));
            assert!(sheet.text.contains("\n| ") && sheet.json.contains("\"rows\":[{"), "{}", record.name());
        }
    }
}
