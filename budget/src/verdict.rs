//! What an attempt's result says: the words that a classifier answers with.

use std::time::Duration;

/// What one attempt's result says about the service that was called.
///
/// It is the answer to "should it be sent again?" and to "is the service well?" in one word, so that a retry, a hedge
/// and a budget cannot disagree about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The service did what it was asked to.
    Success,
    /// It did not, and may if it is asked again: a 503, a reset connection, a timeout.
    Transient,
    /// It refused because it was asked too often, and did not begin the work: a 429.
    Throttled,
    /// It will not, however often it is asked: a 400.
    Permanent,
}

/// What the server asked for, beside its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Not before this long from now. A floor: the schedule's own jittered delay goes on top, so that all who were told
    /// the same time do not come back in the same moment.
    NotBefore(Duration),
    /// Exactly this long from now, without the schedule's delay.
    Exactly(Duration),
    /// Never again: no further attempt, whatever the outcome.
    Never,
}

/// An [`Outcome`], and what the server asked for with it.
///
/// ```
/// use evenkeel_budget::{Hint, Outcome, Verdict};
/// use std::time::Duration;
///
/// let verdict = Verdict::throttled().not_before(Duration::from_secs(2));
/// assert_eq!(verdict.outcome(), Outcome::Throttled);
/// assert_eq!(verdict.hint(), Some(Hint::NotBefore(Duration::from_secs(2))));
/// assert!(verdict.is_unprocessed(), "a throttled request was refused at the door");
/// assert!(!Verdict::transient().is_unprocessed(), "a failure in the middle may have done half of the work");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    outcome: Outcome,
    hint: Option<Hint>,
    unprocessed: bool,
}

impl Verdict {
    /// The outcome alone, without a hint.
    #[must_use]
    pub const fn new(outcome: Outcome) -> Self {
        Self { outcome, hint: None, unprocessed: matches!(outcome, Outcome::Throttled) }
    }

    /// The service did what it was asked to.
    #[must_use]
    pub const fn success() -> Self {
        Self::new(Outcome::Success)
    }

    /// The same request may succeed when it is sent again.
    #[must_use]
    pub const fn transient() -> Self {
        Self::new(Outcome::Transient)
    }

    /// The service is asked too often.
    #[must_use]
    pub const fn throttled() -> Self {
        Self::new(Outcome::Throttled)
    }

    /// The same request will fail again.
    #[must_use]
    pub const fn permanent() -> Self {
        Self::new(Outcome::Permanent)
    }

    /// With [`Hint::NotBefore`]; replaces an earlier hint.
    #[must_use]
    pub const fn not_before(self, delay: Duration) -> Self {
        self.with_hint(Hint::NotBefore(delay))
    }

    /// With [`Hint::Exactly`]; replaces an earlier hint.
    #[must_use]
    pub const fn exactly(self, delay: Duration) -> Self {
        self.with_hint(Hint::Exactly(delay))
    }

    /// With [`Hint::Never`]; replaces an earlier hint.
    #[must_use]
    pub const fn never(self) -> Self {
        self.with_hint(Hint::Never)
    }

    /// With `hint`; replaces an earlier one.
    #[must_use]
    pub const fn with_hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Says that the service surely did not begin the work (the connection was refused, say) or itself allows a
    /// repetition, so that even a request which must not take effect twice may be sent again. A throttled
    /// verdict says so from the start; see [`maybe_processed`](Self::maybe_processed).
    #[must_use]
    pub const fn unprocessed(mut self) -> Self {
        self.unprocessed = true;
        self
    }

    /// Says that the service may have begun the work, so that a request which must not take effect twice is not sent again:
    /// of what is called throttled, but may come from further in than the door. The opposite of
    /// [`unprocessed`](Self::unprocessed); the later one counts.
    ///
    /// ```
    /// use evenkeel_budget::{Outcome, Verdict};
    ///
    /// // gRPC's `RESOURCE_EXHAUSTED` may be an answer that was too large to read.
    /// let exhausted = Verdict::throttled().maybe_processed();
    /// assert_eq!(exhausted.outcome(), Outcome::Throttled);
    /// assert!(!exhausted.is_unprocessed());
    /// assert!(exhausted.unprocessed().is_unprocessed());
    /// ```
    #[must_use]
    pub const fn maybe_processed(mut self) -> Self {
        self.unprocessed = false;
        self
    }

    /// What the result says about the service.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What the server asked for, if anything.
    #[must_use]
    pub const fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// Whether the service surely did not begin the work, or itself allows a repetition.
    #[must_use]
    pub const fn is_unprocessed(&self) -> bool {
        self.unprocessed
    }
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self::new(outcome)
    }
}
