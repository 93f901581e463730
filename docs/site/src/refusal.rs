//! Why a page cannot be built, and where that is said.

use std::{error::Error, fmt, io};

/// Something in a page that cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The page's file, from the root of the repository.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

impl Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::other(refusal)
    }
}
