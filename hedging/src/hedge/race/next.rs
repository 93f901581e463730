//! What becomes of the next attempt: when it is due, whether it is paid for, and how it is sent.

use std::{
    future::Future,
    task::{Context, Poll},
};

use evenkeel_budget::{Cause, Exhausted, Verdict};
use pin_project_lite::pin_project;

use super::{
    super::{
        kept::Kept,
        launch::{Failed, Launch, Sent},
        policy::{Policy, PolicyFor},
        session::{After, Session},
    },
    course::View,
};
use crate::{Attempt, Observer};

pin_project! {
    /// What becomes of the next attempt.
    #[project = DueProjected]
    pub(super) enum Due<S, T> {
        // It is being sent, and was paid for.
        Launching { cause: Cause, token: Option<T> },
        // Its delay begins when those in flight are found pending.
        Unarmed,
        // Until a delay is over: that of a hedge, or one that a server asked for, which only another hint changes.
        Waiting { #[pin] sleep: S, cause: Cause, hinted: bool },
        // It is to be sent, if the budget pays.
        Now { cause: Cause },
        // There is none, unless one in flight fails.
        Nothing,
        Answered,
    }
}

impl<S, T> Due<S, T> {
    /// What it is that is due, in a word.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Launching { .. } | Self::Now { .. } => "sending",
            Self::Unarmed | Self::Waiting { .. } | Self::Nothing => "waiting",
        }
    }
}

impl<S, T> Due<S, T> {
    /// When the next attempt is due by time, from now on. `any`: one is in flight.
    #[inline]
    pub(super) fn of_delay<P, L>(policy: &P, launch: &L, session: &mut Option<Session<P>>, any: bool) -> Self
    where
        P: Policy<Sleep = S>,
        L: Launch,
    {
        let may_hedge = any && launch.may_hedge();
        let delay = session.as_mut().filter(|_| may_hedge).and_then(|session| session.delay(policy));
        match delay {
            None => Self::Nothing,
            Some(delay) if delay.is_zero() => Self::Now { cause: Cause::Hedge },
            Some(delay) => Self::Waiting { sleep: policy.sleep(delay), cause: Cause::Hedge, hinted: false },
        }
    }
}

/// What follows a step.
pub(super) enum Step<A> {
    Go,
    Wait,
    Answer(A),
}

impl<P: Policy, L: Launch> View<'_, P, L> {
    /// Decides what follows a failure.
    pub(super) fn failed(&mut self, verdict: Verdict) {
        let Some(session) = self.session.as_mut() else { return };
        match session.failed(self.policy, verdict, self.launch.may_repeat(verdict)) {
            After::In(delay, cause) => {
                self.owed.clear();
                // One that was being sent is not: its token goes back as well.
                self.give_up();
                let sleep = self.policy.sleep(delay);
                self.due.set(Due::Waiting { sleep, cause, hinted: true });
            }
            After::Now(cause) => match self.due.as_mut().project() {
                DueProjected::Launching { .. } | DueProjected::Now { .. } => self.owed.push(cause),
                // The latest hint holds, and this one is: at once.
                DueProjected::Waiting { hinted: true, .. } if verdict.hint().is_some() => {
                    self.due.set(Due::Now { cause });
                }
                DueProjected::Waiting { hinted: true, .. } | DueProjected::Answered => {}
                DueProjected::Unarmed | DueProjected::Waiting { hinted: false, .. } | DueProjected::Nothing => {
                    self.due.set(Due::Now { cause });
                }
            },
            After::Nothing if session.is_closed() => self.stop(),
            After::Nothing => {}
        }
    }

    /// What an attempt that is being sent has reserved is not kept by one that is not sent after all.
    #[inline]
    pub(super) fn give_up(&mut self) {
        if let Due::Launching { .. } = *self.due {
            self.launch.give_up();
        }
    }

    /// No attempt is due.
    pub(super) fn stop(&mut self) {
        self.give_up();
        self.owed.clear();
        self.due.set(Due::Nothing);
    }
}

