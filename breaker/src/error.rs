//! How a call through a breaker fails: rejected here, or as it does without one.

use std::{
    error, fmt,
    time::{Duration, Instant},
};

use crate::State;

/// The refusal of a breaker: the call was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    state: State,
    at: Instant,
    /// In nanoseconds; the most is never.
    wait: u64,
}

impl Rejected {
    pub(crate) const fn new(state: State, at: Instant, wait: u64) -> Self {
        Self { state, at, wait }
    }

    /// The state that the breaker was in: `Open`, `ForcedOpen`, `HalfOpen` with all of its probes out, or `Closed` while it
    /// is ramping.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// When to come back: the first moment at which time alone lets a call through. A probe that answers before can make it
    /// sooner. In a ramp, where it is a matter of how many others come, an estimate. `None` when it is forced open.
    #[must_use]
    pub fn ready_at(&self) -> Option<Instant> {
        self.at.checked_add(self.retry_after()?)
    }

    /// In how long to come back, counted from the rejection: [`ready_at`](Self::ready_at), less the time of asking.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        (self.wait != u64::MAX).then(|| Duration::from_nanos(self.wait))
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not called: the circuit breaker is {}", self.state)?;
        match self.retry_after() {
            Some(wait) => write!(f, " (come back in {wait:.1?})"),
            None => Ok(()),
        }
    }
}

impl error::Error for Rejected {}

/// What a call through a breaker fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// It was not made.
    Open(Rejected),
    /// It was made, and failed with this error.
    Inner(E),
}

impl<E> Error<E> {
    /// Whether the call was not made.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// The rejection, if the call was not made.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Open(rejected) => Some(rejected),
            Self::Inner(_) => None,
        }
    }

    /// The error of the call itself, if it was made.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Open(_) => None,
            Self::Inner(error) => Some(error),
        }
    }
}

impl<E: Into<Box<dyn error::Error + Send + Sync>>> Error<E> {
    /// The [`Rejected`], or the error of the call, as one boxed error; either can be found again by `downcast_ref`.
    ///
    /// For what is boxed already, as tower's timeouts and buffers have it: such a box is no `Error` itself, and so this one
    /// around it is none. In a stack: `.map_err(Error::boxed)` over the breaker.
    ///
    /// ```
    /// use evenkeel_breaker::Error;
    ///
    /// type BoxError = Box<dyn std::error::Error + Send + Sync>;
    /// let failed: Error<BoxError> = Error::Inner("down".into());
    /// assert_eq!(failed.boxed().to_string(), "down");
    /// ```
    #[must_use]
    pub fn boxed(self) -> Box<dyn error::Error + Send + Sync> {
        match self {
            Self::Open(rejected) => Box::new(rejected),
            Self::Inner(error) => error.into(),
        }
    }
}

impl<E> From<Rejected> for Error<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Open(rejected)
    }
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(rejected) => rejected.fmt(f),
            Self::Inner(_) => f.write_str("the call through the circuit breaker failed"),
        }
    }
}

impl<E: error::Error + 'static> error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // It is shown above already.
            Self::Open(_) => None,
            Self::Inner(error) => Some(error),
        }
    }
}
