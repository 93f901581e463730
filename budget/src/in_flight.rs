//! The budget of places: so many extra attempts in flight for the requests that are in flight.

use std::{borrow::Borrow, fmt};

use crate::{
    Account, Balance, Budget, Cause, Earns, Exhausted, Invalid, Outcome,
    share::Share,
    sync::{Apart, Arc, AtomicU64, Ordering},
};

/// Extra attempts in flight, limited to a share of the original requests in flight.
///
/// An extra attempt is granted while `extras < max(min_concurrency, share · originals)`. An original is in flight from when
/// its account is opened until that is dropped, an extra attempt from its grant (so its wait counts) until its token is
/// dropped. Only originals are in the share, so that 20 % is at most 1.2 times the load.
///
/// It limits *concurrency*: what is quick costs next to nothing. So it does little against fast failures (a service that
/// answers 503 at once is asked `attempts` times as often), and much against slow ones, which pile up. Use it where what is
/// scarce is connections, threads or memory, or together with another budget, as a pair.
///
/// Source: Envoy's retry budgets (`RetryBudget` of its circuit breakers) and their defaults; Envoy counts retries among the
/// requests in flight.
///
/// Cloning is one reference count; every clone is the same budget. A reference to it is a budget as well, whose accounts
/// count no references. One atomic word, no lock, no clock, no allocation after it is built.
///
/// ```
/// use evenkeel_budget::{Account, Budget, Cause, InFlightBudget};
///
/// let budget = InFlightBudget::builder().share(0.2).min_concurrency(1).build()?;
/// let mut requests: Vec<_> = (0..10).map(|_| budget.open()).collect();
///
/// let first = requests[0].withdraw(Cause::Timeout);
/// let second = requests[1].withdraw(Cause::Timeout);
/// assert!(first.is_ok() && second.is_ok(), "20 % of ten");
/// assert!(requests[2].withdraw(Cause::Timeout).is_err());
///
/// drop(first); // that attempt has ended
/// assert!(requests[2].withdraw(Cause::Timeout).is_ok());
/// # Ok::<(), evenkeel_budget::Invalid>(())
/// ```
#[derive(Clone)]
pub struct InFlightBudget {
    shared: Arc<Shared>,
}

struct Shared {
    /// Both in one word, so that the limit that a grant was measured against is the one that holds when it counts.
    in_flight: Apart<AtomicU64>,
    limit: Limit,
}

/// How many extra attempts may be in flight.
#[derive(Clone, Copy, Debug)]
struct Limit {
    share: Share,
    min_concurrency: u32,
}

impl Limit {
    fn at(self, originals: u32) -> u32 {
        let share = u32::try_from(self.share.floor_of(u64::from(originals))).unwrap_or(u32::MAX);
        share.max(self.min_concurrency)
    }
}

/// Originals in the high half, extra attempts in the low one.
#[derive(Clone, Copy)]
struct InFlight(u64);

impl InFlight {
    const ORIGINAL: u64 = 1 << 32;
    const EXTRA: u64 = 1;

    fn originals(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn extras(self) -> u32 {
        self.0 as u32
    }

    /// With one extra attempt more, where the limit has room for it.
    fn with_extra(self, limit: Limit) -> Option<Self> {
        (self.extras() < limit.at(self.originals())).then_some(Self(self.0 + Self::EXTRA))
    }
}

/// What is in flight under an [`InFlightBudget`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InFlightSnapshot {
    /// Original requests.
    pub originals: u32,
    /// Extra attempts, and those that wait to be sent. May be above the limit while originals end before them.
    pub extras: u32,
    /// How many extra attempts so many originals allow.
    pub limit: u32,
}

impl InFlightBudget {
    /// Envoy's: a fifth more.
    pub const DEFAULT_SHARE: f64 = 0.2;

    /// Envoy's: so that a client of few requests can retry at all.
    pub const DEFAULT_MIN_CONCURRENCY: u32 = 3;

    /// The settings, each with its default.
    pub const fn builder() -> InFlightBuilder {
        InFlightBuilder { share: Self::DEFAULT_SHARE, min_concurrency: Self::DEFAULT_MIN_CONCURRENCY }
    }

    /// What is in flight now.
    #[must_use]
    pub fn snapshot(&self) -> InFlightSnapshot {
        let in_flight = InFlight(self.shared.in_flight.0.load(Ordering::Relaxed));
        let (originals, extras) = (in_flight.originals(), in_flight.extras());
        InFlightSnapshot { originals, extras, limit: self.shared.limit.at(originals) }
    }
}

// The orderings are relaxed: the word guards no other memory, and a read-modify-write sees its latest value.
impl Shared {
    fn enter(&self, what: u64) {
        self.in_flight.0.fetch_add(what, Ordering::Relaxed);
    }

    fn leave(&self, what: u64) {
        self.in_flight.0.fetch_sub(what, Ordering::Relaxed);
    }

