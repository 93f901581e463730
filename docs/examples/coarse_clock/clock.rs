//! The time of the kernel's last tick, as a clock for all that takes one.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_getres, clock_gettime};

/// Reads `CLOCK_MONOTONIC_COARSE`: within [a tick](Self::tick) of the exact clock, before or after it, and never going back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// An exact moment, and what the coarse clock said of it.
    started: (Instant, Duration),
}

impl Clock {
    pub(crate) fn new() -> Self {
        // What it said may have been up to a tick old: by so much it is ahead at most.
        Self { started: (Instant::now(), since_boot()) }
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        let (instant, coarse) = self.started;
        instant + since_boot().saturating_sub(coarse)
    }

    /// How far it may be off.
    #[allow(dead_code)] // Whoever only measures what it costs does not ask.
    pub(crate) fn tick() -> Duration {
        let tick = clock_getres(ClockId::MonotonicCoarse);
        Duration::try_from(tick).expect("a resolution is no less than nothing")
    }
}

#[inline]
fn since_boot() -> Duration {
    Duration::try_from(clock_gettime(ClockId::MonotonicCoarse)).expect("this clock begins at zero")
}
