//! What happens to one request.

use std::{
    fmt,
    future::Future,
    iter::Peekable,
    pin::Pin,
    task::{Context, Poll, ready},
};

use evenkeel_budget::{Repeat, Replay};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::retry::{Attempt, Of, Pause, Policy, PolicyFor, Session, Settled, Stop};

pin_project! {
    /// The response of a [`RetryService`](super::RetryService): the last attempt's, as it was.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt or the sleep that it is in. A retry that was paid for and not yet sent is given back
    /// to the budget.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, P, R, Req>
    where
        S: Service<Req>,
        P: Policy,
    {
        policy: P,
        service: S,
        copies: Copies<Req, R>,
        session: Of<P, Peekable<P::Delays>>,
        #[pin]
        state: State<S::Future, P::Timer, P::Sleep>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<Fut, T, D> {
        Attempting { #[pin] attempt: Attempt<Fut, T> },
        Pausing { #[pin] pause: Pause<D> },
        Readying { #[pin] timer: T },
        Answered,
    }
}

/// How the request may be sent again, and the copy that is kept for that.
struct Copies<Req, R> {
    replay: R,
    repeat: Repeat,
    next: Option<Req>,
}

impl<S, P, R, Req> ResponseFuture<S, P, R, Req>
where
    S: Service<Req>,
    P: PolicyFor<S::Response, S::Error>,
    R: Replay<Req>,
{
    #[inline(always)] // It is made in place.
    pub(super) fn new(policy: P, replay: R, mut ready: S, request: Req) -> Self {
        let mut session = Session::begin(&policy);
        let mut copies = Copies { repeat: replay.repeat(&request), replay, next: None };
        copies.keep(&policy, &mut session, &request);
        session.send(&policy);
        let attempt = Attempt::new(ready.call(request));
        Self { policy, service: ready, copies, session, state: State::Attempting { attempt } }
    }
}

impl<Req, R: Replay<Req>> Copies<Req, R> {
    /// Keeps a copy of the request that is about to be sent, if another can follow it.
    #[inline(always)] // A part of what is made in place.
    fn keep<P: Policy>(&mut self, policy: &P, session: &mut Of<P, Peekable<P::Delays>>, request: &Req) {
        if self.repeat != Repeat::Never && session.may_follow_next(policy) {
            self.next = self.replay.copy(request);
        }
    }

    #[inline]
    fn may_repeat(&self, unprocessed: bool) -> bool {
        self.next.is_some()
            && match self.repeat {
                Repeat::Always => true,
                Repeat::IfUnprocessed => unprocessed,
                Repeat::Never => false,
            }
    }
}

impl<S, P, R, Req> Future for ResponseFuture<S, P, R, Req>
where
    S: Service<Req>,
    P: PolicyFor<S::Response, S::Error>,
    R: Replay<Req>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (policy, session) = (&*this.policy, this.session);
        loop {
            if let Projected::Pausing { pause } = this.state.as_mut().project() {
                ready!(pause.poll(cx));
                this.state.set(State::Readying { timer: P::Timer::default() });
            }
            if let Projected::Readying { timer } = this.state.as_mut().project() {
                let ready = match this.service.poll_ready(cx) {
                    Poll::Ready(Ok(())) => match session.is_late(policy).then(|| policy.late()).flatten() {
                        Some(error) => Err((error, Stop::Deadline)),
                        None => Ok(this.copies.next.take()),
                    },
                    Poll::Ready(Err(error)) => Err((error, Stop::NotReady)),
                    Poll::Pending => {
                        let error = ready!(policy.poll_expired(timer, cx, || session.left(policy)));
                        Err((error, Stop::NotReady))
                    }
                };
                let request = match ready {
                    Ok(request) => request,
                    Err((error, stop)) => {
                        this.state.set(State::Answered);
                        session.stop(policy.observer(), stop);
                        return Poll::Ready(Err(error));
                    }
                };
                // `may_repeat` saw it when this attempt was decided on, and nothing has taken it since.
                let request = request.expect("the copy is there");
                this.copies.keep(policy, session, &request);
                session.send(policy);
                let attempt = Attempt::new(this.service.call(request));
                this.state.set(State::Attempting { attempt });
            }
            let Projected::Attempting { attempt } = this.state.as_mut().project() else {
                panic!("`ResponseFuture` polled after it has answered");
            };
            let ended = ready!(attempt.poll(cx, policy, || session.left(policy)));
            let verdict = policy.classify(&ended.result);
            // The attempt is gone before the wait begins, and so, when it is settled, is its response.
            this.state.set(State::Answered);
            let repeatable = this.copies.may_repeat(verdict.is_unprocessed());
            match ended.settle(policy, session, verdict, repeatable, |policy| policy.delays().peekable()) {
                Settled::Answer(result) => return Poll::Ready(result),
                Settled::Pause(pause) => this.state.set(State::Pausing { pause }),
            }
        }
    }
}

impl<S, P, R, Req> fmt::Debug for ResponseFuture<S, P, R, Req>
where
    S: Service<Req>,
    P: Policy,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Attempting { .. } => "attempting",
            State::Pausing { .. } => "pausing",
            State::Readying { .. } => "readying",
            State::Answered => "answered",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish_non_exhaustive()
    }
}
