//! One request's way through its attempts: which may be sent, when, and whether it is paid for. It waits for nothing.

use std::{iter::Peekable, num::NonZeroU32, time::Duration};

use evenkeel_budget::{Account, Budget, Cause, Exhausted, Hint, Outcome, Verdict};

use super::{
    DEFAULT_MAX_ATTEMPTS, Limits,
    policy::{Account as AccountOf, Policy},
};
use crate::{Delays, NEVER};

/// The state of one request.
pub(crate) struct Session<I: Iterator, A> {
    delays: Peekable<I>,
    account: A,
    limits: Limits,
    terms: Terms,
    /// The number of the next one: how many were sent, or could not be.
    next: u32,
    sent: u32,
    /// The delay of the next one is drawn already.
    drawn: bool,
    /// None follows by time: the budget has refused one.
    untimed: bool,
    /// None follows at all: the server said so.
    closed: bool,
}

/// The session of a policy.
pub(crate) type Of<P> = Session<<<P as Policy>::Delays as Delays>::Session, AccountOf<P>>;

/// What holds where the policy says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The most attempts where the delays do not say how many there are.
    pub(crate) at_most: NonZeroU32,
    /// Each attempt asks someone else.
    pub(crate) elsewhere: bool,
}

impl Terms {
    /// All attempts ask one service.
    pub(crate) const SAME: Self = Self { at_most: DEFAULT_MAX_ATTEMPTS, elsewhere: false };
}

/// What a failure calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The next attempt, at once.
    Now(Cause),
    /// The next attempt, exactly this long from now.
    In(Duration, Cause),
    /// Nothing: those in flight go on.
    Nothing,
}

impl<I: Iterator<Item = Duration>, A: Account> Session<I, A> {
    /// One original request begins.
    pub(crate) fn begin<P>(policy: &P, terms: Terms) -> Self
    where
        P: Policy,
        P::Delays: Delays<Session = I>,
        P::Budget: Budget<Account = A>,
    {
        Self {
            delays: policy.delays().session().peekable(),
            account: policy.budget().open(),
            limits: policy.limits(),
            terms,
            next: 0,
            sent: 0,
            drawn: false,
            untimed: false,
            closed: false,
        }
    }

    /// The number of the next attempt.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// How many attempts were sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent
    }

    /// Whether another attempt can follow those that were sent.
    pub(crate) fn may_follow(&mut self) -> bool {
        !self.closed && self.is_below_limit(self.next) && (self.drawn || self.has_delay())
    }

    /// Whether another attempt can follow the one that is about to be sent, whose own delay, if it has one, is drawn: whether
    /// its request is worth a copy.
    pub(crate) fn may_follow_next(&mut self) -> bool {
        self.is_below_limit(self.next.saturating_add(1)) && self.has_delay()
    }

    fn is_below_limit(&self, attempts: u32) -> bool {
        match self.limits.max_attempts {
            Some(max) => attempts < max.get(),
            // It does not say that it ends.
            None if self.delays.size_hint().1.is_none() => attempts < self.terms.at_most.get(),
            None => true,
        }
    }

    /// Draws a delay early only where the iterator cannot tell its own length.
    fn has_delay(&mut self) -> bool {
        match self.delays.size_hint() {
            (_, Some(0)) => false,
            (1.., _) => true,
            (0, _) => self.delays.peek().is_some(),
        }
    }

    /// How long after the attempt that was sent last the next one is due; none if time alone sends no other.
    pub(crate) fn delay(&mut self) -> Option<Duration> {
        if self.untimed || !self.may_follow() {
            return None;
        }
        self.delays.peek().copied().filter(|delay| *delay != NEVER)
    }

    /// An attempt has failed. `repeatable`: after this verdict the request may be sent again.
    pub(crate) fn failed(&mut self, verdict: Verdict, repeatable: bool) -> After {
        let cause = match verdict.outcome() {
            Outcome::Throttled => Cause::Throttled,
            Outcome::Success | Outcome::Transient | Outcome::Permanent => Cause::Transient,
        };
        let hint = verdict.hint().filter(|_| !self.goes_elsewhere());
        if hint.is_some_and(|hint| self.forbids(hint)) {
            self.closed = true;
        }
        if !repeatable || !self.may_follow() {
            return After::Nothing;
        }
        match hint {
            Some(Hint::NotBefore(delay) | Hint::Exactly(delay)) if !delay.is_zero() => After::In(delay, cause),
            Some(Hint::NotBefore(_) | Hint::Exactly(_) | Hint::Never) | None => After::Now(cause),
        }
    }

    fn goes_elsewhere(&self) -> bool {
        self.limits.elsewhere || self.terms.elsewhere
    }

    /// One that goes elsewhere after a failure is no extra load there.
    fn charges_failures(&self) -> bool {
        self.limits.charge_failures.unwrap_or(!self.goes_elsewhere())
    }

    fn forbids(&self, hint: Hint) -> bool {
        match hint {
            Hint::Never => true,
            Hint::NotBefore(delay) | Hint::Exactly(delay) => delay > self.limits.max_server_delay,
        }
    }

    /// Whether the server has asked for no further attempt.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Draws the next attempt's delay, and has the budget pay for it unless it is free. After a refusal none follows by time.
    /// There is a delay, as [`may_follow`](Self::may_follow) has said; if it was misled, this attempt is the last.
    ///
    /// # Errors
    ///
    /// When the budget refuses.
    pub(crate) fn pay(&mut self, cause: Cause) -> Result<Option<A::Token>, Exhausted> {
        if !self.drawn {
            // One that said that it had another, and has not, has no other either.
            self.closed |= self.delays.next().is_none();
            self.drawn = true;
        }
        if cause != Cause::Hedge && !self.charges_failures() {
            return Ok(None);
        }
        self.account.withdraw(cause).map(Some).inspect_err(|_| self.untimed = true)
    }

    /// An attempt goes out, paid for with that token; the first one without any.
    pub(crate) fn send(&mut self, token: Option<&mut A::Token>) {
        if let Some(token) = token {
            self.account.sent(token);
        }
        self.sent = self.sent.saturating_add(1);
        self.skip();
    }

    /// An attempt could not be sent; its number is used up.
    pub(crate) fn skip(&mut self) {
        self.next = self.next.saturating_add(1);
        self.drawn = false;
    }

    /// An attempt that was sent has ended.
    pub(crate) fn record(&mut self, outcome: Outcome) {
        self.account.record(outcome);
    }
}
