//! The response of a service behind a breaker.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use pin_project_lite::pin_project;

use crate::{Breaker, BreakerObserver, Call, Classify, ErrIsFailure, Error, Permit, Rejected};

pin_project! {
    /// The response of a [`BreakerService`](super::BreakerService), [`HoldService`](super::HoldService) or
    /// [`BreakerMapService`](super::BreakerMapService): that of the service under it, or the rejection.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] when the service was not called, [`Error::Inner`] with its own error.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered. A panic of the response or the classifier goes through it; the call has
    /// failed.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the response that it waits for, and the call is abandoned: see [`Permit`].
    #[must_use = "futures do nothing unless polled"]
    pub struct BreakerFuture<F, K = ErrIsFailure, C: Fn() -> Instant = fn() -> Instant, O: BreakerObserver = ()> {
        #[pin]
        call: Call<F, K, C, O>,
    }
}

impl<F, K, C: Fn() -> Instant, O: BreakerObserver> BreakerFuture<F, K, C, O> {
    #[inline(always)]
    pub(super) const fn admitted(permit: Permit<Breaker<C, O>>, future: F, classify: K) -> Self {
        Self { call: Call::admitted(permit, future, classify) }
    }

    pub(super) const fn rejected(rejected: Rejected, classify: K) -> Self {
        Self { call: Call::rejected(rejected, classify) }
    }
}

impl<F, K, C, O, T, E> Future for BreakerFuture<F, K, C, O>
where
    F: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    type Output = Result<T, Error<E>>;

    #[inline(always)] // As part of the future around it, if there is one.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll(cx)
    }
}

impl<F, K, C: Fn() -> Instant, O: BreakerObserver> fmt::Debug for BreakerFuture<F, K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture").field("call", &self.call).finish()
    }
}
