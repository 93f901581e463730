//! Whose result is the answer when every attempt has failed.

use evenkeel_budget::Outcome;

use crate::Attempt;

/// Whose result is the answer when every attempt has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AllFailed {
    /// The best one's, and of equally good ones the latest: a service that throttles is better off than one that fails, and
    /// says when to come back. The default.
    #[default]
    Best,
    /// That of the last one to fail.
    Last,
    /// That of the first attempt.
    First,
}

/// The result that is the answer unless a better one comes.
pub(super) struct Kept<R> {
    pub(super) attempt: Attempt,
    pub(super) outcome: Outcome,
    pub(super) result: R,
}

impl AllFailed {
    /// Which of the two to keep; `new` has failed later.
    pub(super) fn keep<R>(self, old: Option<Kept<R>>, new: Kept<R>) -> Kept<R> {
        let Some(old) = old else { return new };
        let old_is_it = match self {
            Self::Best => rank(old.outcome) > rank(new.outcome),
            Self::Last => false,
            // The first to be sent may be the last to fail.
            Self::First => old.attempt.number < new.attempt.number,
        };
        if old_is_it { old } else { new }
    }
}

/// The better, the higher.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Transient => 0,
        Outcome::Throttled => 1,
        // Those are answers, and never kept.
        Outcome::Permanent | Outcome::Success => 2,
    }
}
