//! The budget of a share: so many extra attempts for each original request, within a sliding window, and a reserve.

mod account;
mod builder;
mod ledger;

use std::{
    fmt,
    time::{Duration, Instant},
};

pub use account::{RatioAccount, RatioHandle, RatioToken};
pub use builder::RatioBuilder;

use crate::{Balance, Budget, Earns, Exhausted, share::Share, sync::Arc, window::Ticks};
use ledger::{Ledger, Rule, Sums};

/// So many extra attempts for each original request, and a reserve for when there are few.
///
/// At every withdrawal, over the time-to-live before it, `withdrawals ≤ min_per_second · ttl + ratio · deposits`. Each
/// request deposits once, however it ends and however often it is sent: retries that succeed cannot earn more retries.
/// Deposits and withdrawals are both forgotten after the ttl, so the reserve renews itself, and an idle hour saves
/// nothing up. A ratio of 0.35 is 0.35: 20 requests pay for 7.
///
/// The window has twenty ticks; a ttl that is no whole number of twenty nanoseconds is rounded up to one. A deposit counts for the ttl or up to a tick less, a withdrawal for the ttl or up to a
/// tick more; so the bound above holds for the exact window, and not only to the tick. Time does not go back: an instant
/// that is earlier than the latest one recorded is taken for that.
///
/// It suits clients whose traffic varies, and those who want to say "at most a fifth more": in an outage it goes on
/// granting its share, which [`TokenBudget`](crate::TokenBudget) does not.
///
/// Source: Finagle's `RetryBudget`, whose defaults it has; the sums are exact where Finagle's are.
///
/// Cloning is one reference count; every clone is the same budget. A reference to it is a budget as well, whose accounts
/// count no references. There is no lock, and no allocation after it is built.
///
/// ```
/// use evenkeel_budget::{Account, Budget, Cause, Outcome, RatioBudget};
///
/// let budget = RatioBudget::builder().ratio(0.35).min_per_second(0).build()?;
/// for _ in 0..20 {
///     budget.open().record(Outcome::Success);
/// }
/// let retries = (0..20)
///     .filter(|_| budget.try_withdraw().is_ok())
///     .count();
/// assert_eq!(retries, 7);
/// # Ok::<(), evenkeel_budget::Invalid>(())
/// ```
pub struct RatioBudget<C = fn() -> Instant> {
    shared: Arc<Shared<C>>,
}

struct Shared<C> {
    ledger: Ledger,
    ticks: Ticks,
    rule: Rule,
    ttl: Duration,
    clock: C,
}

/// What a [`RatioBudget`] holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RatioSnapshot {
    /// Original requests that count.
    pub deposits: u64,
    /// Extra attempts that count.
    pub withdrawals: u64,
    /// Extra attempts that need no deposits: `min_per_second · ttl`.
    pub reserve: u64,
    /// `reserve + ratio · deposits − withdrawals`: an extra attempt is granted while it is at least 1, and while fewer than 2³¹
    /// were in the window.
    pub balance: f64,
}

impl RatioBudget {
    /// Finagle's: a fifth more is what most services bear when they are well.
    pub const DEFAULT_RATIO: f64 = 0.2;

    /// Finagle's: enough for a client that has only begun, and nothing to a service.
    pub const DEFAULT_MIN_PER_SECOND: u32 = 10;

    /// Finagle's: longer than a hiccup, so that it can be paid from the time before it, and shorter than an outage.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(10);

    /// No shorter: with twenty ticks it would be too fine for the clocks of some systems.
    pub const SHORTEST_TTL: Duration = Duration::from_secs(1);

    /// No longer: what a service could bear a minute ago says little.
    pub const LONGEST_TTL: Duration = Duration::from_secs(60);

    /// The settings, each with its default.
    pub const fn builder() -> RatioBuilder {
        RatioBuilder::new()
    }
}

