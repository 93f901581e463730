//! A breaker for each key: for each host, provider or tenant one, of which a bounded number is kept.

mod builder;
mod order;
mod slots;
mod snapshot;
mod turns;

use std::{
    borrow::Borrow,
    fmt,
    hash::Hash,
    num::NonZeroUsize,
    sync::PoisonError,
    time::{Duration, Instant},
};

pub use builder::MapBuilder;
pub use snapshot::MapSnapshot;

use crate::{
    Breaker, BreakerBuilder, BreakerObserver, Permit, Rejected, Snapshot,
    breaker::Plan,
    member::{Member, Seat},
    open_times::nanos,
    quota::Quota,
    sync::{Arc, AtomicU64, Ordering, RwLock},
};
use builder::Observe;
use slots::{Slot, Slots};

/// A breaker for each key, such as one for each host, of which only a share rejects at the same time.
///
/// **Bounded.** It keeps at most `capacity` keys. When it is full, a new key takes the place of the one that is closed and was
/// not asked for for the longest time; only if none is closed, of the one that was not asked for for the longest time of all.
/// So it is in a map of up to 1,024 keys, and in a larger one wherever that key is found by looking at 1,024; else it is the one
/// of those that were looked at, of which, where many have opened at once, few may be closed. The breaker of the key that goes
/// begins anew when that is asked for again. A capacity that the keys in use do not reach is never felt; watch
/// [`crowded_out`](MapSnapshot::crowded_out).
///
/// **Idle.** A key that was not asked for within [`idle_after`](MapBuilder::idle_after) is dropped if it is closed, and its
/// breaker and observer with it: up to two of them when a new key comes, or none yet where it would have to look past too many
/// keys that are in use; all by [`remove_idle`](Self::remove_idle). One that is open, half-open or forced is not dropped for
/// being idle: it still has something to say.
///
/// **At most a share rejects.** When many keys fail at once, the fault is rather on this side, or to reject them all would leave
/// nothing to call. So at most [`max_open`](MapBuilder::max_open) of the keys, rounded down, and one in any case, are open or
/// half-open at the same time. Beyond that a breaker whose rules say that it should open stays closed: it goes on admitting and
/// counting, tells its observer ([`on_held_closed`](BreakerObserver::on_held_closed)), and opens by the next result for which
/// the rules still say so when there is room. One that is forced open is counted, and asks nobody. In a dry run nothing is
/// rejected, so nothing is counted. Idle keys stay for as long as without them the share would be exceeded.
///
/// **Ask for each request.** Asking is what keeps a key. A handle that is kept for longer goes on working, but when its key was
/// dropped in the meantime, it is an ordinary breaker that no map counts, and whoever asks next gets a new one beside it.
///
/// Cloning is one reference count; every clone is the same map. To ask for a key that is there takes a lock for reading,
/// and allocates nothing. A new key takes it for writing; to find the one that it drops, it looks only at keys that were
/// asked for, opened or closed since they were looked at last, so over time each new key costs the logarithm of their
/// number. None has to look at all, when each was asked for since the last one came: it looks at 1,024 where the map is full,
/// and at 32 for idle ones, and the next one goes on behind these. (And at as many keys that closed again, and, where
/// none is found closed, at as many that are not.) The lock is held while keys are hashed, compared and, in
/// [`snapshots`](Self::snapshots), cloned, and for no other code of yours: breakers and observers are made, told and
/// dropped outside of it. A panic of yours leaves the map usable.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerMap, State};
/// use std::num::NonZeroUsize;
///
/// let hundred = NonZeroUsize::new(100).unwrap();
/// let breakers: BreakerMap<String> =
///     BreakerMap::builder(hundred, Breaker::builder().consecutive_failures(1)).build()?;
/// for host in ["a", "b"] {
///     breakers.try_acquire(host).unwrap().success();
/// }
///
/// breakers.try_acquire("a").unwrap().failure();
/// assert!(breakers.try_acquire("a").is_err());
///
/// // Half of the keys reject already: this one is asked on, however it fails.
/// breakers.try_acquire("b").unwrap().failure();
/// assert_eq!(breakers.breaker("b").state(), State::Closed);
/// assert_eq!((breakers.snapshot().rejecting, breakers.snapshot().held_closed), (1, 1));
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
pub struct BreakerMap<K, C = fn() -> Instant, O = ()> {
    shared: Arc<Shared<K, C, O>>,
}

