//! One request's way through its attempts: which may be sent, when, and whether it is paid for. It waits for nothing.

use std::{iter::Peekable, num::NonZeroU32, time::Duration};

use evenkeel_budget::{Account as _, Cause, Exhausted, Hint, LateAccount, Outcome, Verdict};

use super::{
    DEFAULT_MAX_ATTEMPTS, Limits,
    policy::{Account, Policy, Token},
};
use crate::{Delays, NEVER};

/// The state of one request. Each method is given the policy, which is the same for as long as it lasts: what it says is
/// asked for when it is needed, and for a request whose first attempt succeeds that is nearly nothing.
pub(crate) struct Session<P: Policy> {
    delays: Peekable<<P::Delays as Delays>::Session>,
    account: LateAccount<Account<P>>,
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

impl<P: Policy> Session<P> {
    /// One original request begins: its first attempt counts as sent.
    #[inline]
    pub(crate) fn begin(policy: &P, terms: Terms) -> Self {
        Self {
            delays: policy.delays().session().peekable(),
            account: LateAccount::begin(policy.budget()),
            terms,
            next: 1,
            sent: 1,
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
    #[inline]
    pub(crate) fn may_follow(&mut self, policy: &P) -> bool {
        !self.closed && self.is_below_limit(policy, self.next) && (self.drawn || self.has_delay())
    }

    /// Whether another attempt can follow the further one that is about to be sent, whose own delay is drawn: whether its request
    /// is worth a copy.
    pub(crate) fn may_follow_next(&mut self, policy: &P) -> bool {
        self.is_below_limit(policy, self.next.saturating_add(1)) && self.has_delay()
    }

    #[inline]
    fn is_below_limit(&self, policy: &P, attempts: u32) -> bool {
        match policy.limits().max_attempts {
            Some(max) => attempts < max.get(),
            // It does not say that it ends.
            None if self.delays.size_hint().1.is_none() => attempts < self.terms.at_most.get(),
            None => true,
        }
    }

    /// Draws a delay early only where the iterator cannot tell its own length.
    #[inline]
    fn has_delay(&mut self) -> bool {
        match self.delays.size_hint() {
            (_, Some(0)) => false,
            (1.., _) => true,
            (0, _) => self.delays.peek().is_some(),
        }
    }

    /// How long after the attempt that was sent last the next one is due; none if time alone sends no other.
    pub(crate) fn delay(&mut self, policy: &P) -> Option<Duration> {
        if self.untimed || !self.may_follow(policy) {
            return None;
        }
        self.delays.peek().copied().filter(|delay| *delay != NEVER)
    }

    /// An attempt has failed. `repeatable`: after this verdict the request may be sent again.
    pub(crate) fn failed(&mut self, policy: &P, verdict: Verdict, repeatable: bool) -> After {
        let limits = policy.limits();
        let cause = match verdict.outcome() {
            Outcome::Throttled => Cause::Throttled,
            Outcome::Success | Outcome::Transient | Outcome::Permanent => Cause::Transient,
        };
        let hint = verdict.hint().filter(|_| !self.goes_elsewhere(limits));
        if hint.is_some_and(|hint| forbids(limits, hint)) {
            self.closed = true;
        }
        if !repeatable || !self.may_follow(policy) {
            return After::Nothing;
        }
        match hint {
            Some(Hint::NotBefore(delay) | Hint::Exactly(delay)) if !delay.is_zero() => After::In(delay, cause),
            Some(Hint::NotBefore(_) | Hint::Exactly(_) | Hint::Never) | None => After::Now(cause),
        }
    }

    fn goes_elsewhere(&self, limits: Limits) -> bool {
        limits.elsewhere || self.terms.elsewhere
    }

    /// One that goes elsewhere after a failure is no extra load there.
    fn charges_failures(&self, limits: Limits) -> bool {
        limits.charge_failures.unwrap_or(!self.goes_elsewhere(limits))
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
    pub(crate) fn pay(&mut self, policy: &P, cause: Cause) -> Result<Option<Token<P>>, Exhausted> {
        if !self.drawn {
            // One that said that it had another, and has not, has no other either.
            self.closed |= self.delays.next().is_none();
            self.drawn = true;
        }
        if cause != Cause::Hedge && !self.charges_failures(policy.limits()) {
            return Ok(None);
        }
        self.account.of(policy.budget()).withdraw(cause).map(Some).inspect_err(|_| self.untimed = true)
    }

    /// A further attempt goes out, paid for with that token.
    pub(crate) fn send(&mut self, policy: &P, token: Option<&mut Token<P>>) {
        if let Some(token) = token {
            self.account.of(policy.budget()).sent(token);
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
    #[inline]
    pub(crate) fn record(&mut self, policy: &P, outcome: Outcome) {
        self.account.record(policy.budget(), outcome);
    }
}

fn forbids(limits: Limits, hint: Hint) -> bool {
    match hint {
        Hint::Never => true,
        Hint::NotBefore(delay) | Hint::Exactly(delay) => delay > limits.max_server_delay,
    }
}
