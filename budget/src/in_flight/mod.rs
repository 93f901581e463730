//! The budget of places: so many extra attempts in flight for the requests that are in flight.

mod account;
mod builder;
mod places;

use std::fmt;

pub use account::{InFlightAccount, InFlightToken};
pub use builder::InFlightBuilder;

use crate::{Balance, Budget, Earns, sync::Arc};
use places::{Limit, Places};

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
    places: Arc<Places>,
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
        let in_flight = self.places.now();
        let (originals, extras) = (in_flight.originals(), in_flight.extras());
        InFlightSnapshot { originals, extras, limit: self.places.limit.at(originals) }
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
        let Limit { share, min_concurrency } = self.places.limit;
        f.debug_struct("InFlightBudget")
            .field("share", &share.value())
            .field("min_concurrency", &min_concurrency)
            .field("in_flight", &self.snapshot())
            .finish()
    }
}
