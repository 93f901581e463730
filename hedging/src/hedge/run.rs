//! The combinator.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use evenkeel_budget::Verdict;
use pin_project_lite::pin_project;

use super::{
    Hedge,
    launch::{Failed, Launch, Sent},
    policy::{Policy, PolicyFor},
    race::Race,
};

impl<D, W, C, B, O> Hedge<D, W, C, B, O> {
    /// Runs `operation` once, and again while it is late or has failed, and answers with the result that wins. `operation` is
    /// given the attempt's number, from 0, so that it may ask another replica, model or provider each time; it is not called
    /// before the first poll.
    ///
    /// The future borrows the policy. When it answers, all attempts have ended or are dropped.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered. A panic of the operation or the classifier goes through it; the budget is
    /// left as by a drop.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempts in flight. A further attempt that was paid for and not yet sent is given back to the
    /// budget, and a [`Quantile`](crate::Quantile) learns that the first one took at least so long.
    ///
    /// # Examples
    ///
    /// ```
    /// use evenkeel_hedging::{Hedge, Quantile, TokenBudget};
    /// use std::time::Duration;
    ///
    /// let hedge = Hedge::new(Quantile::p95(), tokio::time::sleep).budget(TokenBudget::default());
    /// let replicas = ["10.0.0.1", "10.0.0.2"];
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let answer = hedge
    ///     .run(|attempt| async move {
    ///         let replica = replicas[attempt as usize % replicas.len()];
    ///         if replica == "10.0.0.1" { Err("connection refused") } else { Ok(replica) }
    ///     })
    ///     .await;
    /// assert_eq!(answer, Ok("10.0.0.2"));
    /// # });
    /// ```
    pub fn run<F, Fut, R, E>(&self, operation: F) -> Run<&Self, F, Fut>
    where
        Self: PolicyFor<R, E>,
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<R, E>>,
    {
        Run::new(self, operation)
    }
}

pin_project! {
    /// The future of [`Hedge::run`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<P: Policy, F: FnMut(u32) -> Fut, Fut: Future> {
        #[pin]
        race: Race<P, Operation<F, Fut>>,
    }
}

/// Calls the closure for each attempt.
struct Operation<F, Fut> {
    call: F,
    calls: u32,
    attempts: PhantomData<fn() -> Fut>,
}

impl<P: Policy, F: FnMut(u32) -> Fut, Fut: Future> Run<P, F, Fut> {
    #[inline]
    pub(super) const fn new(policy: P, operation: F) -> Self {
        Self { race: Race::new(policy, Operation { call: operation, calls: 0, attempts: PhantomData }) }
    }
}

impl<F: FnMut(u32) -> Fut, Fut: Future> Launch for Operation<F, Fut> {
    type Future = Fut;

    fn may_hedge(&self) -> bool {
        true
    }

    fn may_repeat(&self, _: Verdict) -> bool {
        true
    }

    fn poll_launch(&mut self, _: &mut Context<'_>, _: bool) -> Poll<Option<Result<Sent<Fut>, Failed<Fut::Output>>>> {
        Poll::Ready(Some(Ok(Sent { future: self.send(), alternate: 0 })))
    }

    fn give_up(&mut self) {}
}

impl<F: FnMut(u32) -> Fut, Fut> Operation<F, Fut> {
    #[inline]
    fn send(&mut self) -> Fut {
        let future = (self.call)(self.calls);
        // After the call: one that panicked was not sent, and its number is the next one's.
        self.calls = self.calls.saturating_add(1);
        future
    }
}

impl<P, F, Fut, R, E> Future for Run<P, F, Fut>
where
    P: PolicyFor<R, E>,
    F: FnMut(u32) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut race = self.project().race;
        race.as_mut().begin_with(Operation::send);
        race.poll(cx).map(|(_, result)| result)
    }
}

impl<P: Policy, F: FnMut(u32) -> Fut, Fut: Future> fmt::Debug for Run<P, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("state", &self.race.state()).finish_non_exhaustive()
    }
}
