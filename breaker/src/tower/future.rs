//! The response of a service behind a breaker.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{Breaker, Call, Classify, ErrIsFailure, Error, Handle, Permit, Rejected};

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
    pub struct BreakerFuture<F, K = ErrIsFailure, H: Handle = Breaker> {
        #[pin]
        call: Call<F, K, H>,
    }
}

impl<F, K, H: Handle> BreakerFuture<F, K, H> {
    #[inline(always)]
    pub(super) const fn admitted(permit: Permit<H>, future: F, classify: K) -> Self {
        Self { call: Call::admitted(permit, future, classify) }
    }

    pub(super) const fn rejected(rejected: Rejected, classify: K) -> Self {
        Self { call: Call::rejected(rejected, classify) }
    }
}

impl<F, K, H, T, E> Future for BreakerFuture<F, K, H>
where
    F: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    H: Handle,
{
    type Output = Result<T, Error<E>>;

    #[inline(always)] // As part of the future around it, if there is one.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll_asked(cx)
    }
}

impl<F, K, H: Handle> fmt::Debug for BreakerFuture<F, K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture").field("call", &self.call).finish()
    }
}
