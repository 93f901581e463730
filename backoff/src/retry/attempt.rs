//! One attempt in flight, and the timer beside it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_budget::{Account, Budget, Verdict};
use pin_project_lite::pin_project;

use super::{
    pause::Pause,
    policy::{Policy, PolicyFor},
    session::{Judged, Next, Session},
};

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

/// What an attempt comes to.
pub(crate) enum Settled<R, E, D> {
    /// The answer of the request.
    Answer(Result<R, E>),
    /// The wait before the next attempt.
    Pause(Pause<D>),
}

impl<R, E> Ended<R, E> {
    /// Decides what follows. Where it is another attempt, the result is dropped before the sleeper is called.
    #[inline]
    pub(crate) fn settle<P, I, A>(
        self,
        policy: &P,
        session: &mut Session<I, A>,
        verdict: Verdict,
        repeatable: bool,
        delays: impl FnOnce(&P) -> I,
    ) -> Settled<R, E, P::Sleep>
    where
        P: Policy,
        P::Budget: Budget<Account = A>,
        I: Iterator<Item = Duration>,
        A: Account,
    {
        match session.after(policy, Judged { verdict, timed_out: self.timed_out, repeatable }, delays) {
            Next::Stop(_) => Settled::Answer(self.result),
            Next::Again(delay) => {
                drop(self);
                Settled::Pause(Pause::new(delay, |delay| policy.sleep(delay)))
            }
        }
    }
}

impl<Fut, T: Default> Attempt<Fut, T> {
    #[inline(always)]
    pub(crate) fn new(future: Fut) -> Self {
        Self { future, timer: T::default() }
    }
}

impl<Fut, T> Attempt<Fut, T> {
    #[inline]
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
