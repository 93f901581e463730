//! A schedule: a curve, and what holds it within bounds.

use core::{fmt, time::Duration};

mod any;
mod builder;
pub mod curve;
mod delays;
mod jitter;
mod nanos;
mod random;

pub use any::{AnyDelays, AnySchedule};
pub use builder::Builder;
pub use delays::Delays;
pub use jitter::{Jitter, Ratio};

use curve::{Curve, Jittered};
use nanos::Nanos;
use random::Random;

/// The same delay each time: `B, B, B, …`
pub type Constant = Schedule<curve::Constant>;

/// One step longer each time: `B, B + step, B + 2·step, …`
pub type Linear = Schedule<curve::Linear>;

/// A factor longer each time, by default twice: `B, 2B, 4B, 8B, …`
pub type Exponential = Schedule<curve::Exponential>;

/// The sum of the two before: `B, B, 2B, 3B, 5B, …`
pub type Fibonacci = Schedule<curve::Fibonacci>;

/// Drawn between `B` and three times the delay before or the cap, whichever is less. Its spread is its own, so it takes no
/// jitter.
///
/// Source: the AWS Architecture Blog, *Exponential Backoff And Jitter*, 2015; there, what is drawn above the cap is cut to
/// it, and the spread ends when the cap is reached.
pub type Decorrelated = Schedule<curve::Decorrelated>;

/// Delays, as a value, without end unless it is given one: each iteration is a new session of the same schedule.
///
/// Make one by the name of its shape: [`Constant::new`], [`Linear::new`], [`Exponential::new`], [`Fibonacci::new`],
/// [`Decorrelated::new`]. Every one takes any `Duration` and no input panics; delays saturate at 584 years.
///
/// Unless it is given a [`seed`](Self::seed), two sessions draw different jitter, also when they are clones of one
/// iterator that has not begun.
///
/// ```
/// use evenkeel_backoff::{Exponential, Jitter};
/// use std::time::Duration;
///
/// const SCHEDULE: Exponential = Exponential::new(Duration::from_millis(100)).cap(Duration::from_secs(1));
///
/// let exact = SCHEDULE.jitter(Jitter::None);
/// assert_eq!(exact.take(6).into_iter().map(|delay| delay.as_millis()).collect::<Vec<_>>(), [100, 200, 400, 800, 1000, 1000]);
///
/// let [first, second] = [SCHEDULE, SCHEDULE].map(|session| session.take(6).into_iter().collect::<Vec<_>>());
/// assert_ne!(first, second, "two sessions spread");
/// assert!(first.iter().all(|delay| delay.as_millis() <= 1000), "and jitter is drawn under the cap");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Schedule<C> {
    pub(crate) curve: C,
    pub(crate) limits: Limits,
}

/// What holds for every curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) cap: Nanos,
    pub(crate) floor: Nanos,
    /// What may still be waited in all; [`Nanos::MAX`] says that there is no limit.
    pub(crate) within: Nanos,
    pub(crate) random: Random,
    pub(crate) jitter: Jitter,
    /// How many delays are left; [`ENDLESS`] says that there is no limit, and zero that it has ended.
    pub(crate) left: u32,
}

/// No limit on the number of delays.
pub(crate) const ENDLESS: u32 = u32::MAX;

impl Limits {
    pub(crate) const fn none(jitter: Jitter) -> Self {
        Self {
            cap: Nanos::MAX,
            floor: Nanos::ZERO,
            within: Nanos::MAX,
            random: Random::unseeded(),
            jitter,
            left: ENDLESS,
        }
    }
}

impl<C> Schedule<C> {
    const fn of(curve: C, jitter: Jitter) -> Self {
        Self { curve, limits: Limits::none(jitter) }
    }
}

impl Constant {
    /// `delay` each time, with [full jitter](Jitter::Full) unless another is chosen.
    #[must_use]
    pub const fn new(delay: Duration) -> Self {
        Self::of(curve::Constant { delay: Nanos::from(delay) }, Jitter::Full)
    }
}

