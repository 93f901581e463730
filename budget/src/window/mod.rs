//! A sliding window over counters that only grow: what a counter holds now, less what it held when the window began.

mod ring;
mod ticks;

pub(crate) use ring::{Ring, Tally};
pub(crate) use ticks::{Moment, Ticks, first_of_window};

use crate::sync::{AtomicU64, Ordering};

/// The latest moment that anything was recorded at. It never goes back.
#[derive(Debug)]
pub(crate) struct Head(AtomicU64);

impl Head {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(Moment::EPOCH.0))
    }

    /// Acquire: with it come the beginnings that were written before it, so that all ticks up to it are in the rings.
    #[inline]
    pub(crate) fn load(&self) -> Moment {
        Moment(self.0.load(Ordering::Acquire))
    }

    /// Moves on to `to`, when the beginnings of all ticks up to there are in the rings; a head that is further stays.
    pub(crate) fn advance(&self, to: Moment) {
        // Release, for the load above.
        self.0.fetch_max(to.0, Ordering::AcqRel);
    }
}
