//! The settings of a schedule that can contradict each other, checked once.

use core::time::Duration;

use super::{
    Constant, Exponential, Fibonacci, Jitter, Linear, Schedule,
    curve::{self, Curve, Jittered},
    nanos::Nanos,
};
use crate::Invalid;

/// A [`Schedule`] in the making, with settings that [`build`](Self::build) checks.
///
/// ```
/// use evenkeel_backoff::{Exponential, Jitter};
/// use std::time::Duration;
///
/// let builder = Exponential::builder(Duration::from_millis(100)).factor(1.5).cap(Duration::from_secs(2));
/// let schedule = builder.floor(Duration::from_millis(20)).build()?;
/// assert!(schedule.take(20).into_iter().all(|delay| (20..=2_000).contains(&delay.as_millis())));
///
/// let refused = builder.floor(Duration::from_secs(3)).build().unwrap_err();
/// assert_eq!(refused.to_string(), "floor is 3s: it must be at most the cap, 2s");
/// # Ok::<(), evenkeel_backoff::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder<C> {
    schedule: Schedule<C>,
    floor: Nanos,
    /// A factor that could not be taken.
    refused: Option<Invalid>,
}

impl Constant {
    /// [`Constant::new`], with a floor.
    pub const fn builder(delay: Duration) -> Builder<curve::Constant> {
        Self::new(delay).to_builder()
    }
}

impl Linear {
    /// [`Linear::new`], with a floor.
    pub const fn builder(first: Duration, step: Duration) -> Builder<curve::Linear> {
        Self::new(first, step).to_builder()
    }
}

impl Exponential {
    /// [`Exponential::new`], with a factor and a floor.
    pub const fn builder(first: Duration) -> Builder<curve::Exponential> {
        Self::new(first).to_builder()
    }
}

impl Fibonacci {
    /// [`Fibonacci::new`], with a floor.
    pub const fn builder(first: Duration) -> Builder<curve::Fibonacci> {
        Self::new(first).to_builder()
    }
}

impl Builder<curve::Exponential> {
    /// How many times the delay before each delay is: a number from 1 to 255, held to 2⁻²⁴.
    pub const fn factor(mut self, factor: f64) -> Self {
        if factor >= 1.0 && factor <= 255.0 {
            // Below 2⁸ · 2²⁴ by the line above.
            self.schedule.curve.factor = (factor * curve::Exponential::ONE as f64 + 0.5) as u32;
            self.refused = None;
        } else {
            self.refused = Some(Invalid::number("factor", factor, "a number from 1 to 255"));
        }
        self
    }
}

impl<C: Jittered> Builder<C> {
    /// How each delay is spread.
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.schedule = self.schedule.jitter(jitter);
        self
    }

    /// No delay is shorter than `min`: jitter is drawn from there up. A full jitter near zero is hardly a wait, and one
    /// who is throttled needs one. At most the cap.
    pub const fn floor(mut self, min: Duration) -> Self {
        self.floor = Nanos::from(min);
        self
    }
}

impl<C: Curve> Builder<C> {
    pub(crate) const fn from_schedule(schedule: Schedule<C>) -> Self {
        Self { floor: schedule.limits.floor, schedule, refused: None }
    }

    /// No delay is longer than `max`, jitter included.
    pub const fn cap(mut self, max: Duration) -> Self {
        self.schedule = self.schedule.cap(max);
        self
    }

    /// Ends before the delay with which all delays together would pass `total`.
    pub const fn within(mut self, total: Duration) -> Self {
        self.schedule = self.schedule.within(total);
        self
    }

    /// Every session draws the same jitter.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.schedule = self.schedule.seed(seed);
        self
    }

    /// The schedule.
    ///
    /// # Errors
    ///
    /// A factor that is not a number from 1 to 255, or a floor above the cap or above the total of `within`.
    pub const fn build(mut self) -> Result<Schedule<C>, Invalid> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let cap = self.schedule.limits.cap;
        if self.floor.0 > cap.0 {
            return Err(Invalid::above("floor", self.floor.duration(), "cap", cap.duration()));
        }
        let within = self.schedule.limits.within;
        if self.floor.0 > within.0 {
            return Err(Invalid::above("floor", self.floor.duration(), "total of `within`", within.duration()));
        }
        self.schedule.limits.floor = self.floor;
        Ok(self.schedule)
    }
}
