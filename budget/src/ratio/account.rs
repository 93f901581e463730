//! One request's side of a ratio budget.

use std::{fmt, mem, time::Instant};

use super::RatioBudget;
use crate::{Account, Cause, Exhausted, Outcome, unwinding::in_a_drop};

/// A [`RatioBudget`], by value or by reference: what its accounts hold.
#[doc(hidden)]
pub trait RatioHandle: sealed::Sealed + Clone {
    type Clock: Fn() -> Instant;
    fn budget(&self) -> &RatioBudget<Self::Clock>;
}

mod sealed {
    #[allow(unnameable_types)] // That is what seals it.
    pub trait Sealed {}
    impl<C> Sealed for super::RatioBudget<C> {}
    impl<C> Sealed for &super::RatioBudget<C> {}
}

impl<C: Fn() -> Instant> RatioHandle for RatioBudget<C> {
    type Clock = C;

    fn budget(&self) -> &Self {
        self
    }
}

impl<C: Fn() -> Instant> RatioHandle for &RatioBudget<C> {
    type Clock = C;

    fn budget(&self) -> &RatioBudget<C> {
        self
    }
}

/// One request's side of a [`RatioBudget`].
///
/// Its deposit is made once: when an attempt has succeeded or failed for good, when an extra one is asked for, or when the
/// account is dropped, whichever comes first. So a request reads the clock once in most cases, and the deposit and the withdrawal of a
/// first retry are one step.
pub struct RatioAccount<H: RatioHandle = RatioBudget> {
    budget: H,
    has_deposited: bool,
}

impl<H: RatioHandle> RatioAccount<H> {
    pub(super) fn new(budget: H) -> Self {
        Self { budget, has_deposited: false }
    }

    /// [`withdraw`](Account::withdraw) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn withdraw_at(&mut self, now: Instant) -> Result<RatioToken<H>, Exhausted> {
        self.take(|_| now)
    }

    /// Makes the request's deposit at `now`, if it was not made before: what [`record`](Account::record) does.
    pub fn deposit_at(&mut self, now: Instant) {
        self.deposit(|_| now);
    }

    /// The deposits that are still to be made: one or none, and none from now on. Before the clock is asked, for it may panic.
    fn owed(&mut self) -> u32 {
        u32::from(!mem::replace(&mut self.has_deposited, true))
    }

    #[inline]
    fn take(&mut self, now: impl FnOnce(&RatioBudget<H::Clock>) -> Instant) -> Result<RatioToken<H>, Exhausted> {
        let deposits = self.owed();
        let budget = self.budget.budget();
        let tick = budget.take(now(budget), deposits)?;
        Ok(RatioToken { budget: self.budget.clone(), tick, sent: false })
    }

    fn deposit(&mut self, now: impl FnOnce(&RatioBudget<H::Clock>) -> Instant) {
        if self.owed() > 0 {
            let budget = self.budget.budget();
            budget.deposit_at(now(budget));
        }
    }
}

impl<H: RatioHandle> Account for RatioAccount<H> {
    type Token = RatioToken<H>;

    #[inline]
    fn withdraw(&mut self, _: Cause) -> Result<RatioToken<H>, Exhausted> {
        self.take(RatioBudget::now)
    }

    fn sent(&mut self, token: &mut RatioToken<H>) {
        token.sent = true;
    }

    fn record(&mut self, outcome: Outcome) {
        match outcome {
            // A retry will be asked for at once: the two are then one step. If not, dropping the account deposits.
            Outcome::Transient | Outcome::Throttled => {}
            Outcome::Success | Outcome::Permanent => self.deposit(RatioBudget::now),
        }
    }
}

impl<H: RatioHandle> Drop for RatioAccount<H> {
    fn drop(&mut self) {
        in_a_drop(|| self.deposit(RatioBudget::now));
    }
}

impl<H: RatioHandle> fmt::Debug for RatioAccount<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RatioAccount").field("has_deposited", &self.has_deposited).finish_non_exhaustive()
    }
}

/// One extra attempt of a [`RatioBudget`]. Dropped before it is [`sent`](Account::sent), it is given back.
#[must_use = "dropping the token gives the attempt back: keep it while the attempt is in flight"]
pub struct RatioToken<H: RatioHandle = RatioBudget> {
    budget: H,
    tick: u64,
    sent: bool,
}

impl<H: RatioHandle> Drop for RatioToken<H> {
    fn drop(&mut self) {
        if !self.sent {
            self.budget.budget().shared.ledger.refund(self.tick);
        }
    }
}

impl<H: RatioHandle> fmt::Debug for RatioToken<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RatioToken").field("sent", &self.sent).finish_non_exhaustive()
    }
}
