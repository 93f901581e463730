//! The budgets that pay for extra attempts, one of each kind, with the books kept about each.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use evenkeel_budget::{
    Account, Budget, BudgetMap, Cause, Costs, InFlightBudget, Invalid, Observed, RatioBudget, TokenBudget,
};

use super::{clock::Time, ledger::Ledger, watch::Watch};

/// One of each kind. `K` is the clock that jumps.
pub(super) struct Budgets<K: Time> {
    /// The AWS form, with an observer that panics.
    pub(super) aws: Observed<TokenBudget, Watch>,
    /// The gRPC form.
    pub(super) grpc: TokenBudget,
    /// A ratio by the clock that jumps, with an observer that panics.
    pub(super) ratio: Observed<RatioBudget<K>, Watch>,
    /// A ratio by real time.
    pub(super) steady: RatioBudget,
    /// Places.
    pub(super) places: InFlightBudget,
    /// Places again, as the second of a pair with `paired`.
    pub(super) paired: (TokenBudget, InFlightBudget),
    /// The AWS form, so large and half empty that it is never full and never empty: what it holds follows from its books.
    pub(super) exact: TokenBudget,
    /// One for each key.
    pub(super) keyed: BudgetMap<u64, TokenBudget, K>,
    /// What each of them should hold.
    pub(super) books: Books,
}

/// The books of the budgets.
#[derive(Debug)]
pub(super) struct Books {
    /// Of [`Budgets::aws`].
    pub(super) aws: Arc<Ledger>,
    /// Of [`Budgets::grpc`].
    pub(super) grpc: Arc<Ledger>,
    /// Of [`Budgets::ratio`].
    pub(super) ratio: Arc<Ledger>,
    /// Of [`Budgets::steady`].
    pub(super) steady: Arc<Ledger>,
    /// Of [`Budgets::places`].
    pub(super) places: Arc<Ledger>,
    /// Of [`Budgets::paired`].
    pub(super) paired: Arc<Ledger>,
    /// Of [`Budgets::exact`].
    pub(super) exact: Arc<Ledger>,
    /// Of all in [`Budgets::keyed`].
    pub(super) keyed: Arc<Ledger>,
}

/// The most keys of a map.
pub(super) const CAPACITY: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// When a key is idle.
pub(super) const IDLE_AFTER: Duration = Duration::from_secs(60);
/// How long the ratio budgets remember.
pub(super) const TTL: Duration = Duration::from_secs(1);
/// What the ratio budgets grant for each request.
pub(super) const RATIO: f64 = 0.1;
/// The share of the budgets of places.
pub(super) const SHARE: f64 = 0.25;

/// Small enough to be exhausted, and full again after so many successes.
const SMALL: u32 = 200;
/// A timeout takes half of the exact budget; nothing in the stack that uses it is timed out by a policy.
const EXACT: Costs = Costs { timeout: 1_000_000_000, ..Costs::EARLIER };

impl<K: Time> Budgets<K> {
    /// All full, but the exact one, which is half full.
    ///
    /// # Errors
    ///
    /// None: the settings are in their ranges.
    pub(super) fn new(clock: &K, watch: &Watch) -> Result<Self, Invalid> {
        let ratio = || RatioBudget::builder().ratio(RATIO).min_per_second(5).ttl(TTL);
        let places = || InFlightBudget::builder().share(SHARE).min_concurrency(2).build();
        let keyed = || TokenBudget::new(SMALL, Costs::REVISION_2026);
        let books = Books {
            aws: Arc::new(Ledger::of(Costs::REVISION_2026)),
            grpc: Arc::default(),
            ratio: Arc::default(),
            steady: Arc::default(),
            places: Arc::default(),
            paired: Arc::new(Ledger::of(Costs::EARLIER)),
            exact: Arc::new(Ledger::of(EXACT)),
            keyed: Arc::default(),
        };
        let exact = TokenBudget::new(2 * EXACT.timeout, EXACT);
        let all = Self {
            aws: Observed::new(TokenBudget::default(), watch.clone()),
            grpc: TokenBudget::grpc(100.0, 0.5)?,
            ratio: Observed::new(ratio().clock(clock.clone()).build()?, watch.clone()),
            steady: ratio().build()?,
            places: places()?,
            paired: (TokenBudget::new(SMALL, Costs::EARLIER), places()?),
            exact,
            keyed: BudgetMap::builder(CAPACITY, keyed).idle_after(IDLE_AFTER).clock(clock.clone()).build()?,
            books,
        };
        all.halve();
        Ok(all)
    }

    /// Spends half of the exact budget, outside of its books.
    fn halve(&self) {
        let mut account = self.exact.open();
        if let Ok(mut half) = account.withdraw(Cause::Timeout) {
            account.sent(&mut half);
        }
    }

    /// What the exact budget holds by its books.
    pub(super) fn exact_by_the_books(&self) -> u64 {
        let exact = &self.books.exact;
        (u64::from(EXACT.timeout) + exact.earned.get()).saturating_sub(exact.spent.get())
    }

    /// The budgets of tokens that are to be full when all is well, each with its name.
    #[must_use]
    pub(super) fn of_tokens(&self) -> [(&'static str, &TokenBudget); 3] {
        [("aws", self.aws.budget()), ("grpc", &self.grpc), ("paired", &self.paired.0)]
    }

    /// The budgets of places, each with its name and its books.
    #[must_use]
    pub(super) fn of_places(&self) -> [(&'static str, &InFlightBudget, &Ledger); 2] {
        [("places", &self.places, &self.books.places), ("paired", &self.paired.1, &self.books.paired)]
    }
}

impl Books {
    /// All of them, each with the name of its budget.
    #[must_use]
    pub(super) fn all(&self) -> [(&'static str, &Ledger); 8] {
        [
            ("aws", &self.aws),
            ("grpc", &self.grpc),
            ("ratio", &self.ratio),
            ("steady", &self.steady),
            ("places", &self.places),
            ("paired", &self.paired),
            ("exact", &self.exact),
            ("keyed", &self.keyed),
        ]
    }

    /// A figure over all of them.
    pub(super) fn sum(&self, figure: impl Fn(&Ledger) -> u64) -> u64 {
        self.all().iter().map(|(_, ledger)| figure(ledger)).sum()
    }
}
