//! The response of a throttled service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use pin_project_lite::pin_project;

use crate::{Admission, Call, Classify, ErrIsTransient, Rejected, ThrottleError, ThrottleObserver};

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
    pub struct ThrottleFuture<F, K = ErrIsTransient, C = fn() -> Instant, O: ThrottleObserver = ()> {
        #[pin]
        call: Call<F, K, C, O>,
    }
}

impl<F, K, C, O: ThrottleObserver> ThrottleFuture<F, K, C, O> {
    pub(super) fn new(asked: Result<(F, Admission<C, O>), Rejected>, classify: K) -> Self {
        Self { call: Call::asked(asked, classify) }
    }
}

impl<F, K, C, O, T, E> Future for ThrottleFuture<F, K, C, O>
where
    F: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    C: Fn() -> Instant,
    O: ThrottleObserver,
{
    type Output = Result<T, ThrottleError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().call.poll(cx)
    }
}

impl<F, K, C, O: ThrottleObserver> fmt::Debug for ThrottleFuture<F, K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleFuture").field("call", &self.call).finish()
    }
}