    fn try_extra(&self) -> Result<(), Exhausted> {
        let with_extra = |held| InFlight(held).with_extra(self.limit).map(|with| with.0);
        let granted = self.in_flight.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_extra);
        granted.map(drop).map_err(|_| Exhausted::new())
    }
}

/// Makes an [`InFlightBudget`]; each setting has a default.
///
/// ```
/// use evenkeel_budget::InFlightBudget;
///
/// let refused = InFlightBudget::builder().share(-0.2).build().unwrap_err();
/// assert_eq!(refused.to_string(), "share is -0.2: it must be a number from 0 to 1000");
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct InFlightBuilder {
    share: f64,
    min_concurrency: u32,
}

impl InFlightBuilder {
    /// Extra attempts in flight for each original in flight, from 0 to 1000, to nine decimals. 0.2 when left out.
    pub const fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Extra attempts that may be in flight however few originals are. 3 when left out; with 0, and a share of 0 as well,
    /// nothing is ever granted.
    pub const fn min_concurrency(mut self, min_concurrency: u32) -> Self {
        self.min_concurrency = min_concurrency;
        self
    }

    /// The budget, with nothing in flight.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the share is not a number from 0 to 1000.
    pub fn build(self) -> Result<InFlightBudget, Invalid> {
        let limit = Limit { share: Share::new("share", self.share)?, min_concurrency: self.min_concurrency };
        Ok(InFlightBudget { shared: Arc::new(Shared { in_flight: Apart(AtomicU64::new(0)), limit }) })
    }
}

/// The share and the minimum of [`InFlightBudget::builder`].
impl Default for InFlightBudget {
    fn default() -> Self {
        Self::builder().build().expect("the defaults are in their ranges")
    }
}

impl Budget for InFlightBudget {
    type Account = InFlightAccount;

    fn open(&self) -> InFlightAccount {
        InFlightAccount::new(self.clone())
    }
}

/// By reference: its accounts and tokens count no references.
impl<'a> Budget for &'a InFlightBudget {
    type Account = InFlightAccount<&'a InFlightBudget>;

    fn open(&self) -> Self::Account {
        InFlightAccount::new(self)
    }
}

impl Balance for InFlightBudget {
    fn earns(&self) -> Earns {
        Earns::Nothing
    }

    /// The extra attempts that there is room for.
    fn balance(&self) -> f64 {
        let InFlightSnapshot { extras, limit, .. } = self.snapshot();
        f64::from(limit.saturating_sub(extras))
    }
}

impl fmt::Debug for InFlightBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit { share, min_concurrency } = self.shared.limit;
        f.debug_struct("InFlightBudget")
            .field("share", &share.value())
            .field("min_concurrency", &min_concurrency)
            .field("in_flight", &self.snapshot())
            .finish()
    }
}

/// One request's side of an [`InFlightBudget`]: it is in flight until this is dropped.
pub struct InFlightAccount<B: Borrow<InFlightBudget> = InFlightBudget> {
    budget: B,
}

impl<B: Borrow<InFlightBudget>> InFlightAccount<B> {
    fn new(budget: B) -> Self {
        budget.borrow().shared.enter(InFlight::ORIGINAL);
        Self { budget }
    }
}

impl<B: Borrow<InFlightBudget> + Clone> Account for InFlightAccount<B> {
    type Token = InFlightToken<B>;

    fn withdraw(&mut self, _: Cause) -> Result<InFlightToken<B>, Exhausted> {
        self.budget.borrow().shared.try_extra()?;
        Ok(InFlightToken { budget: self.budget.clone() })
    }

    fn record(&mut self, _: Outcome) {}
}

impl<B: Borrow<InFlightBudget>> Drop for InFlightAccount<B> {
    fn drop(&mut self) {
        self.budget.borrow().shared.leave(InFlight::ORIGINAL);
    }
}

impl<B: Borrow<InFlightBudget>> fmt::Debug for InFlightAccount<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlightAccount").finish_non_exhaustive()
    }
}

/// The place of one extra attempt under an [`InFlightBudget`], free again when this is dropped, sent or not.
#[must_use = "dropping the token ends the attempt: keep it while the attempt is in flight"]
pub struct InFlightToken<B: Borrow<InFlightBudget> = InFlightBudget> {
    budget: B,
}

impl<B: Borrow<InFlightBudget>> Drop for InFlightToken<B> {
    fn drop(&mut self) {
        self.budget.borrow().shared.leave(InFlight::EXTRA);
    }
}

impl<B: Borrow<InFlightBudget>> fmt::Debug for InFlightToken<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlightToken").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_largest_share_of_the_most_originals_is_held_to_what_can_be_counted() {
        let limit = Limit { share: Share::new("share", 1000.0).unwrap(), min_concurrency: 0 };
        assert_eq!(limit.at(u32::MAX), u32::MAX);
        assert_eq!(limit.at(4_294_968), u32::MAX, "2³² and a little");
        assert_eq!(limit.at(2), 2_000);
    }
}
