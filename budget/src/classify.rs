//! Judging a result: the function that retries and hedges ask.

use crate::Verdict;

/// Judges an attempt's result. Any `Fn(&R) -> Verdict` does.
pub trait Classify<R> {
    /// What `result` says.
    fn classify(&self, result: &R) -> Verdict;
}

impl<R, F: Fn(&R) -> Verdict> Classify<R> for F {
    fn classify(&self, result: &R) -> Verdict {
        self(result)
    }
}

/// The default: `Ok` is a success, every `Err` is transient.
///
/// Right for clients whose errors are the transport's; not for one that answers a 503 with `Ok`, nor where an error can
/// be the caller's own fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrIsTransient;

impl<T, E> Classify<Result<T, E>> for ErrIsTransient {
    fn classify(&self, result: &Result<T, E>) -> Verdict {
        match result {
            Ok(_) => Verdict::success(),
            Err(_) => Verdict::transient(),
        }
    }
}
