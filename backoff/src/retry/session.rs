//! One request's way through its attempts: the decision after each of them, without waiting for anything.

use std::time::{Duration, Instant};

use evenkeel_budget::{Account, Budget, Cause, Hint, LateAccount, Outcome, Verdict};

use super::{
    DEFAULT_MAX_ATTEMPTS, Limits, Observer, Stop,
    policy::{Account as AccountOf, Rules},
};

/// The state of one request.
#[derive(Debug)]
pub(crate) struct Session<I, A: Account> {
    /// Begun with the first question about them, and once: a success at once asks none, unless a copy is kept.
    delays: Option<I>,
    account: LateAccount<A>,
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

impl Judged {
    /// Why another attempt is asked for, if the verdict does not rule it out.
    #[inline]
    fn cause(&self) -> Result<Cause, Stop> {
        match self.verdict.outcome() {
            Outcome::Success => Err(Stop::Success),
            Outcome::Permanent => Err(Stop::Permanent),
            Outcome::Throttled => Ok(Cause::Throttled),
            Outcome::Transient if self.timed_out => Ok(Cause::Timeout),
            Outcome::Transient => Ok(Cause::Transient),
        }
    }
}

impl<I: Iterator<Item = Duration>, A: Account> Session<I, A> {
    /// One original request begins.
    #[inline(always)] // It is made in place.
    pub(crate) fn begin<P>(policy: &P) -> Self
    where
        P: Rules,
        P::Budget: Budget<Account = A>,
    {
        // A deadline that no clock can show is none.
        let deadline = policy.limits().deadline.and_then(|total| policy.now().checked_add(total));
        Self { delays: None, account: LateAccount::begin(policy.budget()), token: None, deadline, attempts: 0 }
    }

    /// Another attempt is sent: its number.
    #[inline]
    pub(crate) fn send<P>(&mut self, policy: &P) -> u32
    where
        P: Rules,
        P::Budget: Budget<Account = A>,
    {
        let attempt = self.attempts;
        self.attempts = attempt.saturating_add(1);
        if let Some(token) = &mut self.token {
            self.account.of(policy.budget()).sent(token);
        }
        policy.observer().on_attempt(attempt);
        attempt
    }

    /// The attempt that was sent last has ended, and was judged.
    #[inline]
    pub(crate) fn after<P>(&mut self, policy: &P, judged: Judged, delays: impl FnOnce(&P) -> I) -> Next
    where
        P: Rules,
        P::Budget: Budget<Account = A>,
    {
        // That attempt is no longer in flight.
        self.token = None;
        self.account.record(policy.budget(), judged.verdict.outcome());
        let decided = judged.cause().and_then(|cause| self.decide(policy, judged, cause, delays));
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
    #[inline(never)] // A success does not come here.
    fn decide<P>(
        &mut self,
        policy: &P,
        judged: Judged,
        cause: Cause,
        delays: impl FnOnce(&P) -> I,
    ) -> Result<(Cause, Duration), Stop>
    where
        P: Rules,
        P::Budget: Budget<Account = A>,
    {
        let limits = policy.limits();
        let (asked, exact) = match judged.verdict.hint() {
            None => (Duration::ZERO, false),
            Some(Hint::NotBefore(asked)) => (asked, false),
            Some(Hint::Exactly(asked)) => (asked, true),
            Some(Hint::Never) => return Err(Stop::Server),
        };
        if asked > limits.max_server_delay {
            return Err(Stop::ServerDelay);
        }
        let delays = self.delays.get_or_insert_with(|| delays(policy));
        if !may_follow(limits, self.deadline, delays.size_hint(), self.attempts) {
            return Err(Stop::Exhausted);
        }
        let left = left(self.deadline, policy);
        if left.is_some_and(|left| asked >= left) {
            return Err(Stop::Deadline);
        }
        // Drawn for an exact hint too: a hint never adds an attempt to those of the schedule.
        let drawn = delays.next().ok_or(Stop::Exhausted)?;
        let delay = if exact { asked } else { asked.saturating_add(drawn) };
        if left.is_some_and(|left| delay >= left) {
            return Err(Stop::Deadline);
        }
        if !judged.repeatable {
            return Err(Stop::NotRepeatable);
        }
        self.token = Some(self.account.of(policy.budget()).withdraw(cause).map_err(|_| Stop::Budget)?);
        Ok((cause, delay))
    }

    /// Whether a retry that is about to be sent comes after the deadline: its wait took longer than it was to.
    #[inline]
    pub(crate) fn is_late<P: Rules>(&self, policy: &P) -> bool {
        self.attempts > 0 && self.left(policy).is_some_and(|left| left.is_zero())
    }

    /// What is left of the deadline, where there is one; reads the clock only then.
    #[inline]
    pub(crate) fn left<P: Rules>(&self, policy: &P) -> Option<Duration> {
        left(self.deadline, policy)
    }
}

#[cfg(feature = "tower")]
impl<I: Iterator<Item = Duration>, A: Account> Session<std::iter::Peekable<I>, A> {
    /// Whether a further attempt can still follow the one that is sent next: whether its request is worth a copy. Draws
    /// the delay early only where the iterator cannot tell its own length.
    #[inline(always)] // A part of what is made in place.
    pub(crate) fn may_follow_next<P: Rules<Delays = I>>(&mut self, policy: &P) -> bool {
        let delays = self.delays.get_or_insert_with(|| policy.delays().peekable());
        let hint = delays.size_hint();
        may_follow(policy.limits(), self.deadline, hint, self.attempts.saturating_add(1))
            && match hint {
                (_, Some(0)) => false,
                (1.., _) => true,
                (0, _) => delays.peek().is_some(),
            }
    }
}

#[inline]
fn left<P: Rules>(deadline: Option<Instant>, policy: &P) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(policy.now()))
}

/// Whether the limit on attempts leaves room for another after so many.
#[inline]
fn may_follow(limits: &Limits, deadline: Option<Instant>, delays: (usize, Option<usize>), attempts: u32) -> bool {
    match limits.max_attempts {
        Some(max) => attempts < max.get(),
        // The schedule does not say that it ends.
        None if deadline.is_none() && delays.1.is_none() => attempts < DEFAULT_MAX_ATTEMPTS.get(),
        None => true,
    }
}

/// The session of a policy.
pub(crate) type Of<P, I = <P as Rules>::Delays> = Session<I, AccountOf<P>>;
