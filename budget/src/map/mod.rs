//! A budget for each key: for each host or tenant one, of which a bounded number is kept.

mod builder;
mod order;
mod slots;

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    num::NonZeroUsize,
    sync::PoisonError,
    time::{Duration, Instant},
};

pub use builder::MapBuilder;

use crate::{
    TokenBudget,
    sync::{Arc, AtomicU64, Ordering, RwLock},
};
use slots::{Gone, Slot, Slots};

/// A budget for each key, such as one for each host or tenant, and one for all that there is no room for.
///
/// **Bounded.** It keeps at most `capacity` keys. A key that was not asked for within [`idle_after`](MapBuilder::idle_after)
/// is dropped, and its budget with it: up to two of them, the longest idle first, when a new key comes, all by
/// [`remove_idle`](Self::remove_idle). One that is asked for before that goes on as it was.
///
/// **When it is full** of keys that are in use, a new key gets the *overflow* budget, which is one for all of them. Never a
/// new one: who can invent keys would have a full budget for each. And no key that is in use makes room, for it would have
/// its budget refilled. So choose a capacity that the honest keys do not reach, and watch
/// [`overflowed`](MapSnapshot::overflowed).
///
/// **Ask for each request.** Asking is what keeps a key. A handle that is kept for longer goes on working, but when its key
/// was dropped in the meantime, whoever asks next gets a new budget beside it.
///
/// Cloning is one reference count; every clone is the same map. It has a lock, the only one in this crate: to ask for a key
/// that is there takes it for reading, and so does a new key when the map is full and nobody is idle. Any other new key takes
/// it for writing, and looks at 32 keys at most, however many there are: first at those that it took for idle for the longest
/// time. So in a map of up to 32 keys it finds each that is idle; in a larger one that was asked for all over, after as many
/// new keys as a thirty-second of its own at the latest. [`remove_idle`](Self::remove_idle) frees the lock after as many
/// looks each time. The lock is held while keys are hashed and compared and while a budget's handle is cloned, and for no
/// other code of yours: keys are cloned, and budgets made and dropped, outside of it. A panic of yours leaves it usable.
///
/// ```
/// use evenkeel_budget::{Account, Budget, BudgetMap, Cause, Costs, TokenBudget};
/// use std::num::NonZeroUsize;
///
/// let two = NonZeroUsize::new(2).unwrap();
/// let budgets: BudgetMap<String> = BudgetMap::new(two, || TokenBudget::new(14, Costs::REVISION_2026));
/// let may_retry = |tenant: &str| {
///     let mut account = budgets.budget(tenant).open();
///     let Ok(mut token) = account.withdraw(Cause::Transient) else { return false };
///     account.sent(&mut token);
///     true
/// };
///
/// assert!(may_retry("acme") && !may_retry("acme"), "its budget is spent");
/// assert!(may_retry("umbrella"), "and that of others is not");
///
/// // No room, and nobody is idle: these have one budget together.
/// assert!(may_retry("initech") && !may_retry("hooli"));
/// assert_eq!((budgets.len(), budgets.snapshot().overflowed), (2, 2));
/// ```
pub struct BudgetMap<K, B = TokenBudget, C = fn() -> Instant> {
    shared: Arc<Shared<K, B, C>>,
}

struct Shared<K, B, C> {
    slots: RwLock<Slots<K, B>>,
    overflow: B,
    overflowed: AtomicU64,
    make: Box<dyn Fn() -> B + Send + Sync>,
    capacity: NonZeroUsize,
    idle_after: Duration,
    epoch: Instant,
    clock: C,
}

/// What a [`BudgetMap`] holds at one moment, and what it has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapSnapshot {
    /// Keys that have a budget of their own, idle ones that are still there among them.
    pub keys: usize,
    /// The most keys that it keeps.
    pub capacity: usize,
    /// Keys dropped because they were idle, since it was built.
    pub evicted: u64,
    /// How often the overflow budget was given out, since it was built. Above zero the capacity is too small, or somebody
    /// invents keys.
    pub overflowed: u64,
}

impl BudgetMap<()> {
    /// 10 minutes: longer than the breaks in most traffic, so that an outage is not forgotten together with the key that had
    /// it, and short enough for hosts that are gone to make room.
    pub const DEFAULT_IDLE_AFTER: Duration = Duration::from_secs(600);

    /// No shorter: a key that pauses for so long would come back to a full budget.
    pub const SHORTEST_IDLE_AFTER: Duration = Duration::from_secs(1);
}

impl<K: Hash + Eq, B: Clone> BudgetMap<K, B> {
    /// A map of at most `capacity` keys, each with a budget that `make` makes, dropped when idle for
    /// [`DEFAULT_IDLE_AFTER`](BudgetMap::DEFAULT_IDLE_AFTER).
    #[must_use]
    pub fn new(capacity: NonZeroUsize, make: impl Fn() -> B + Send + Sync + 'static) -> Self {
        Self::builder(capacity, make).finish()
    }
}

