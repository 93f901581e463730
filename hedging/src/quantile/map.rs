//! An estimate for each key: for each endpoint one, of which a bounded number is kept.

use std::{borrow::Borrow, fmt, hash::Hash, num::NonZeroUsize, time::Instant};

use evenkeel_budget::{BudgetMap, MapSnapshot};

use super::Quantile;

/// An estimate for each key, such as one for each endpoint, and one for all that there is no room for.
///
/// It is a [`BudgetMap`], with [`Quantile`]s in place of budgets, and has its rules: at most `capacity` keys, idle ones are
/// dropped after 10 minutes, and when it is full of keys in use a new one gets the overflow estimate, which is one for all of
/// them. Each takes 16 KiB. For other times, or another clock, make a `BudgetMap` of `Quantile`s yourself.
///
/// Endpoints differ in how long they take; the hosts behind them are what is overloaded. So have an estimate for each
/// endpoint and a budget for each host:
///
/// ```
/// use evenkeel_hedging::{BudgetMap, Hedge, Quantile, QuantileMap, TokenBudget};
/// use std::num::NonZeroUsize;
///
/// let estimates: QuantileMap<String> = QuantileMap::new(NonZeroUsize::new(100).unwrap(), Quantile::p95);
/// let budgets: BudgetMap<String> = BudgetMap::new(NonZeroUsize::new(20).unwrap(), TokenBudget::default);
///
/// async fn answer() -> Result<u32, ()> {
///     tokio::task::yield_now().await;
///     Ok(42)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let hedge = Hedge::new(estimates.quantile("/v1/embeddings"), tokio::time::sleep).budget(budgets.budget("10.0.0.1"));
/// assert_eq!(hedge.run(|_| answer()).await, Ok(42));
/// # });
/// assert_eq!(estimates.quantile("/v1/embeddings").snapshot().count, 1);
/// assert_eq!(estimates.quantile("/v1/chat/completions").snapshot().count, 0);
/// ```
///
/// Under tower, `HedgeLayer::choose` asks for a policy by the request.
pub struct QuantileMap<K, C = fn() -> Instant> {
    map: BudgetMap<K, Quantile<C>>,
}

impl<K: Hash + Eq + Clone, C> QuantileMap<K, C> {
    /// At most `capacity` keys, each with an estimate that `make` makes.
    #[must_use]
    pub fn new(capacity: NonZeroUsize, make: impl Fn() -> Quantile<C> + Send + Sync + 'static) -> Self {
        Self { map: BudgetMap::new(capacity, make) }
    }

    /// The estimate of `key`, or the overflow estimate where there is no room for it. Ask for each request: that is what
    /// keeps a key.
    ///
    /// # Panics
    ///
    /// When the function that makes an estimate does. The map is as it was.
    #[must_use]
    pub fn quantile<Q>(&self, key: &Q) -> Quantile<C>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.map.budget(key)
    }

    /// What it holds.
    #[must_use]
    pub fn snapshot(&self) -> MapSnapshot {
        self.map.snapshot()
    }
}

impl<K, C> Clone for QuantileMap<K, C> {
    fn clone(&self) -> Self {
        Self { map: self.map.clone() }
    }
}

impl<K, C> fmt::Debug for QuantileMap<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuantileMap").finish_non_exhaustive()
    }
}