impl<P, L, R, E> View<'_, P, L>
where
    P: PolicyFor<R, E>,
    L: Launch,
    L::Future: Future<Output = Result<R, E>>,
{
    /// All in flight are pending: what is due?
    #[inline]
    pub(super) fn step(&mut self, place: &mut usize, cx: &mut Context<'_>) -> Step<(Attempt, Result<R, E>)> {
        match self.due.as_mut().project() {
            DueProjected::Launching { .. } => return self.launch(place, cx),
            DueProjected::Unarmed => self.arm(),
            DueProjected::Waiting { sleep, cause, hinted: _ } => {
                let cause = *cause;
                if sleep.poll(cx).is_pending() {
                    return Step::Wait;
                }
                self.due.set(Due::Now { cause });
            }
            DueProjected::Now { cause } => {
                let cause = *cause;
                self.pay(cause);
            }
            DueProjected::Nothing if self.flights.is_empty() => {
                // All that were sent have failed, and one is always kept; but a classifier that panicked lost it.
                let Kept { attempt, outcome, result } = self.kept.take().expect("polled again after a panic");
                self.settle();
                return Step::Answer(self.answer(attempt, outcome, result));
            }
            DueProjected::Nothing => return Step::Wait,
            DueProjected::Answered => panic!("polled after it has answered"),
        }
        Step::Go
    }

    /// Begins the delay of the next attempt, if there is one.
    fn arm(&mut self) {
        let due = Due::of_delay(self.policy, self.launch, self.session, !self.flights.is_empty());
        self.due.set(due);
    }

    /// Asks the budget for the attempt that is due.
    #[inline(never)]
    fn pay(&mut self, cause: Cause) {
        let Some(session) = self.session.as_mut() else { return };
        if !session.may_follow(self.policy) {
            return self.stop();
        }
        match session.pay(self.policy, cause) {
            Ok(token) => self.due.set(Due::Launching { cause, token }),
            Err(Exhausted { .. }) => {
                self.stop();
                self.policy.observer().on_refused(cause);
            }
        }
    }

    /// Sends the attempt that is paid for.
    #[inline(never)]
    fn launch(&mut self, place: &mut usize, cx: &mut Context<'_>) -> Step<(Attempt, Result<R, E>)> {
        let (DueProjected::Launching { cause, token }, Some(session)) =
            (self.due.as_mut().project(), &mut *self.session)
        else {
            return Step::Go;
        };
        let (number, cause) = (session.next(), Some(*cause));
        match self.launch.poll_launch(cx, session.may_follow_next(self.policy)) {
            Poll::Pending => Step::Wait,
            Poll::Ready(Some(Ok(Sent { future, alternate }))) => {
                let mut token = token.take();
                session.send(self.policy, token.as_mut());
                let attempt = Attempt { number, alternate, cause };
                *self.hedges += u32::from(attempt.is_hedge());
                *place = self.flights.add(future, attempt, token);
                self.go_on();
                self.policy.observer().on_attempt(attempt);
                Step::Go
            }
            Poll::Ready(Some(Err(Failed { output, alternate }))) => {
                session.skip();
                self.go_on();
                // Whatever it was, it was not processed: nothing was sent.
                let verdict = self.policy.classify(&output).unprocessed();
                match self.judged(Attempt { number, alternate, cause }, verdict, output) {
                    Some(answer) => Step::Answer(answer),
                    None => Step::Go,
                }
            }
            Poll::Ready(None) => {
                self.stop();
                Step::Go
            }
        }
    }

    /// An attempt was sent, or could not be: what is due after it?
    #[inline]
    fn go_on(&mut self) {
        let due = if self.owed.is_empty() { Due::Unarmed } else { Due::Now { cause: self.owed.remove(0) } };
        self.due.set(due);
    }
}
