//! The estimate of how long requests take, and of how late is late.

mod buckets;
mod builder;
mod half;
mod map;
mod snapshot;
mod survival;
mod window;

use std::{
    fmt, iter,
    time::{Duration, Instant},
};

pub use builder::QuantileBuilder;
pub use map::QuantileMap;
pub use snapshot::QuantileSnapshot;

use crate::{Delays, End, Invalid, NEVER, sync::Arc};
use window::{Sample, Window};

/// How late is late: a quantile of the latencies of the last half minute, shared by all who record and ask.
///
/// As the delays of a [`Hedge`](crate::Hedge), it sends the second attempt when the first takes longer than, say, 95 %
/// of all do; so about 5 % of the requests are sent twice, whatever the latencies are. A third attempt, where
/// [`max_attempts`](crate::Hedge::max_attempts) allows it, is sent at twice that time, and so on.
///
/// **What is recorded**: of each request that waits the first attempt, since the question is how many of those are late; from
/// when it is first found pending, which is when the delay begins. One that answers at once (out of a cache, say) is not
/// recorded, and reads no clock: it could not be late, and many of its kind would make all others so. One that succeeds
/// counts with its latency. One that was dropped, because another won or the caller had gone, is known to take
/// longer than it was given, and counts as that (it is *censored*): neither as if it had ended, which would drag the
/// estimate down and the hedging up, nor not at all, which would forget the slowest. One that fails sooner than the
/// threshold is not recorded, one that fails later was late as well. Source of the estimate: Kaplan and Meier, 1958.
///
/// **Without a budget** one thing can go wrong for good: if all first attempts become slower than the threshold at once, and
/// the second ones are always quicker than the rest of their time, no first one ends any more, nothing is learned, and every
/// request is sent twice. A budget refuses some of the hedges, and so lets first attempts end.
///
/// **Until it is warm** (100 samples in the window) there is no threshold, and no hedge, or one after a fixed delay
/// ([`until_warm`](QuantileBuilder::until_warm)). After a pause of a whole window the next request to end makes it
/// cold.
///
/// A threshold is within 2 % of the quantile of what was recorded, which is the shortest latency that so many do not
/// pass, from 1 µs to 1 h; shorter and longer ones count as those. Where fewer than so many ever end, because the rest
/// hang, it is the longest that did (but for the last few, each of which would stand for many); where none does, it stays
/// what it was: then more than the rest are hedged, and it is the budget that bounds that.
///
/// To read the threshold is one load, and to record two atomic adds and no lock. Whoever records when the window has grown by
/// a thirty-second works the threshold out, in a few microseconds: with tens of thousands of samples that is nothing for each,
/// with a few hundred a third of a microsecond. All takes 16 KiB, once.
///
/// Cloning is one reference count; every clone is the same estimate. It can be used alone: [`record`](Self::record),
/// [`record_longer`](Self::record_longer), [`threshold`](Self::threshold), [`snapshot`](Self::snapshot).
///
/// ```
/// use evenkeel_hedging::Quantile;
/// use std::time::Duration;
///
/// let p90 = Quantile::p90();
/// assert_eq!(p90.threshold(), None, "nothing is known yet");
/// for millis in 1..=100 {
///     p90.record(Duration::from_millis(millis));
/// }
/// let threshold = p90.threshold().unwrap();
/// assert!(threshold.abs_diff(Duration::from_millis(90)) < Duration::from_millis(2));
/// ```
pub struct Quantile<C = fn() -> Instant> {
    shared: Arc<Shared<C>>,
}

struct Shared<C> {
    window: Window,
    until_warm: Duration,
    clock: C,
    epoch: Instant,
}

impl Quantile {
    /// 30 s: long enough that a busy client's p99 is of many requests, short enough for a deployment or an outage to be
    /// seen.
    pub const DEFAULT_WINDOW: Duration = Duration::from_secs(30);

