//! The settings of an estimate, checked once.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use super::{
    Quantile, Shared, UNTIL_WARM, nanos,
    window::{LONGEST, Rules, Window},
};
use crate::{Invalid, sync::Arc};

/// The settings of a [`Quantile`].
///
/// ```
/// use evenkeel_hedging::Quantile;
/// use std::time::Duration;
///
/// let p95 = Quantile::builder(0.95)
///     .window(Duration::from_secs(60))
///     .until_warm(Duration::from_millis(500))
///     .at_most(Duration::from_secs(2))
///     .build()?;
/// assert_eq!(p95.threshold(), None);
///
/// assert_eq!(Quantile::builder(95.0).build().unwrap_err().field(), "share");
/// # Ok::<(), evenkeel_hedging::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "settings do nothing until they are built"]
pub struct QuantileBuilder<C = fn() -> Instant> {
    share: f64,
    window: Duration,
    warm_up: u32,
    until_warm: Duration,
    at_least: Duration,
    at_most: Duration,
    clock: C,
}

impl QuantileBuilder {
    pub(super) fn new(share: f64) -> Self {
        // The one place where the system's clock is named: as the default of a clock parameter.
        #[allow(clippy::disallowed_methods)]
        let clock: fn() -> Instant = Instant::now;
        Self {
            share,
            window: Quantile::DEFAULT_WINDOW,
            warm_up: Quantile::DEFAULT_WARM_UP,
            until_warm: UNTIL_WARM,
            at_least: Duration::ZERO,
            at_most: Duration::MAX,
            clock,
        }
    }
}

impl<C> QuantileBuilder<C> {
    /// Over how long it looks back, at least half of it and at most all: it has two halves, of which the older is forgotten
    /// at a time. From 2 ms to 1 h; by default [`DEFAULT_WINDOW`](Quantile::DEFAULT_WINDOW). A client of few requests needs a
    /// longer one to become warm.
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How many requests there must be in the window for a threshold; by default
    /// [`DEFAULT_WARM_UP`](Quantile::DEFAULT_WARM_UP). With half as many it stays warm, for the turn of the window forgets as
    /// many at a time. For a p99 five times the default is better. So it is for a client that has hundreds of requests in flight
    /// when it begins: the first hundred to end are the quickest of them, and a threshold of those is too short for a while.
    pub const fn warm_up(mut self, samples: NonZeroU32) -> Self {
        self.warm_up = samples.get();
        self
    }

    /// The delay of a hedge until then. By default there is no hedge until then.
    pub const fn until_warm(mut self, delay: Duration) -> Self {
        self.until_warm = delay;
        self
    }

    /// No threshold is shorter; by default zero.
    pub const fn at_least(mut self, threshold: Duration) -> Self {
        self.at_least = threshold;
        self
    }

    /// No threshold is longer, and not shorter than [`at_least`](Self::at_least) either. By default there is no limit. With
    /// one, more than the share of requests may be hedged while all are slow: have a budget.
    pub const fn at_most(mut self, threshold: Duration) -> Self {
        self.at_most = threshold;
        self
    }

    /// Asks `clock` for the time: twice a request. Under tokio's paused clock: `|| tokio::time::Instant::now().into_std()`.
    pub fn clock<C2: Fn() -> Instant>(self, clock: C2) -> QuantileBuilder<C2> {
        let Self { share, window, warm_up, until_warm, at_least, at_most, clock: _ } = self;
        QuantileBuilder { share, window, warm_up, until_warm, at_least, at_most, clock }
    }
}

impl<C: Fn() -> Instant> QuantileBuilder<C> {
    /// The estimate, cold.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the share is not above 0 and below 1, the window not from 2 ms to 1 h, the delay until it is warm or
    /// the longest threshold zero, or the shortest threshold longer than the longest.
    pub fn build(self) -> Result<Quantile<C>, Invalid> {
        // NaN is in no range.
        if !(self.share > 0.0 && self.share < 1.0) {
            return Err(Invalid::number("share", self.share, "a number above 0 and below 1"));
        }
        if !(SHORTEST_WINDOW..=LONGEST_WINDOW).contains(&self.window) {
            return Err(Invalid::time("window", self.window, "from 2 ms to 1 h"));
        }
        // Zero would send every request twice; who wants that says `AtOnce`.
        if self.until_warm.is_zero() {
            return Err(Invalid::time("until_warm", self.until_warm, "longer than zero"));
        }
        if self.at_most.is_zero() {
            return Err(Invalid::time("at_most", self.at_most, "longer than zero"));
        }
        if self.at_least > self.at_most {
            return Err(Invalid::time("at_least", self.at_least, "no longer than at_most"));
        }
        Ok(self.finish())
    }

    /// The estimate of settings that are legal.
    pub(super) fn finish(self) -> Quantile<C> {
        let rules = Rules {
            share: self.share,
            half: nanos(self.window / 2),
            warm_up: u64::from(self.warm_up),
            // Below what stands for no threshold.
            at_least: nanos(self.at_least).min(LONGEST),
            at_most: nanos(self.at_most).min(LONGEST),
        };
        let epoch = (self.clock)();
        let window = Window::new(rules);
        Quantile { shared: Arc::new(Shared { window, until_warm: self.until_warm, clock: self.clock, epoch }) }
    }
}

const SHORTEST_WINDOW: Duration = Duration::from_millis(2);
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);
