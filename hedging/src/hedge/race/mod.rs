//! The race itself: what is polled, and who wins.

mod course;
mod next;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use evenkeel_budget::{Outcome, Verdict};
use pin_project_lite::pin_project;

use super::{
    flights::Flight,
    kept::Kept,
    launch::Launch,
    policy::{Policy, PolicyFor, Token},
    session::{Session, Terms},
};
use crate::{Answer, Attempt, Delays, End, Observer, unwinding::in_a_drop};
use course::{Course, CourseProjected, Stage, View};
use next::{Due, Step};

type Output<L> = <<L as Launch>::Future as Future>::Output;

pin_project! {
    /// One request.
    #[project = Parts]
    pub(crate) struct Race<P: Policy, L: Launch> {
        // Before the account in the session, as all that is in flight.
        #[pin]
        first: Option<Flight<L::Future, Token<P>>>,
        #[pin]
        course: Course<P, L>,
        policy: P,
        launch: L,
        // Begins with the first poll, unless the first attempt was sent before.
        session: Option<Session<P>>,
    }

    impl<P: Policy, L: Launch> PinnedDrop for Race<P, L> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if !this.course.is_over() {
                this.abandon();
            }
        }
    }
}

impl<P: Policy, L: Launch> Race<P, L> {
    /// Its first attempt is to be sent by [`begin_with`](Self::begin_with).
    #[inline]
    pub(crate) const fn new(policy: P, launch: L) -> Self {
        Self { first: None, course: Course::Alone { stage: Stage::Unsent }, policy, launch, session: None }
    }

    /// Sends the first attempt, if it was not sent yet.
    #[inline]
    pub(crate) fn begin_with(self: Pin<&mut Self>, send: impl FnOnce(&mut L) -> L::Future) {
        let Parts { mut first, course, policy, launch, session } = self.project();
        let CourseProjected::Alone { stage: stage @ Stage::Unsent } = course.project() else { return };
        // It is there already where `send` has panicked before.
        session.get_or_insert_with(|| Session::begin(policy, Terms::SAME));
        let (future, attempt) = (send(launch), Attempt::first(0));
        first.set(Some(Flight::first(future, attempt)));
        *stage = Stage::Sent;
        policy.observer().on_attempt(attempt);
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
        let (launch, super::launch::Sent { future, alternate }) = send(session.may_follow(&policy));
        let attempt = Attempt::first(alternate);
        policy.observer().on_attempt(attempt);
        Self {
            first: Some(Flight::first(future, attempt)),
            course: Course::Alone { stage: Stage::Sent },
            policy,
            launch,
            session: Some(session),
        }
    }

    /// What it does, in a word.
    pub(crate) fn state(&self) -> &'static str {
        match &self.course {
            Course::Alone { stage } => match stage {
                Stage::Unsent => "sending",
                Stage::Sent => "waiting",
                Stage::Answered => "answered",
            },
            Course::Open { due, .. } => due.state(),
        }
    }

    /// Ends all that goes on, because the caller has gone.
    #[inline(never)]
    fn abandon(self: Pin<&mut Self>) {
        let mut this = self.open();
        if let Some(started) = this.started.take() {
            in_a_drop(|| this.policy.delays().end(started, End::Dropped));
        }
        // As when there is an answer: the latest first, each with its token, and the account after them.
        this.due.set(Due::Answered);
        this.flights.clear();
    }

    /// An attempt that was sent has ended by itself.
    #[inline(never)]
    fn land(
        self: Pin<&mut Self>,
        attempt: Attempt,
        verdict: Verdict,
        result: Output<L>,
    ) -> Option<(Attempt, Output<L>)> {
        self.open().landed(attempt, verdict, result)
    }
}

impl<P, L, R, E> Future for Race<P, L>
where
    P: PolicyFor<R, E>,
    L: Launch,
    L::Future: Future<Output = Result<R, E>>,
{
    type Output = (Attempt, Result<R, E>);

    /// The path of a first attempt that wins before it was found pending is in line; all else is not.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Parts { first, course, policy, launch: _, session } = self.as_mut().project();
        if let Some((attempt, result)) = Flight::poll(first, cx) {
            let verdict = policy.classify(&result);
            let outcome = verdict.outcome();
            if let (CourseProjected::Alone { stage }, Some(session), Outcome::Success | Outcome::Permanent) =
                (course.project(), session, outcome)
            {
                session.record(policy, outcome);
                *stage = Stage::Answered;
                policy.observer().on_verdict(attempt, verdict);
                policy.observer().on_answer(Answer { attempt, outcome, sent: session.sent(), hedges: 0 });
                return Poll::Ready((attempt, result));
            }
            if let Some(answer) = self.as_mut().land(attempt, verdict, result) {
                return Poll::Ready(answer);
            }
        }
        self.poll_others(cx)
    }
}

impl<P: Policy, L: Launch> View<'_, P, L> {
    /// An attempt that was sent has ended by itself: perhaps with the answer.
    #[inline]
    fn landed(&mut self, attempt: Attempt, verdict: Verdict, result: Output<L>) -> Option<(Attempt, Output<L>)> {
        let outcome = verdict.outcome();
        if let Some(session) = self.session.as_mut() {
            session.record(self.policy, outcome);
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
        self.flights.clear();
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

impl<P, L, R, E> Race<P, L>
where
    P: PolicyFor<R, E>,
    L: Launch,
    L::Future: Future<Output = Result<R, E>>,
{
    /// The first is pending, or has failed: what of the others, and what is due?
    #[inline(never)]
    fn poll_others(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(Attempt, Result<R, E>)> {
        self.as_mut().found_pending();
        let mut this = self.open();
        // All in flight are polled once, and then each new one.
        let mut place = 1;
        for _ in 0..MOST_STEPS {
            // All that have ended are heard before the next is sent: a failure must not send one that a success beside it
            // makes useless.
            while let Some((attempt, result)) = this.flights.poll(&mut place, cx) {
                let verdict = this.policy.classify(&result);
                if let Some(answer) = this.landed(attempt, verdict, result) {
                    return Poll::Ready(answer);
                }
            }
            match this.step(&mut place, cx) {
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
