//! What it means when nobody says how a call ended.

use std::time::Duration;

use crate::Verdict;

/// What a permit that is dropped counts for: its caller was cancelled, gave up, or forgot. Its slot is free in any case.
///
/// A permit that is dropped by a panic is a failure whatever this says, and one that was [released](crate::Permit::release)
/// is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Abandoned {
    /// Nothing: who gives up says nothing about the service. The default.
    #[default]
    Ignored,
    /// A failure. Where an outer timeout drops the calls that hang, nothing else would ever open the breaker.
    Failure,
    /// A failure if it had lasted at least so long, else nothing: a timeout counts, a user who has left does not. The clock
    /// is read when a call begins.
    FailureAfter(Duration),
}

impl Abandoned {
    /// What a permit is taken for that is dropped after so many nanoseconds.
    pub(super) fn verdict(self, took: Option<u64>) -> Verdict {
        match self {
            Self::Ignored => Verdict::ignored(),
            Self::Failure => Verdict::failure(),
            Self::FailureAfter(least) => {
                let lasted = took.is_some_and(|took| Duration::from_nanos(took) >= least);
                if lasted { Verdict::failure() } else { Verdict::ignored() }
            }
        }
    }
}
