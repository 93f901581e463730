//! Time in ticks: a window has a fixed number of them.

use std::time::{Duration, Instant};

/// Ticks in a window: time is known to a twentieth of it. In a model there are few, so that it ends.
pub(crate) const SPAN: u64 = if cfg!(loom) { 2 } else { 20 };

/// The length of a tick, and when the first one began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    epoch: Instant,
    /// In nanoseconds, at least 1.
    tick: u64,
}

/// A moment, to the tick, and whether it is the very beginning of it: twice the number of the tick, and one more if it is
/// later than its beginning.
///
/// With the odd ones, ticks can be counted down or up. What was earned counts from the beginning of its tick, so that it
/// is never held for longer than the window; what was spent counts from the end of it, so that it is never forgotten
/// sooner; and what was done at the very beginning of a tick counts for exactly the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) u64);

impl Ticks {
    /// [`SPAN`] ticks are at least `window`, which is longer than zero.
    pub(crate) fn new(epoch: Instant, window: Duration) -> Self {
        Self { epoch, tick: nanos(window).div_ceil(SPAN).max(1) }
    }

    /// The length of the window, of whole ticks.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_nanos(self.tick.saturating_mul(SPAN))
    }

    /// The moment of `now`; what is before the epoch is taken for it.
    pub(crate) fn at(&self, now: Instant) -> Moment {
        let since = nanos(now.saturating_duration_since(self.epoch));
        let (tick, rest) = (since / self.tick, since % self.tick);
        Moment(tick * 2 + u64::from(rest != 0))
    }
}

/// The nanoseconds of `time`, held to 292 years, so that twice as many fit as well.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}

impl Moment {
    pub(crate) const EPOCH: Self = Self(0);

    /// The beginning of `tick`.
    pub(crate) fn beginning(tick: u64) -> Self {
        Self(tick * 2)
    }

    /// The tick that it is in.
    pub(crate) fn floor(self) -> u64 {
        self.0 / 2
    }

    /// The first tick that begins no earlier.
    pub(crate) fn ceil(self) -> u64 {
        self.0.div_ceil(2)
    }
}

/// The first tick of the window whose last is `tick`.
pub(crate) fn first_of_window(tick: u64) -> u64 {
    (tick + 1).saturating_sub(SPAN)
}
