//! How an attempt is sent: by a closure, by a clone of a service, by one of several services.

use std::{
    future::Future,
    task::{Context, Poll},
};

use evenkeel_budget::Verdict;

/// Sends attempts.
pub(crate) trait Launch {
    /// An attempt in flight.
    type Future: Future;

    /// Whether there is another attempt to send while none has failed.
    fn may_hedge(&self) -> bool;

    /// Whether there is another attempt to send after a failure with this verdict.
    fn may_repeat(&self, verdict: Verdict) -> bool;

    /// Sends the next attempt, or the first, and says to which alternate. `more`: another can follow it. None if there is
    /// nobody to send it to after all.
    ///
    /// # Errors
    ///
    /// The output of an attempt that could not be sent.
    #[allow(clippy::type_complexity)] // an attempt, or what it came to, or nothing
    fn poll_launch(
        &mut self,
        cx: &mut Context<'_>,
        more: bool,
    ) -> Poll<Option<Result<Sent<Self::Future>, Failed<<Self::Future as Future>::Output>>>>;

    /// The attempt that was being sent is not: what was reserved for it, such as a place in a queue, is given back.
    fn give_up(&mut self);
}

/// An attempt that was sent, and to which alternate.
pub(crate) struct Sent<F> {
    pub(crate) future: F,
    pub(crate) alternate: usize,
}

/// An attempt that could not be sent, and to which alternate it was to go.
pub(crate) struct Failed<R> {
    pub(crate) output: R,
    pub(crate) alternate: usize,
}
