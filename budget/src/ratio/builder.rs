//! What a ratio budget is made of, checked before there is one.

use std::time::{Duration, Instant};

use super::RatioBudget;
use crate::{Invalid, share::Share};

/// Makes a [`RatioBudget`]; each setting has a default.
///
/// ```
/// use evenkeel_budget::RatioBudget;
/// use std::time::Duration;
///
/// let budget = RatioBudget::builder().ratio(0.1).min_per_second(5).ttl(Duration::from_secs(30)).build()?;
/// assert_eq!(budget.snapshot().balance, 150.0, "no request yet, so there is the reserve");
///
/// let refused = RatioBudget::builder().ttl(Duration::from_millis(900)).build().unwrap_err();
/// assert_eq!(refused.to_string(), "ttl is 900ms: it must be from 1 s to 60 s");
/// # Ok::<(), evenkeel_budget::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct RatioBuilder<C = fn() -> Instant> {
    pub(super) ratio: f64,
    pub(super) min_per_second: u32,
    pub(super) ttl: Duration,
    pub(super) clock: C,
}

impl RatioBuilder {
    pub(super) const fn new() -> Self {
        Self {
            ratio: RatioBudget::DEFAULT_RATIO,
            min_per_second: RatioBudget::DEFAULT_MIN_PER_SECOND,
            ttl: RatioBudget::DEFAULT_TTL,
            // The default value of a clock parameter.
            #[allow(clippy::disallowed_methods)]
            clock: Instant::now,
        }
    }
}

impl<C> RatioBuilder<C> {
    /// Extra attempts for each original request, from 0 to 1000, to nine decimals. 0.2 when left out.
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// Extra attempts a second that need no original requests: `min_per_second · ttl` of them are the reserve. 10 when left
    /// out; with 0 there is no reserve, and with a ratio of 0 as well nothing is ever granted.
    pub const fn min_per_second(mut self, min_per_second: u32) -> Self {
        self.min_per_second = min_per_second;
        self
    }

    /// How long deposits and withdrawals count, from 1 s to 60 s. 10 s when left out.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The time is what `clock` says. [`Instant::now`] when left out; under tokio's paused clock
    /// `|| tokio::time::Instant::now().into_std()`.
    pub fn clock<D: Fn() -> Instant>(self, clock: D) -> RatioBuilder<D> {
        let Self { ratio, min_per_second, ttl, clock: _ } = self;
        RatioBuilder { ratio, min_per_second, ttl, clock }
    }

    /// What it can be built with.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub(super) fn checked(&self) -> Result<Share, Invalid> {
        let ratio = Share::new("ratio", self.ratio)?;
        if self.ttl < RatioBudget::SHORTEST_TTL || self.ttl > RatioBudget::LONGEST_TTL {
            return Err(Invalid::time("ttl", self.ttl, "from 1 s to 60 s"));
        }
        Ok(ratio)
    }
}

impl<C: Fn() -> Instant> RatioBuilder<C> {
    /// The budget; its time begins now.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the ratio is not a number from 0 to 1000, or the ttl not from 1 s to 60 s.
    pub fn build(self) -> Result<RatioBudget<C>, Invalid> {
        let ratio = self.checked()?;
        Ok(RatioBudget::of(self, ratio))
    }
}
