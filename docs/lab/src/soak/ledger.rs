//! The auditor's own account of a budget: a wrapper that counts what is granted, sent, given back and earned.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use evenkeel_budget::{Account, Budget, Cause, Costs, Exhausted, Outcome};

/// A budget, and the books kept about it. It grants what the budget in it grants.
#[derive(Clone, Debug)]
pub(super) struct Audited<B> {
    budget: B,
    ledger: Arc<Ledger>,
}

/// The books: all counts since it was made.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    costs: Option<Costs>,
    /// Requests that began, and that ended.
    pub(super) opened: Count,
    /// Requests that ended.
    pub(super) closed: Count,
    /// Extra attempts that were granted.
    pub(super) granted: Count,
    /// Extra attempts that were refused.
    pub(super) refused: Count,
    /// Of those granted: that went out.
    pub(super) sent: Count,
    /// Of those granted: that were dropped before they went out.
    pub(super) unsent: Count,
    /// Of those that went out: that have ended.
    pub(super) ended: Count,
    /// In the AWS form: what those that went out cost.
    pub(super) spent: Count,
    /// In the AWS form: what requests earned by succeeding.
    pub(super) earned: Count,
    requests: Level,
    extras: Level,
}

/// Only grows.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// One more.
    pub(super) fn add(&self) {
        self.add_many(1);
    }

    /// So many more.
    pub(super) fn add_many(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many.
    #[must_use]
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Goes up and down, and knows how high it was.
#[derive(Debug, Default)]
struct Level {
    now: AtomicI64,
    peak: AtomicI64,
}

impl Level {
    fn up(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
    }

    fn down(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn peak(&self) -> u64 {
        u64::try_from(self.peak.load(Ordering::SeqCst)).unwrap_or(0)
    }
}

impl Ledger {
    /// Of an AWS form with these costs.
    #[must_use]
    pub(super) fn of(costs: Costs) -> Self {
        Self { costs: Some(costs), ..Self::default() }
    }

    /// The most requests that there were at the same time; no fewer than the budget saw.
    #[must_use]
    pub(super) fn peak_requests(&self) -> u64 {
        self.requests.peak()
    }

    /// The most extra attempts that there were at the same time; no more than the budget granted.
    #[must_use]
    pub(super) fn peak_extras(&self) -> u64 {
        self.extras.peak()
    }

    fn cost(&self, cause: Cause) -> u64 {
        self.costs.map_or(0, |costs| {
            u64::from(match cause {
                Cause::Transient => costs.transient,
                Cause::Throttled => costs.throttled,
                Cause::Timeout => costs.timeout,
                Cause::Hedge => costs.hedge,
            })
        })
    }
}

impl<B> Audited<B> {
    /// `budget`, with `ledger` as its books.
    pub(super) fn new(budget: B, ledger: &Arc<Ledger>) -> Self {
        Self { budget, ledger: Arc::clone(ledger) }
    }
}

impl<B: Budget> Budget for Audited<B> {
    type Account = AuditedAccount<B::Account>;

    fn open(&self) -> Self::Account {
        // Before the budget counts it, and closed after: so the auditor sees no fewer than the budget.
        let entry = Entry::open(&self.ledger);
        AuditedAccount { account: self.budget.open(), entry }
    }
}

/// One request's side of an [`Audited`] budget.
#[derive(Debug)]
pub(super) struct AuditedAccount<A> {
    account: A,
    entry: Entry,
}

/// What one request has come to.
#[derive(Debug)]
struct Entry {
    ledger: Arc<Ledger>,
    earns: Earns,
}

/// What a success of this request earns in the AWS form.
#[derive(Clone, Copy, Debug)]
enum Earns {
    One,
    Back(u64),
    Nothing,
}

impl Entry {
    fn open(ledger: &Arc<Ledger>) -> Self {
        ledger.opened.add();
        ledger.requests.up();
        Self { ledger: Arc::clone(ledger), earns: Earns::One }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.closed.add();
        self.ledger.requests.down();
    }
}

/// One extra attempt of an [`Audited`] budget.
#[derive(Debug)]
pub(super) struct AuditedToken<T> {
    // Before the budget's own: the auditor sees no more than the budget.
    slip: Slip,
    token: T,
}

#[derive(Debug)]
struct Slip {
    ledger: Arc<Ledger>,
    cause: Cause,
    sent: bool,
}

impl Drop for Slip {
    fn drop(&mut self) {
        let Self { ledger, sent, .. } = self;
        ledger.extras.down();
        if *sent { ledger.ended.add() } else { ledger.unsent.add() }
    }
}

impl<A: Account> Account for AuditedAccount<A> {
    type Token = AuditedToken<A::Token>;

    fn withdraw(&mut self, cause: Cause) -> Result<Self::Token, Exhausted> {
        let ledger = &self.entry.ledger;
        let token = self.account.withdraw(cause).inspect_err(|_| ledger.refused.add())?;
        ledger.granted.add();
        ledger.extras.up();
        Ok(AuditedToken { slip: Slip { ledger: Arc::clone(ledger), cause, sent: false }, token })
    }

    fn sent(&mut self, AuditedToken { slip, token }: &mut Self::Token) {
        self.account.sent(token);
        let Entry { ledger, earns } = &mut self.entry;
        if slip.sent {
            return;
        }
        slip.sent = true;
        let cost = ledger.cost(slip.cause);
        ledger.sent.add();
        ledger.spent.add_many(cost);
        match (slip.cause, &earns) {
            (Cause::Hedge, _) | (_, Earns::Nothing) => {}
            (Cause::Transient | Cause::Throttled | Cause::Timeout, _) => *earns = Earns::Back(cost),
        }
    }

    fn record(&mut self, outcome: Outcome) {
        self.account.record(outcome);
        if outcome == Outcome::Success {
            let Entry { ledger, earns } = &mut self.entry;
            ledger.earned.add_many(match std::mem::replace(earns, Earns::Nothing) {
                Earns::One => 1,
                Earns::Back(cost) => cost,
                Earns::Nothing => 0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel_budget::TokenBudget;

    #[test]
    fn its_books_agree_with_a_bucket_in_the_middle() {
        let costs = Costs { timeout: 400, ..Costs::REVISION_2026 };
        let (bucket, ledger) = (TokenBudget::new(1_000, costs), Arc::new(Ledger::of(costs)));
        let budget = Audited::new(bucket.clone(), &ledger);
        let mut account = budget.open();
        let mut big = account.withdraw(Cause::Timeout).unwrap();
        account.sent(&mut big);
        let mut account = budget.open();
        drop(account.withdraw(Cause::Transient).unwrap());
        let mut token = account.withdraw(Cause::Throttled).unwrap();
        account.sent(&mut token);
        let mut hedge = account.withdraw(Cause::Hedge).unwrap();
        account.sent(&mut hedge);
        account.record(Outcome::Success);
        account.record(Outcome::Success);
        budget.open().record(Outcome::Success);
        assert_eq!((ledger.spent.get(), ledger.earned.get()), (400 + 5 + 14, 5 + 1));
        assert_eq!(u64::from(bucket.balance()), 1_000 + ledger.earned.get() - ledger.spent.get());
        assert_eq!((ledger.granted.get(), ledger.sent.get(), ledger.unsent.get()), (4, 3, 1));
        assert_eq!(ledger.peak_extras(), 3);
    }
}
