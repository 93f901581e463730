//! The race itself: what is polled, and who wins.

mod next;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use evenkeel_budget::{Cause, Outcome, Verdict};
use pin_project_lite::pin_project;

use super::{
    flights::Flights,
    kept::Kept,
    launch::Launch,
    policy::{Account, Policy, PolicyFor},
    session::{Of, Session, Terms},
};
use crate::{Answer, Attempt, Delays, End, Observer, unwinding::in_a_drop};
use next::{Due, Step};

type Token<P> = <Account<P> as evenkeel_budget::Account>::Token;
type Output<L> = <<L as Launch>::Future as Future>::Output;
type Started<P> = <<P as Policy>::Delays as Delays>::Started;

pin_project! {
    /// One request.
    #[project = Projected]
    pub(crate) struct Race<P: Policy, L: Launch> {
        policy: P,
        launch: L,
        // Begins with the first poll, unless the first attempt was sent before.
        session: Option<Of<P>>,
        // Of the first attempt: from when it is found pending until its end has been told.
        started: Option<Started<P>>,
        // The best of the attempts that have failed.
        kept: Option<Kept<Output<L>>>,
        // Why attempts are to be sent after the one that is due: one for each failure, in their order.
        owed: Vec<Cause>,
        hedges: u32,
        #[pin]
        due: Due<P::Sleep, Token<P>>,
        #[pin]
        flights: Flights<L::Future, Token<P>>,
    }

    impl<P: Policy, L: Launch> PinnedDrop for Race<P, L> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(started) = this.started.take() {
                in_a_drop(|| this.policy.delays().end(started, End::Dropped));
            }
            // As when there is an answer: the latest first, each with its token, and the account after them.
            this.due.set(Due::Answered);
            this.flights.clear();
        }
    }
}

impl<P: Policy, L: Launch> Race<P, L> {
    /// Sends the first attempt with the first poll.
    pub(crate) const fn new(policy: P, launch: L) -> Self {
        Self {
            policy,
            launch,
            session: None,
            started: None,
            kept: None,
            owed: Vec::new(),
            hedges: 0,
            due: Due::Launching { cause: None, token: None },
            flights: Flights::new(),
        }
    }

    /// Sends the first attempt now: `send` is asked for it, and told whether another can follow.
    #[cfg(feature = "tower")]
    #[inline(always)] // The future is made in place.
    pub(crate) fn begin(
        policy: P,
        terms: Terms,
        send: impl FnOnce(bool) -> (L, super::launch::Sent<L::Future>),
    ) -> Self {
        let mut session = Session::begin(&policy, terms);
        let (launch, super::launch::Sent { future, alternate }) = send(session.may_follow_next());
        session.send(None);
        let attempt = Attempt::first(alternate);
        policy.observer().on_attempt(attempt);
        Self {
            policy,
            launch,
            session: Some(session),
            started: None,
            kept: None,
            owed: Vec::new(),
            hedges: 0,
            due: Due::Unarmed,
            flights: Flights::with(future, attempt),
        }
    }

    /// What it does, in a word.
    pub(crate) fn state(&self) -> &'static str {
        match self.due {
            Due::Answered => "answered",
            Due::Launching { .. } | Due::Now { .. } => "sending",
            Due::Unarmed | Due::Waiting { .. } | Due::Nothing => "waiting",
        }
    }
}

impl<P, L, R, E> Future for Race<P, L>
where
    P: PolicyFor<R, E>,
    L: Launch,
    L::Future: Future<Output = Result<R, E>>,
{
    type Output = (Attempt, Result<R, E>);

    /// The path of a first attempt that wins is in line; all else is not.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.session.is_none() {
            *this.session = Some(Session::begin(this.policy, Terms::SAME));
            // Before there is one in flight: the first is sent.
            if let Step::Answer(answer) = this.launch(&mut 0, cx) {
                return Poll::Ready(answer);
            }
        }
        if let Some((attempt, result)) = this.flights.as_mut().poll_first(cx) {
            let verdict = this.policy.classify(&result);
            if let Some(answer) = this.landed(attempt, verdict, result) {
                return Poll::Ready(answer);
            }
        }
        this.poll_others(cx)
    }
}