impl<C: Fn() -> Instant> RatioBudget<C> {
    fn of(builder: RatioBuilder<C>, ratio: Share) -> Self {
        let RatioBuilder { ratio: _, min_per_second, ttl, clock } = builder;
        let ticks = Ticks::new(clock(), ttl);
        let ttl = ticks.window();
        // Below 2³² · 60 after the whole; a fraction of the product is no whole attempt.
        let reserve = ttl.as_nanos() * u128::from(min_per_second) / 1_000_000_000;
        let rule = Rule { ratio, reserve: reserve as u64 };
        Self { shared: Arc::new(Shared { ledger: Ledger::new(), ticks, rule, ttl, clock }) }
    }

    /// One original request, for those who do without an account.
    pub fn deposit(&self) {
        self.deposit_at(self.now());
    }

    /// [`deposit`](Self::deposit) at `now`.
    pub fn deposit_at(&self, now: Instant) {
        self.shared.ledger.deposit(self.shared.ticks.at(now));
    }

    /// Takes one extra attempt, for those who do without an account; it is not given back.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] when the budget holds less than one. A refusal costs nothing.
    #[inline]
    pub fn try_withdraw(&self) -> Result<(), Exhausted> {
        self.try_withdraw_at(self.now())
    }

    /// [`try_withdraw`](Self::try_withdraw) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_withdraw_at(&self, now: Instant) -> Result<(), Exhausted> {
        let Shared { ledger, ticks, rule, .. } = &*self.shared;
        ledger.withdraw_only(*rule, ticks, ticks.since(now)).map(drop).ok_or(Exhausted::new())
    }

    /// What it holds now.
    #[must_use]
    pub fn snapshot(&self) -> RatioSnapshot {
        self.snapshot_at(self.now())
    }

    /// What it holds at `now`, or at the latest moment recorded if that is later.
    #[must_use]
    pub fn snapshot_at(&self, now: Instant) -> RatioSnapshot {
        let Shared { ledger, ticks, rule, .. } = &*self.shared;
        let Sums { deposits, withdrawals } = ledger.sums(ticks.at(now));
        let Rule { ratio, reserve } = *rule;
        let balance = reserve as f64 + ratio.value() * deposits as f64 - withdrawals as f64;
        RatioSnapshot { deposits, withdrawals, reserve, balance }
    }

    /// Extra attempts for each original request.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.shared.rule.ratio.value()
    }

    /// How long deposits and withdrawals count.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.shared.ttl
    }

    #[inline]
    fn now(&self) -> Instant {
        (self.shared.clock)()
    }

    /// Takes one extra attempt and makes so many deposits, all at `now`. The tick to give it back under.
    #[inline]
    fn take(&self, now: Instant, deposits: u32) -> Result<u64, Exhausted> {
        let Shared { ledger, ticks, rule, .. } = &*self.shared;
        ledger.withdraw(*rule, ticks.at(now), deposits).ok_or(Exhausted::new())
    }
}

/// The ratio, reserve and time-to-live of [`RatioBudget::builder`].
impl Default for RatioBudget {
    fn default() -> Self {
        Self::builder().build().expect("the defaults are in their ranges")
    }
}

impl<C: Fn() -> Instant> Budget for RatioBudget<C> {
    type Account = RatioAccount<Self>;

    fn open(&self) -> RatioAccount<Self> {
        RatioAccount::new(self.clone())
    }
}

/// By reference: its accounts and tokens count no references.
impl<'a, C: Fn() -> Instant> Budget for &'a RatioBudget<C> {
    type Account = RatioAccount<&'a RatioBudget<C>>;

    fn open(&self) -> Self::Account {
        RatioAccount::new(self)
    }
}

impl<C: Fn() -> Instant> Balance for RatioBudget<C> {
    fn earns(&self) -> Earns {
        Earns::EachRequest
    }

    fn balance(&self) -> f64 {
        self.snapshot().balance
    }
}

impl<C> Clone for RatioBudget<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C> fmt::Debug for RatioBudget<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { rule, ttl, .. } = &*self.shared;
        f.debug_struct("RatioBudget")
            .field("ratio", &rule.ratio.value())
            .field("reserve", &rule.reserve)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}
