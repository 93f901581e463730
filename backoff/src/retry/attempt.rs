//! One attempt in flight, and the timer beside it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;

use super::policy::PolicyFor;

pin_project! {
    /// The attempt, which wins when it is ready in the same poll as its timer.
    #[derive(Debug)]
    pub(crate) struct Attempt<Fut, T> {
        #[pin]
        future: Fut,
        #[pin]
        timer: T,
    }
}

/// How an attempt ended.
pub(crate) struct Ended<R, E> {
    pub(crate) result: Result<R, E>,
    pub(crate) timed_out: bool,
}

impl<Fut, T: Default> Attempt<Fut, T> {
    pub(crate) fn new(future: Fut) -> Self {
        Self::with_timer(future, T::default())
    }

    pub(crate) fn with_timer(future: Fut, timer: T) -> Self {
        Self { future, timer }
    }
}

impl<Fut, T> Attempt<Fut, T> {
    pub(crate) fn poll<P, R, E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        policy: &P,
        left: impl FnOnce() -> Option<Duration>,
    ) -> Poll<Ended<R, E>>
    where
        P: PolicyFor<R, E, Timer = T>,
        Fut: Future<Output = Result<R, E>>,
    {
        let this = self.project();
        match this.future.poll(cx) {
            Poll::Ready(result) => Poll::Ready(Ended { result, timed_out: false }),
            Poll::Pending => {
                policy.poll_expired(this.timer, cx, left).map(|error| Ended { result: Err(error), timed_out: true })
            }
        }
    }
}
