//! One request's way through its attempts: the decision after each of them, without waiting for anything.

use std::time::{Duration, Instant};

use evenkeel_budget::{Account, Budget, Cause, Hint, Outcome, Verdict};

use super::{
    DEFAULT_MAX_ATTEMPTS, Limits, Observer, Stop,
    policy::{Account as AccountOf, Rules},
};

/// The state of one request.
#[derive(Debug)]
pub(crate) struct Session<I, A: Account> {
    delays: I,
    account: A,
    /// Paid for the retry that waits or is in flight.
    token: Option<A::Token>,
    deadline: Option<Instant>,
    /// How many were sent.
    attempts: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// The policy's own timer cut it off.
    pub(crate) timed_out: bool,
    /// After this verdict the request may be sent again, and can be.
    pub(crate) repeatable: bool,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another, after this long.
    Again(Duration),
    /// None.
    Stop(Stop),
}

impl<I: Iterator<Item = Duration>, A: Account> Session<I, A> {
    /// One original request begins.
    pub(crate) fn begin<P>(policy: &P, delays: I) -> Self
    where
        P: Rules,
        P::Budget: Budget<Account = A>,
    {
        // A deadline that no clock can show is none.
        let deadline = policy.limits().deadline.and_then(|total| policy.now().checked_add(total));
        Self { delays, account: policy.budget().open(), token: None, deadline, attempts: 0 }
    }

    /// Another attempt is sent: its number.
    pub(crate) fn send<O: Observer>(&mut self, observer: &O) -> u32 {
        let attempt = self.attempts;
        self.attempts = attempt.saturating_add(1);
        if let Some(token) = &mut self.token {
            self.account.sent(token);
        }
        observer.on_attempt(attempt);
        attempt
    }

    /// The attempt that was sent last has ended, and was judged.
    pub(crate) fn after<P>(&mut self, policy: &P, judged: Judged) -> Next
    where
        P: Rules,
        P::Budget: Budget<Account = A>,
    {
        // That attempt is no longer in flight.
        self.token = None;
        self.account.record(judged.verdict.outcome());
        let decided = self.decide(policy, judged);
        let observer = policy.observer();
        observer.on_verdict(self.attempts.saturating_sub(1), judged.verdict);
        match decided {
            Ok((cause, delay)) => {
                observer.on_retry(self.attempts, cause, delay);
                Next::Again(delay)
            }
            Err(stop) => {
                observer.on_stop(self.attempts, stop);
                Next::Stop(stop)
            }
        }
    }

    /// The retry that was decided on is not sent after all. What was paid for it goes back.
    pub(crate) fn stop<O: Observer>(&mut self, observer: &O, stop: Stop) {
        self.token = None;
        observer.on_stop(self.attempts, stop);
    }

    /// Each question that costs more than the one before it, the budget last: a refusal anywhere leaves it uncharged.
    fn decide<P: Rules>(&mut self, policy: &P, judged: Judged) -> Result<(Cause, Duration), Stop> {
        let Judged { verdict, timed_out, repeatable } = judged;
        let limits = policy.limits();
        let cause = match verdict.outcome() {
            Outcome::Success => return Err(Stop::Success),
            Outcome::Permanent => return Err(Stop::Permanent),
            Outcome::Throttled => Cause::Throttled,
            Outcome::Transient if timed_out => Cause::Timeout,
            Outcome::Transient => Cause::Transient,
        };
        let (asked, exact) = match verdict.hint() {
            None => (Duration::ZERO, false),
            Some(Hint::NotBefore(asked)) => (asked, false),
            Some(Hint::Exactly(asked)) => (asked, true),
            Some(Hint::Never) => return Err(Stop::Server),
        };
        if asked > limits.max_server_delay {
            return Err(Stop::ServerDelay);
        }
        if !self.may_follow(limits, self.attempts) {
            return Err(Stop::Exhausted);
        }
        let left = self.left(policy);
        if left.is_some_and(|left| asked >= left) {
            return Err(Stop::Deadline);
        }
        // Drawn for an exact hint too: a hint never adds an attempt to those of the schedule.
        let drawn = self.delays.next().ok_or(Stop::Exhausted)?;
        let delay = if exact { asked } else { asked.saturating_add(drawn) };
        if left.is_some_and(|left| delay >= left) {
            return Err(Stop::Deadline);
        }
        if !repeatable {
            return Err(Stop::NotRepeatable);
        }
        self.token = Some(self.account.withdraw(cause).map_err(|_| Stop::Budget)?);
        Ok((cause, delay))
    }

    /// Whether the limit on attempts leaves room for another after so many.
    fn may_follow(&self, limits: &Limits, attempts: u32) -> bool {
        match limits.max_attempts {
            Some(max) => attempts < max.get(),
            None if self.deadline.is_none() && self.is_endless() => attempts < DEFAULT_MAX_ATTEMPTS.get(),
            None => true,
        }
    }

    /// Whether the schedule does not say that it ends.
    fn is_endless(&self) -> bool {
        self.delays.size_hint().1.is_none()
    }

    /// Whether a retry that is about to be sent comes after the deadline: its wait took longer than it was to.
    pub(crate) fn is_late<P: Rules>(&self, policy: &P) -> bool {
        self.attempts > 0 && self.left(policy).is_some_and(|left| left.is_zero())
    }

    /// What is left of the deadline, where there is one; reads the clock only then.
    pub(crate) fn left<P: Rules>(&self, policy: &P) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(policy.now()))
    }
}

#[cfg(feature = "tower")]
impl<I: Iterator<Item = Duration>, A: Account> Session<std::iter::Peekable<I>, A> {
    /// Whether a further attempt can still follow the one that is sent next: whether its request is worth a copy. Draws
    /// the delay early only where the iterator cannot tell its own length.
    pub(crate) fn may_follow_next(&mut self, limits: &Limits) -> bool {
        if !self.may_follow(limits, self.attempts.saturating_add(1)) {
            return false;
        }
        match self.delays.size_hint() {
            (_, Some(0)) => false,
            (1.., _) => true,
            (0, _) => self.delays.peek().is_some(),
        }
    }
}

/// The session of a policy.
pub(crate) type Of<P, I = <P as Rules>::Delays> = Session<I, AccountOf<P>>;