impl<K, B> BudgetMap<K, B> {
    /// The settings. `make` makes the budget of a key that is new, and once that of the overflow.
    pub fn builder(capacity: NonZeroUsize, make: impl Fn() -> B + Send + Sync + 'static) -> MapBuilder<K, B> {
        MapBuilder::new(capacity, Box::new(make))
    }
}

impl<K: Hash + Eq, B: Clone, C: Fn() -> Instant> BudgetMap<K, B, C> {
    /// The budget of `key`, or the overflow budget where there is no room for it.
    ///
    /// # Panics
    ///
    /// When the function that makes a budget does. The map is as it was.
    #[must_use]
    pub fn budget<Q>(&self, key: &Q) -> B
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.budget_at(key, (self.shared.clock)())
    }

    /// Drops the keys that are idle now, and says how many there were. Not needed for the bound: it is for who wants the
    /// memory back, or the snapshot exact.
    pub fn remove_idle(&self) -> usize {
        self.remove_idle_at((self.shared.clock)())
    }
}

impl<K: Hash + Eq, B: Clone, C> BudgetMap<K, B, C> {
    /// [`budget`](Self::budget) at `now`. A key's time does not go back: an earlier instant than its latest is taken for that.
    ///
    /// # Panics
    ///
    /// As there.
    #[must_use]
    pub fn budget_at<Q>(&self, key: &Q, now: Instant) -> B
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let shared = &*self.shared;
        let now = shared.since_epoch(now);
        {
            let slots = shared.read();
            if let Some(budget) = slots.find(key, now) {
                return budget;
            }
            if slots.has_no_room(now) {
                return shared.overflow();
            }
        }
        // Outside of the lock. Should another thread be faster, or there be no room after all, it is dropped again.
        let (keys, slot) = ([key.to_owned(), key.to_owned()], Slot::new((shared.make)(), now));
        let admitted = shared.write().admit(keys, slot, now);
        // What is gone goes at the end, when the lock is free.
        admitted.budget.unwrap_or_else(|| shared.overflow())
    }

    /// [`remove_idle`](Self::remove_idle) at `now`.
    pub fn remove_idle_at(&self, now: Instant) -> usize {
        let now = self.shared.since_epoch(now);
        let mut gone = Gone::nothing();
        // The lock is free in between, and when they are dropped.
        while self.shared.write().sweep(now, &mut gone) {}
        gone.len()
    }
}

impl<K, B, C> BudgetMap<K, B, C> {
    /// How many keys have a budget of their own, at most [`capacity`](Self::capacity).
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.read().len()
    }

    /// Whether no key has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most keys that it keeps.
    #[must_use]
    pub fn capacity(&self) -> NonZeroUsize {
        self.shared.capacity
    }

    /// When a key that is not asked for is idle.
    #[must_use]
    pub fn idle_after(&self) -> Duration {
        self.shared.idle_after
    }

    /// The budget of the keys that there is no room for.
    #[must_use]
    pub fn overflow(&self) -> &B {
        &self.shared.overflow
    }

    /// What it holds now: for gauges and counters that a scrape reads.
    #[must_use]
    pub fn snapshot(&self) -> MapSnapshot {
        let (keys, evicted) = {
            let slots = self.shared.read();
            (slots.len(), slots.evicted())
        };
        let overflowed = self.shared.overflowed.load(Ordering::Relaxed);
        MapSnapshot { keys, capacity: self.shared.capacity.get(), evicted, overflowed }
    }
}

// A lock is poisoned by a `Hash` or `Eq` that panics; it guards a map that is whole between any two calls of them.
impl<K, B, C> Shared<K, B, C> {
    fn read(&self) -> impl std::ops::Deref<Target = Slots<K, B>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> impl std::ops::DerefMut<Target = Slots<K, B>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// In nanoseconds: 584 years of them.
    fn since_epoch(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }
}

impl<K, B: Clone, C> Shared<K, B, C> {
    fn overflow(&self) -> B {
        // Relaxed: a count, which guards nothing.
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        self.overflow.clone()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl<K, B, C> Clone for BudgetMap<K, B, C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, B, C> fmt::Debug for BudgetMap<K, B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MapSnapshot { keys, capacity, evicted, overflowed } = self.snapshot();
        f.debug_struct("BudgetMap")
            .field("keys", &keys)
            .field("capacity", &capacity)
            .field("idle_after", &self.shared.idle_after)
            .field("evicted", &evicted)
            .field("overflowed", &overflowed)
            .finish_non_exhaustive()
    }
}
