//! Judging a result: the function that the combinator and the layer ask.

use crate::Verdict;

/// Judges a call's result. Any `Fn(&R) -> Verdict` does.
///
/// With the classifier of `evenkeel-backoff` it is one line: see the chapter on breakers in the book.
pub trait Classify<R> {
    /// What `result` says about the service.
    fn classify(&self, result: &R) -> Verdict;
}

impl<R, F: Fn(&R) -> Verdict> Classify<R> for F {
    fn classify(&self, result: &R) -> Verdict {
        self(result)
    }
}

/// The default: `Ok` is a success, every `Err` a failure.
///
/// Right for clients whose errors are the transport's; not for one that answers a 503 with `Ok`, nor where an error can
/// be the caller's own fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrIsFailure;

impl<T, E> Classify<Result<T, E>> for ErrIsFailure {
    fn classify(&self, result: &Result<T, E>) -> Verdict {
        match result {
            Ok(_) => Verdict::success(),
            Err(_) => Verdict::failure(),
        }
    }
}
