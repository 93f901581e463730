//! What a closed breaker counts about its last results.

mod count;
mod head;
mod history;
mod time;

pub(crate) use count::Ring;
pub(crate) use head::Head;
pub(crate) use history::{History, tick};
pub(crate) use time::{Added, Stripes, Turn};

use crate::rules::Tally;

/// One result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

impl Entry {
    pub(crate) const GOOD: Self = Self { failed: false, slow: false };

    pub(crate) fn is_good(self) -> bool {
        self == Self::GOOD
    }

    /// As the only one.
    pub(crate) fn tally(self) -> Tally {
        Tally { total: 1, failures: self.failed.into(), slow: self.slow.into() }
    }

    /// In two bits.
    fn bits(self) -> u64 {
        u64::from(self.failed) | (u64::from(self.slow) << 1)
    }

    fn from_bits(bits: u64) -> Self {
        Self { failed: bits & 1 != 0, slow: bits & 2 != 0 }
    }
}