    /// 100: a p95 of fewer is the luck of the five slowest.
    pub const DEFAULT_WARM_UP: u32 = 100;

    /// The latency that 90 % of all do not pass: a tenth of the requests is hedged.
    #[must_use]
    pub fn p90() -> Self {
        Self::builder(0.9).finish()
    }

    /// The latency that 95 % of all do not pass: a twentieth of the requests is hedged.
    #[must_use]
    pub fn p95() -> Self {
        Self::builder(0.95).finish()
    }

    /// The latency that 99 % of all do not pass: a hundredth of the requests is hedged. Of a few hundred in the window it is that
    /// of the slowest two or three, and the share rather 1.3 %; a [`window`](QuantileBuilder::window) that has thousands is
    /// better.
    #[must_use]
    pub fn p99() -> Self {
        Self::builder(0.99).finish()
    }

    /// The latency that this share of all do not pass.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the share is not above 0 and below 1.
    pub fn new(share: f64) -> Result<Self, Invalid> {
        Self::builder(share).build()
    }

    /// The settings.
    pub fn builder(share: f64) -> QuantileBuilder {
        QuantileBuilder::new(share)
    }
}

impl<C> Quantile<C> {
    /// What 95 %, say, of all requests do not pass; none until it is warm. As of the last time that it was worked out.
    #[must_use]
    #[inline]
    pub fn threshold(&self) -> Option<Duration> {
        self.shared.window.threshold().map(Duration::from_nanos)
    }

    /// What it knows. It goes through all buckets: for those who look, not for each request.
    #[must_use]
    pub fn snapshot(&self) -> QuantileSnapshot {
        QuantileSnapshot::of(&self.shared.window)
    }

    /// [`record`](Self::record) at `now`. An earlier instant than the latest is taken for that.
    #[inline]
    pub fn record_at(&self, latency: Duration, now: Instant) {
        self.shared.window.record(Sample::Took(nanos(latency)), self.shared.since(now));
    }

    /// [`record_longer`](Self::record_longer) at `now`.
    #[inline]
    pub fn record_longer_at(&self, elapsed: Duration, now: Instant) {
        self.shared.window.record(Sample::Longer(nanos(elapsed)), self.shared.since(now));
    }
}

impl<C: Fn() -> Instant> Quantile<C> {
    /// One request took so long.
    pub fn record(&self, latency: Duration) {
        self.record_at(latency, (self.shared.clock)());
    }

    /// One request was given up after so long, and would have taken longer.
    pub fn record_longer(&self, elapsed: Duration) {
        self.record_longer_at(elapsed, (self.shared.clock)());
    }
}

impl<C> Shared<C> {
    fn since(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }
}

impl<C: Fn() -> Instant> Delays for Quantile<C> {
    type Session = iter::Repeat<Duration>;
    type Started = Instant;

    /// The same spacing for all attempts of the request.
    fn session(&self) -> iter::Repeat<Duration> {
        iter::repeat(self.threshold().unwrap_or(self.shared.until_warm))
    }

    fn start(&self) -> Instant {
        (self.shared.clock)()
    }

    fn end(&self, started: Instant, end: End) {
        let now = (self.shared.clock)();
        let elapsed = now.saturating_duration_since(started);
        match end {
            End::Succeeded => self.record_at(elapsed, now),
            End::Dropped => self.record_longer_at(elapsed, now),
            End::Failed => {
                if self.threshold().is_some_and(|threshold| elapsed > threshold) {
                    self.record_longer_at(elapsed, now);
                }
            }
        }
    }
}

/// Held to 584 years.
fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(time.subsec_nanos()))
}

impl<C> Clone for Quantile<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C> fmt::Debug for Quantile<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantile")
            .field("share", &self.shared.window.rules().share)
            .field("threshold", &self.threshold())
            .finish_non_exhaustive()
    }
}

/// Never by time, until it is warm.
const UNTIL_WARM: Duration = NEVER;