impl<P: Policy, L: Launch> Projected<'_, P, L> {
    /// An attempt that was sent has ended by itself: perhaps with the answer.
    #[inline]
    fn landed(&mut self, attempt: Attempt, verdict: Verdict, result: Output<L>) -> Option<(Attempt, Output<L>)> {
        let outcome = verdict.outcome();
        if let Some(session) = self.session.as_mut() {
            session.record(outcome);
        }
        if let Some(started) = self.started.take_if(|_| attempt.number == 0) {
            let end = if outcome == Outcome::Success { End::Succeeded } else { End::Failed };
            self.policy.delays().end(started, end);
        }
        self.judged(attempt, verdict, result)
    }

    /// What an attempt came to, or that it could not be sent.
    #[inline]
    fn judged(&mut self, attempt: Attempt, verdict: Verdict, result: Output<L>) -> Option<(Attempt, Output<L>)> {
        match verdict.outcome() {
            Outcome::Success | Outcome::Permanent => {
                self.settle();
                self.policy.observer().on_verdict(attempt, verdict);
                Some(self.answer(attempt, verdict.outcome(), result))
            }
            Outcome::Transient | Outcome::Throttled => {
                self.lost(attempt, verdict, result);
                None
            }
        }
    }

    /// Keeps the result of one that has failed, for there may be no better.
    #[inline(never)]
    fn lost(&mut self, attempt: Attempt, verdict: Verdict, result: Output<L>) {
        // First of all: the sleeper may panic.
        let failed = Kept { attempt, outcome: verdict.outcome(), result };
        *self.kept = Some(self.policy.limits().all_failed.keep(self.kept.take(), failed));
        self.failed(verdict);
        self.policy.observer().on_verdict(attempt, verdict);
    }

    /// Ends all that goes on, before the answer is told or given.
    #[inline]
    fn settle(&mut self) {
        self.give_up();
        self.due.set(Due::Answered);
        self.flights.as_mut().clear();
        *self.kept = None;
        if let Some(started) = self.started.take() {
            self.policy.delays().end(started, End::Dropped);
        }
    }

    #[inline]
    fn answer(&mut self, attempt: Attempt, outcome: Outcome, result: Output<L>) -> (Attempt, Output<L>) {
        let sent = self.session.as_ref().map_or(0, Session::sent);
        self.policy.observer().on_answer(Answer { attempt, outcome, sent, hedges: *self.hedges });
        (attempt, result)
    }
}

impl<P, L, R, E> Projected<'_, P, L>
where
    P: PolicyFor<R, E>,
    L: Launch,
    L::Future: Future<Output = Result<R, E>>,
{
    /// The first is pending, or has failed: what of the others, and what is due?
    #[inline(never)]
    fn poll_others(&mut self, cx: &mut Context<'_>) -> Poll<(Attempt, Result<R, E>)> {
        // All in flight are polled once, and then each new one.
        let mut place = 1;
        for _ in 0..MOST_STEPS {
            // All that have ended are heard before the next is sent: a failure must not send one that a success beside it
            // makes useless.
            while let Some((attempt, result)) = self.flights.as_mut().poll(&mut place, cx) {
                let verdict = self.policy.classify(&result);
                if let Some(answer) = self.landed(attempt, verdict, result) {
                    return Poll::Ready(answer);
                }
            }
            match self.step(&mut place, cx) {
                Step::Go => {}
                Step::Wait => return Poll::Pending,
                Step::Answer(answer) => return Poll::Ready(answer),
            }
        }
        // Attempts that fail at once, one after the other: it is the turn of others.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// In one poll: two or three for each attempt that is sent.
const MOST_STEPS: u32 = 1024;