impl Linear {
    /// `first`, and `step` more each time, with [full jitter](Jitter::Full) unless another is chosen.
    #[must_use]
    pub const fn new(first: Duration, step: Duration) -> Self {
        Self::of(curve::Linear { next: Nanos::from(first), step: Nanos::from(step) }, Jitter::Full)
    }
}

impl Exponential {
    /// `first`, and twice the one before each time, with [full jitter](Jitter::Full) unless another is chosen. For
    /// another factor there is the [`builder`](Self::builder).
    #[must_use]
    pub const fn new(first: Duration) -> Self {
        let next = Nanos::from(first);
        Self::of(curve::Exponential { next, fraction: 0, factor: 2 * curve::Exponential::ONE }, Jitter::Full)
    }
}

impl Fibonacci {
    /// `first` twice, and then the sum of the two before, with [full jitter](Jitter::Full) unless another is chosen.
    #[must_use]
    pub const fn new(first: Duration) -> Self {
        let first = Nanos::from(first);
        Self::of(curve::Fibonacci { next: first, after: first }, Jitter::Full)
    }
}

impl Decorrelated {
    /// Between `first` and three times the one before. It grows without bound: give it a [`cap`](Self::cap).
    #[must_use]
    pub const fn new(first: Duration) -> Self {
        let first = Nanos::from(first);
        Self::of(curve::Decorrelated { first, previous: first }, Jitter::None)
    }
}

impl<C: Jittered> Schedule<C> {
    /// How each delay is spread.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.limits.jitter = jitter;
        self
    }
}

impl<C: Curve> Schedule<C> {
    /// No delay is longer than `max`, jitter included. Where the builder gave the schedule a floor above `max`, the floor
    /// comes down to it.
    #[must_use]
    pub const fn cap(mut self, max: Duration) -> Self {
        self.limits.cap = Nanos::from(max);
        if self.limits.floor.0 > self.limits.cap.0 {
            self.limits.floor = self.limits.cap;
        }
        self
    }

    /// Ends before the delay with which all delays together would pass `total`. A `total` of 584 years or more is no
    /// limit.
    #[must_use]
    pub const fn within(mut self, total: Duration) -> Self {
        self.limits.within = Nanos::from(total);
        self
    }

    /// Every session draws the same jitter, for a test or a replay. Give each client of a fleet its own seed.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.limits.random = Random::seeded(seed);
        self
    }

    /// Ends after the first `n` delays: a schedule for `n` retries. As [`Iterator::take`], but it is a schedule still, a
    /// `Copy` value. An `n` of 2³² − 1 or more is no limit.
    #[must_use]
    pub const fn take(mut self, n: usize) -> Self {
        if n < self.limits.left as usize {
            self.limits.left = n as u32; // below a `u32`
        }
        self
    }

    /// The same settings as a [`Builder`], for those that have to be checked.
    pub const fn to_builder(self) -> Builder<C> {
        Builder::from_schedule(self)
    }
}

impl<C: Curve> IntoIterator for Schedule<C> {
    type Item = Duration;
    type IntoIter = Delays<C>;

    /// Begins a session.
    #[inline]
    fn into_iter(self) -> Delays<C> {
        Delays::new(self)
    }
}

impl<C: fmt::Debug> fmt::Debug for Schedule<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limits { cap, floor, within, jitter, random, left } = self.limits;
        let mut schedule = f.debug_struct("Schedule");
        let left = (left < ENDLESS).then_some(left);
        schedule.field("curve", &self.curve).field("jitter", &jitter).field("cap", &cap.limit());
        schedule.field("floor", &floor);
        schedule
            .field("within", &within.limit())
            .field("left", &left)
            .field("seeded", &(random != Random::unseeded()))
            .finish()
    }
}
