//! What a call's result says about the service that was called.

use std::time::Duration;

/// How a call ended, for the breaker's counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The service did its part. An answer that says that the *request* was wrong (a 400, a 404) is one as well.
    Success,
    /// The service did not do its part: an error of its own, no answer, an overload.
    Failure,
    /// It says nothing about the service, and counts for nothing: a call that the caller took back.
    Ignored,
}

/// An [`Outcome`], and how long the service asked to be left alone, if it did.
///
/// ```
/// use evenkeel_breaker::{Outcome, Verdict};
/// use std::time::Duration;
///
/// let throttled = Verdict::failure().not_before(Duration::from_secs(20)); // a 503 with `Retry-After: 20`
/// assert_eq!((throttled.outcome(), throttled.hint()), (Outcome::Failure, Some(Duration::from_secs(20))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    outcome: Outcome,
    hint: Option<Duration>,
}

impl Verdict {
    /// The service did its part.
    #[must_use]
    pub const fn success() -> Self {
        Self { outcome: Outcome::Success, hint: None }
    }

    /// The service did not do its part.
    #[must_use]
    pub const fn failure() -> Self {
        Self { outcome: Outcome::Failure, hint: None }
    }

    /// It says nothing about the service.
    #[must_use]
    pub const fn ignored() -> Self {
        Self { outcome: Outcome::Ignored, hint: None }
    }

    /// The service asked not to be called for so long (`Retry-After`). If the breaker opens, it stays open for at least this
    /// time, up to its [`max_hint`](crate::BreakerBuilder::max_hint); to a success, or what is ignored, it means nothing.
    #[must_use]
    pub const fn not_before(mut self, delay: Duration) -> Self {
        self.hint = Some(delay);
        self
    }

    /// How the call ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// How long the service asked to be left alone.
    #[must_use]
    pub const fn hint(&self) -> Option<Duration> {
        self.hint
    }
}

/// Without a hint.
impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, hint: None }
    }
}
