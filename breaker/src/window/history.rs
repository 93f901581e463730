//! The ticks of a time window that are gathered: plain numbers, behind the breaker's lock.

use std::time::Duration;

use crate::{open_times::nanos, rules::Tally};

/// Ticks in a window: time is known to a tenth of it.
pub(crate) const TICKS: usize = 10;

/// What was gathered in each of the last ticks.
#[derive(Debug)]
pub(crate) struct History {
    /// The length of a tick in nanoseconds, at least 1.
    tick: u64,
    /// Each tick's place is its number, modulo their number.
    ticks: [Tally; TICKS],
    /// The present one. It never goes back.
    present: u64,
}

impl History {
    /// Of a window that is so long.
    pub(crate) fn new(span: Duration) -> Self {
        Self { tick: tick(span), ticks: [Tally::default(); TICKS], present: 0 }
    }

    /// When the present tick ends.
    pub(crate) fn tick_end(&self) -> u64 {
        (self.present + 1).saturating_mul(self.tick)
    }

    /// Counts what was gathered as of the present tick.
    pub(crate) fn add(&mut self, gathered: Tally) {
        let place = place(self.present);
        self.ticks[place] = self.ticks[place].and(gathered);
    }

    /// Goes on to the tick of `now`: what is older than the window is forgotten.
    pub(crate) fn advance(&mut self, now: u64) {
        let to = (now / self.tick).max(self.present);
        // No more than all of them.
        for skipped in (self.present + 1..=to).rev().take(TICKS) {
            self.ticks[place(skipped)] = Tally::default();
        }
        self.present = to;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.ticks = [Tally::default(); TICKS];
    }

    pub(crate) fn sum(&self) -> Tally {
        self.ticks.iter().copied().fold(Tally::default(), Tally::and)
    }
}

/// The length of a tick, in a window that is so long: in nanoseconds.
pub(crate) fn tick(span: Duration) -> u64 {
    nanos(span).div_ceil(TICKS as u64).max(1)
}

fn place(tick: u64) -> usize {
    // Below TICKS, so it fits.
    (tick % TICKS as u64) as usize
}
