//! The wait between two attempts.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;

pin_project! {
    /// A sleep; or, for no delay at all, one turn for the others: no timer, which would cost a tick, and no loop that
    /// keeps the executor to itself.
    #[project = Projected]
    #[derive(Debug)]
    pub(crate) enum Pause<D> {
        Yield { yielded: bool },
        Sleep { #[pin] sleep: D },
    }
}

impl<D> Pause<D> {
    pub(crate) fn new(delay: Duration, sleep: impl FnOnce(Duration) -> D) -> Self {
        if delay.is_zero() { Self::Yield { yielded: false } } else { Self::Sleep { sleep: sleep(delay) } }
    }
}

impl<D: Future> Future for Pause<D> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            Projected::Yield { yielded: true } => Poll::Ready(()),
            Projected::Yield { yielded } => {
                *yielded = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Projected::Sleep { sleep } => sleep.poll(cx).map(drop),
        }
    }
}
