//! What a map of budgets is made of, checked before there is one.

use std::{
    fmt,
    hash::Hash,
    marker::PhantomData,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use super::{BudgetMap, Shared, nanos, slots::Slots};
use crate::{
    Invalid, TokenBudget,
    sync::{Arc, AtomicU64, RwLock},
};

/// Makes a [`BudgetMap`].
///
/// ```
/// use evenkeel_budget::{BudgetMap, RatioBudget};
/// use std::{num::NonZeroUsize, time::Duration};
///
/// let thousand = NonZeroUsize::new(1_000).unwrap();
/// let builder = || BudgetMap::builder(thousand, RatioBudget::default);
/// let budgets: BudgetMap<String, _> = builder().idle_after(Duration::from_secs(3_600)).build()?;
/// assert!(budgets.is_empty());
///
/// let refused: Result<BudgetMap<String, _>, _> = builder().idle_after(Duration::ZERO).build();
/// assert_eq!(refused.unwrap_err().to_string(), "idle_after is 0ns: it must be at least 1 s");
/// # Ok::<(), evenkeel_budget::Invalid>(())
/// ```
#[must_use = "a builder makes nothing until `build` is called"]
pub struct MapBuilder<K, B = TokenBudget, C = fn() -> Instant> {
    capacity: NonZeroUsize,
    make: Box<dyn Fn() -> B + Send + Sync>,
    idle_after: Duration,
    clock: C,
    keys: PhantomData<fn(K)>,
}

impl<K, B> MapBuilder<K, B> {
    pub(super) fn new(capacity: NonZeroUsize, make: Box<dyn Fn() -> B + Send + Sync>) -> Self {
        Self {
            capacity,
            make,
            idle_after: BudgetMap::DEFAULT_IDLE_AFTER,
            // The default value of a clock parameter.
            #[allow(clippy::disallowed_methods)]
            clock: Instant::now,
            keys: PhantomData,
        }
    }
}

impl<K, B, C> MapBuilder<K, B, C> {
    /// When a key that is not asked for is idle, at least 1 s. 10 minutes when left out; [`Duration::MAX`] is never.
    ///
    /// Longer than what the budgets need to recover by themselves: a key that is dropped comes back to a full budget.
    pub fn idle_after(mut self, idle_after: Duration) -> Self {
        self.idle_after = idle_after;
        self
    }

    /// The time is what `clock` says. [`Instant::now`] when left out; under tokio's paused clock
    /// `|| tokio::time::Instant::now().into_std()`. It is for the idle time alone: the budgets have clocks of their own.
    pub fn clock<D: Fn() -> Instant>(self, clock: D) -> MapBuilder<K, B, D> {
        let Self { capacity, make, idle_after, clock: _, keys } = self;
        MapBuilder { capacity, make, idle_after, clock, keys }
    }
}

impl<K: Hash + Eq, B: Clone, C: Fn() -> Instant> MapBuilder<K, B, C> {
    /// The map, without keys; its time begins now. It makes the overflow budget.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when `idle_after` is shorter than 1 s.
    pub fn build(self) -> Result<BudgetMap<K, B, C>, Invalid> {
        if self.idle_after < BudgetMap::SHORTEST_IDLE_AFTER {
            return Err(Invalid::time("idle_after", self.idle_after, "at least 1 s"));
        }
        Ok(self.finish())
    }

    /// [`build`](Self::build) of what was checked, or is the default.
    pub(super) fn finish(self) -> BudgetMap<K, B, C> {
        let Self { capacity, make, idle_after, clock, keys: _ } = self;
        let shared = Shared {
            slots: RwLock::new(Slots::new(capacity, nanos(idle_after))),
            overflow: make(),
            overflowed: AtomicU64::new(0),
            make,
            capacity,
            idle_after,
            epoch: clock(),
            clock,
        };
        BudgetMap { shared: Arc::new(shared) }
    }
}

impl<K, B, C> fmt::Debug for MapBuilder<K, B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapBuilder")
            .field("capacity", &self.capacity)
            .field("idle_after", &self.idle_after)
            .finish_non_exhaustive()
    }
}
