//! The response of a throttled service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{AdaptiveThrottle, Admission, Call, Classify, ErrIsTransient, Rejected, ThrottleError, ThrottleHandle};

pin_project! {
    /// The response of a [`ThrottleService`](super::ThrottleService): that of the service under it, or the rejection.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the call that it waits for, and the request counts as one that was not accepted: see [`Admission`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ThrottleFuture<F, K = ErrIsTransient, T: ThrottleHandle = AdaptiveThrottle> {
        #[pin]
        call: Call<F, K, T>,
    }
}

impl<F, K, T: ThrottleHandle> ThrottleFuture<F, K, T> {
    #[inline]
    pub(super) fn new(asked: Result<(F, Admission<T>), Rejected>, classify: K) -> Self {
        Self { call: Call::asked(asked, classify) }
    }
}

impl<F, K, T, R, E> Future for ThrottleFuture<F, K, T>
where
    F: Future<Output = Result<R, E>>,
    K: Classify<Result<R, E>>,
    T: ThrottleHandle,
{
    type Output = Result<R, ThrottleError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll(cx)
    }
}

impl<F, K, T: ThrottleHandle> fmt::Debug for ThrottleFuture<F, K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleFuture").field("call", &self.call).finish()
    }
}
