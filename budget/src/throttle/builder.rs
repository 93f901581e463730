//! What a throttle is made of, checked before there is one.

use std::time::{Duration, Instant};

use super::{AdaptiveThrottle, ThrottleObserver, rule::Rule};
use crate::Invalid;

/// Makes an [`AdaptiveThrottle`]; each setting has a default.
///
/// ```
/// use evenkeel_budget::AdaptiveThrottle;
/// use std::time::Duration;
///
/// let throttle = AdaptiveThrottle::builder().k(1.5).window(Duration::from_secs(30)).max_rejection(0.95).build()?;
/// assert_eq!(throttle.k(), 1.5);
///
/// let refused = AdaptiveThrottle::builder().k(0.5).build().unwrap_err();
/// assert_eq!(refused.to_string(), "k is 0.5: it must be a number from 1 to 1000");
/// # Ok::<(), evenkeel_budget::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct ThrottleBuilder<C = fn() -> Instant, O = ()> {
    pub(super) k: f64,
    pub(super) window: Duration,
    pub(super) max_rejection: f64,
    pub(super) seed: Option<u64>,
    pub(super) clock: C,
    pub(super) observer: O,
}

impl ThrottleBuilder {
    pub(super) const fn new() -> Self {
        Self {
            k: AdaptiveThrottle::DEFAULT_K,
            window: AdaptiveThrottle::DEFAULT_WINDOW,
            max_rejection: AdaptiveThrottle::DEFAULT_MAX_REJECTION,
            seed: None,
            // The default value of a clock parameter.
            #[allow(clippy::disallowed_methods)]
            clock: Instant::now,
            observer: (),
        }
    }
}

impl<C, O> ThrottleBuilder<C, O> {
    /// How many requests are sent for each one that is accepted, from 1 to 1000. 2 when left out. Lower rejects sooner and
    /// wastes less of the service; higher notices sooner that it is well again. With 1 a single failure in the window is
    /// enough to reject.
    pub const fn k(mut self, k: f64) -> Self {
        self.k = k;
        self
    }

    /// How long a request counts, to a twentieth, from 1 s to 10 min. 2 min when left out. An outage is noticed within half
    /// of the window and left again within several; a client of few requests needs a window that holds some.
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The probability to reject, over all priorities, is never above this, from 0 to 1. 1 when left out: then it comes as
    /// near to 1 as one request in the window. Below 1, some are always sent, and the end of an outage is noticed the
    /// sooner: see [How fast it recovers](AdaptiveThrottle#how-fast-it-recovers). With 0 it only counts.
    pub const fn max_rejection(mut self, max_rejection: f64) -> Self {
        self.max_rejection = max_rejection;
        self
    }

    /// Rejects the same requests for the same history, for a test or a replay: give each client of a fleet its own. Left
    /// out, it is the operating system's randomness.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The time is what `clock` says. [`Instant::now`] when left out; under tokio's paused clock
    /// `|| tokio::time::Instant::now().into_std()`.
    pub fn clock<D: Fn() -> Instant>(self, clock: D) -> ThrottleBuilder<D, O> {
        let Self { k, window, max_rejection, seed, clock: _, observer } = self;
        ThrottleBuilder { k, window, max_rejection, seed, clock, observer }
    }

    /// Tells `observer` what becomes of each request.
    pub fn observe<P: ThrottleObserver>(self, observer: P) -> ThrottleBuilder<C, P> {
        let Self { k, window, max_rejection, seed, clock, observer: _ } = self;
        ThrottleBuilder { k, window, max_rejection, seed, clock, observer }
    }

    /// What it can be built with.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub(super) fn checked(&self) -> Result<Rule, Invalid> {
        let Self { k, window, max_rejection, .. } = *self;
        // NaN is in no range.
        if !(1.0..=1000.0).contains(&k) {
            return Err(Invalid::number("k", k, "a number from 1 to 1000"));
        }
        if !(AdaptiveThrottle::SHORTEST_WINDOW..=AdaptiveThrottle::LONGEST_WINDOW).contains(&window) {
            return Err(Invalid::time("window", window, "from 1 s to 10 min"));
        }
        if !(0.0..=1.0).contains(&max_rejection) {
            return Err(Invalid::number("max_rejection", max_rejection, "a number from 0 to 1"));
        }
        Ok(Rule { k, max_rejection })
    }
}

impl<C: Fn() -> Instant, O: ThrottleObserver> ThrottleBuilder<C, O> {
    /// The throttle; its time begins now.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when `k` is not a number from 1 to 1000, the window not from 1 s to 10 min, or `max_rejection` not a
    /// number from 0 to 1.
    pub fn build(self) -> Result<AdaptiveThrottle<C, O>, Invalid> {
        let rule = self.checked()?;
        Ok(AdaptiveThrottle::of(self, rule))
    }
}