struct Shared<K, C, O> {
    slots: RwLock<Slots<K, C, O>>,
    quota: Arc<Quota>,
    /// Breakers so far.
    made: AtomicU64,
    plan: Plan,
    observe: Observe<K, O>,
    capacity: NonZeroUsize,
    idle_after: Duration,
    max_open: f64,
    epoch: Instant,
    clock: C,
}

impl BreakerMap<()> {
    /// Half of the keys: as long as most answer, the others can be done without; when most fail, to go on asking finds out more
    /// than to reject.
    pub const DEFAULT_MAX_OPEN: f64 = 0.5;

    /// 10 minutes: longer than the breaks in most traffic, and than the longest default open time, and short enough for hosts
    /// that are gone to make room.
    pub const DEFAULT_IDLE_AFTER: Duration = Duration::from_secs(600);

    /// No shorter: a key that pauses for so long would come back with nothing counted.
    pub const SHORTEST_IDLE_AFTER: Duration = Duration::from_secs(1);
}

impl<K> BreakerMap<K> {
    /// A map of at most `capacity` keys with the default settings, of the map and of the breakers.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self::builder(capacity, Breaker::builder()).build().expect("the defaults are in their ranges")
    }
}

impl<K, C: Fn() -> Instant> BreakerMap<K, C> {
    /// The settings. Each key gets a breaker of its own, as `breaker` says; they are checked once, when the map is built, and
    /// then a key that is new cannot fail.
    pub fn builder(capacity: NonZeroUsize, breaker: BreakerBuilder<C>) -> MapBuilder<K, C> {
        MapBuilder::new(capacity, breaker)
    }
}

impl<K: Hash + Eq, C: Fn() -> Instant + Clone, O: BreakerObserver> BreakerMap<K, C, O> {
    /// The breaker of `key`; one that is new is closed, and its time begins now.
    ///
    /// # Panics
    ///
    /// When the function that makes an observer does. The map is as it was.
    #[must_use]
    pub fn breaker<Q>(&self, key: &Q) -> Breaker<C, O>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.breaker_at(key, (self.shared.clock)())
    }

    /// [`breaker`](Self::breaker) at `now`. A key's time does not go back: an earlier instant than its latest is taken for that.
    ///
    /// # Panics
    ///
    /// As there.
    #[must_use]
    pub fn breaker_at<Q>(&self, key: &Q, now: Instant) -> Breaker<C, O>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let shared = &*self.shared;
        let (begins, now) = (now, shared.since_epoch(now));
        if let Some(breaker) = shared.read().find(key, now) {
            return breaker;
        }
        // Outside of the lock. Should another thread be faster, it is dropped again.
        let keys = [key.to_owned(), key.to_owned()];
        let slot = shared.slot(&keys[0], begins, now);
        // What is gone goes at the end, when the lock is free.
        let (breaker, _gone) = shared.write().admit(keys, slot, now);
        breaker
    }

    /// Asks the breaker of `key` to make a call: [`Breaker::try_acquire_owned`], without a handle in between.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when it is not to be made; it says when to come back.
    ///
    /// # Panics
    ///
    /// As [`breaker`](Self::breaker).
    pub fn try_acquire<Q>(&self, key: &Q) -> Result<Permit<Breaker<C, O>>, Rejected>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.try_acquire_at(key, (self.shared.clock)())
    }

    /// [`try_acquire`](Self::try_acquire) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn try_acquire_at<Q>(&self, key: &Q, now: Instant) -> Result<Permit<Breaker<C, O>>, Rejected>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        Permit::with(self.breaker_at(key, now), Some(now))
    }

    /// Whether it is of use to ask the breaker of `key` now: its [`check`](Breaker::check). A key that has none is not given
    /// one, and is `Ok`, as a new one is closed; it is not asked for by that, and an idle key stays idle.
    ///
    /// # Errors
    ///
    /// What [`try_acquire`](Self::try_acquire) would answer, when it would reject.
    pub fn check<Q>(&self, key: &Q) -> Result<(), Rejected>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(key).map_or(Ok(()), |breaker| breaker.check())
    }

    /// [`check`](Self::check) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check_at<Q>(&self, key: &Q, now: Instant) -> Result<(), Rejected>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(key).map_or(Ok(()), |breaker| breaker.check_at(now))
    }

    /// Drops the keys that are idle now, and says how many there were. Not needed for the bound: it is for who wants the memory
    /// back, or the snapshot exact.
    pub fn remove_idle(&self) -> usize {
        self.remove_idle_at((self.shared.clock)())
    }

    /// [`remove_idle`](Self::remove_idle) at `now`.
    pub fn remove_idle_at(&self, now: Instant) -> usize {
        let now = self.shared.since_epoch(now);
        // In a statement of its own: the lock is free when they are dropped.
        let gone = self.shared.write().sweep(now);
        gone.len()
    }
}

