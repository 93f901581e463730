//! The combinator for futures.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{
    Retry, Stop,
    attempt::{Attempt, Settled},
    pause::Pause,
    policy::{Policy, PolicyFor},
    session::{Of, Session},
};

impl<S, W, C, B, O, K, T> Retry<S, W, C, B, O, K, T> {
    /// Runs `operation` until it succeeds or the policy says that it is enough, and answers with the last result as it
    /// was. `operation` is given the attempt's number, from 0, and is not called before the first poll.
    ///
    /// The future borrows the policy. It holds one attempt at a time: the one before is dropped, with its result, before
    /// the wait begins.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered. A panic of the operation or the classifier goes through it; the budget is
    /// left as by a drop.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt or the sleep that it is in. A retry that was paid for and not yet sent is given back
    /// to the budget.
    ///
    /// # Examples
    ///
    /// ```
    /// use evenkeel_backoff::{Exponential, Retry, TokenBudget};
    /// use std::time::Duration;
    ///
    /// let schedule = Exponential::new(Duration::from_millis(50)).cap(Duration::from_secs(5)).take(4);
    /// let budget = TokenBudget::default();
    /// let retry = Retry::new(schedule, tokio::time::sleep)
    ///     .budget(budget.clone())
    ///     .deadline(Duration::from_secs(20))
    ///     .attempt_timeout(Duration::from_secs(8), || "too late");
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let answer = retry
    ///     .run(|attempt| async move {
    ///         if attempt == 0 {
    ///             std::future::pending::<()>().await; // never answers
    ///         }
    ///         Ok(attempt)
    ///     })
    ///     .await;
    /// assert_eq!(answer, Ok(1));
    /// assert_eq!(budget.balance(), budget.capacity(), "it helped, and is given back");
    /// # });
    /// ```
    #[inline(always)] // The future is made in place.
    pub fn run<F, Fut, R, E>(&self, operation: F) -> Run<'_, Self, F, Fut>
    where
        Self: PolicyFor<R, E>,
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<R, E>>,
    {
        Run::new(self, operation)
    }
}

pin_project! {
    /// The future of [`Retry::run`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<'a, P: Policy, F, Fut> {
        policy: &'a P,
        operation: F,
        // Begins with the first poll.
        session: Option<Of<P>>,
        #[pin]
        state: State<Fut, P::Timer, P::Sleep>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<Fut, T, D> {
        Sending,
        Attempting { #[pin] attempt: Attempt<Fut, T> },
        Pausing { #[pin] pause: Pause<D> },
        Answered,
    }
}

impl<'a, P: Policy, F, Fut> Run<'a, P, F, Fut> {
    #[inline(always)]
    pub(super) fn new(policy: &'a P, operation: F) -> Self {
        Self { policy, operation, session: None, state: State::Sending }
    }
}

impl<P, F, Fut, R, E> Future for Run<'_, P, F, Fut>
where
    P: PolicyFor<R, E>,
    F: FnMut(u32) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let policy = *this.policy;
        let session = this.session.get_or_insert_with(|| Session::begin(policy));
        loop {
            if let Projected::Pausing { pause } = this.state.as_mut().project() {
                ready!(pause.poll(cx));
                this.state.set(State::Sending);
            }
            if let Projected::Sending = this.state.as_mut().project() {
                if let Some(error) = session.is_late(policy).then(|| policy.late()).flatten() {
                    this.state.set(State::Answered);
                    session.stop(policy.observer(), Stop::Deadline);
                    return Poll::Ready(Err(error));
                }
                let future = (this.operation)(session.send(policy));
                this.state.set(State::Attempting { attempt: Attempt::new(future) });
            }
            let Projected::Attempting { attempt } = this.state.as_mut().project() else {
                panic!("`Run` polled after it has answered");
            };
            let ended = ready!(attempt.poll(cx, policy, || session.left(policy)));
            let verdict = policy.classify(&ended.result);
            // The attempt is gone before the wait begins, and so, when it is settled, is its response.
            this.state.set(State::Answered);
            match ended.settle(policy, session, verdict, true, P::delays) {
                Settled::Answer(result) => return Poll::Ready(result),
                Settled::Pause(pause) => this.state.set(State::Pausing { pause }),
            }
        }
    }
}

impl<P: Policy, F, Fut> fmt::Debug for Run<'_, P, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Sending => "sending",
            State::Attempting { .. } => "attempting",
            State::Pausing { .. } => "pausing",
            State::Answered => "answered",
        };
        f.debug_struct("Run").field("state", &state).finish_non_exhaustive()
    }
}
