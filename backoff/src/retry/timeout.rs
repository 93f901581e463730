//! The limit on one attempt: absent, and then free, or a timer with the error that it stands for.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// No limit on an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoTimeout;

/// A limit on each attempt, and the error for one that passes it.
#[derive(Clone, Copy)]
pub struct AttemptTimeout<M> {
    limit: Option<Duration>,
    make_error: M,
}

impl<M> AttemptTimeout<M> {
    pub(crate) fn new(limit: Option<Duration>, make_error: M) -> Self {
        Self { limit, make_error }
    }
}

impl<M> fmt::Debug for AttemptTimeout<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptTimeout").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Either of the two above, as a policy asks them.
// That it cannot be named is the seal.
#[allow(unnameable_types)]
pub trait Timeout {
    /// The place of the timer beside the attempt; nothing where there is none.
    type Timer<D>: Default;
}

/// A [`Timeout`] that can end an attempt whose error is `E`.
#[allow(unnameable_types)]
pub trait TimeoutError<E>: Timeout {
    /// Ready when the time is up. Called when the attempt has been found pending: the first call arms the timer, with
    /// `arm` and the limit.
    fn poll_expired<D: Future>(
        &self,
        timer: Pin<&mut Self::Timer<D>>,
        cx: &mut Context<'_>,
        arm: impl FnOnce(Duration) -> D,
    ) -> Poll<E>;

    /// The error of an attempt for which there is no time left; none where there is no limit, and so no error to make.
    fn late(&self) -> Option<E>;
}

impl Timeout for NoTimeout {
    type Timer<D> = ();
}

impl<E> TimeoutError<E> for NoTimeout {
    fn poll_expired<D: Future>(&self, _: Pin<&mut ()>, _: &mut Context<'_>, _: impl FnOnce(Duration) -> D) -> Poll<E> {
        Poll::Pending
    }

    fn late(&self) -> Option<E> {
        None
    }
}

impl<M> Timeout for AttemptTimeout<M> {
    type Timer<D> = Option<D>;
}

impl<M: Fn() -> E, E> TimeoutError<E> for AttemptTimeout<M> {
    fn poll_expired<D: Future>(
        &self,
        mut timer: Pin<&mut Option<D>>,
        cx: &mut Context<'_>,
        arm: impl FnOnce(Duration) -> D,
    ) -> Poll<E> {
        let Some(limit) = self.limit else { return Poll::Pending };
        if timer.is_none() {
            timer.set(Some(arm(limit)));
        }
        match timer.as_pin_mut().map(|timer| timer.poll(cx)) {
            Some(Poll::Ready(_)) => Poll::Ready((self.make_error)()),
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }

    fn late(&self) -> Option<E> {
        self.limit.map(|_| (self.make_error)())
    }
}