impl<K: Hash + Eq, C, O> BreakerMap<K, C, O> {
    /// The breaker of `key`, if it has one. It is not asked for by that: an idle key stays idle.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<Breaker<C, O>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shared.read().get(key)
    }

    /// Drops `key`, whatever state it is in: its breaker, if it had one, which is no part of the map any more. For a host that is
    /// gone; that with one key less too many may reject is up to the caller.
    pub fn remove<Q>(&self, key: &Q) -> Option<Breaker<C, O>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let gone = self.shared.write().remove(key);
        gone.breaker()
    }
}

impl<K: Clone, C: Fn() -> Instant, O: BreakerObserver> BreakerMap<K, C, O> {
    /// All keys and what their breakers are like now, in no order: for a health page. Keys that come or go meanwhile may be
    /// missing or be among them.
    #[must_use]
    pub fn snapshots(&self) -> Vec<(K, Snapshot)> {
        self.snapshots_at((self.shared.clock)())
    }

    /// [`snapshots`](Self::snapshots) at `now`.
    #[must_use]
    pub fn snapshots_at(&self, now: Instant) -> Vec<(K, Snapshot)> {
        let breakers: Vec<_> = {
            let slots = self.shared.read();
            slots.iter().map(|(key, breaker)| (key.clone(), breaker.clone())).collect()
        };
        // Outside of the lock: a probe that is out for too long makes this a transition.
        breakers.into_iter().map(|(key, breaker)| (key, breaker.snapshot_at(now))).collect()
    }
}

impl<K, C, O> BreakerMap<K, C, O> {
    /// How many keys have a breaker, at most [`capacity`](Self::capacity).
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

    /// The share of the keys that may reject at the same time.
    #[must_use]
    pub fn max_open(&self) -> f64 {
        self.shared.max_open
    }

    /// When a key that is not asked for is idle.
    #[must_use]
    pub fn idle_after(&self) -> Duration {
        self.shared.idle_after
    }

    /// What it holds now.
    #[must_use]
    pub fn snapshot(&self) -> MapSnapshot {
        let Shared { quota, capacity, .. } = &*self.shared;
        let (keys, (evicted, crowded_out)) = {
            let slots = self.shared.read();
            (slots.len(), slots.evicted())
        };
        MapSnapshot {
            keys,
            capacity: capacity.get(),
            rejecting: quota.rejecting(),
            most_rejecting: quota.most_of(keys as u64) as usize,
            evicted,
            crowded_out,
            held_closed: quota.held_closed(),
        }
    }
}

// A lock is poisoned by a `Hash` or `Eq` that panics; it guards a map that is whole between any two calls of them.
impl<K, C, O> Shared<K, C, O> {
    fn read(&self) -> impl std::ops::Deref<Target = Slots<K, C, O>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> impl std::ops::DerefMut<Target = Slots<K, C, O>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// In nanoseconds: 584 years of them.
    fn since_epoch(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }
}

impl<K, C: Fn() -> Instant + Clone, O: BreakerObserver> Shared<K, C, O> {
    /// A new breaker for a key, whose time begins now.
    fn slot(&self, key: &K, begins: Instant, now: u64) -> Slot<C, O> {
        let observer = (self.observe)(key);
        // Relaxed: that no two get the same number is all.
        let seat = Arc::new(Seat::new(self.made.fetch_add(1, Ordering::Relaxed), now));
        let member = Member::new(Arc::clone(&self.quota), Arc::clone(&seat), self.plan.is_dry_run());
        Slot::new(self.plan.breaker(begins, self.clock.clone(), observer, Some(member)), seat)
    }
}

impl<K, C, O> Clone for BreakerMap<K, C, O> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, C, O> fmt::Debug for BreakerMap<K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MapSnapshot { keys, capacity, rejecting, evicted, .. } = self.snapshot();
        f.debug_struct("BreakerMap")
            .field("keys", &keys)
            .field("capacity", &capacity)
            .field("rejecting", &rejecting)
            .field("evicted", &evicted)
            .finish_non_exhaustive()
    }
}
