//! The keys and their budgets: what the map's lock guards.

use std::{borrow::Borrow, collections::HashMap, hash::Hash, num::NonZeroUsize};

use crate::sync::{AtomicU64, Ordering};

/// A budget, and when it was asked for last.
pub(super) struct Slot<B> {
    budget: B,
    /// Written by those who only read the map. The lock orders it with what drops the slot, so it is relaxed.
    last_used: AtomicU64,
}

impl<B: Clone> Slot<B> {
    pub(super) fn new(budget: B, now: u64) -> Self {
        Self { budget, last_used: AtomicU64::new(now) }
    }

    /// `fetch_max`, so that a thread that comes late with its time does not make the key older.
    fn use_at(&self, now: u64) -> B {
        self.last_used.fetch_max(now, Ordering::Relaxed);
        self.budget.clone()
    }
}

/// At most so many keys with a slot each.
pub(super) struct Slots<K, B> {
    // Of a random seed, which whoever invents keys does not know.
    by_key: HashMap<K, Slot<B>>,
    capacity: NonZeroUsize,
    /// In nanoseconds, as all times here.
    idle_after: u64,
    swept_at: u64,
    evicted: u64,
}

/// What came of a new key.
pub(super) struct Admitted<K, B> {
    /// Its own, or the one that it has already; none if there is no room.
    pub(super) budget: Option<B>,
    /// To be dropped when the lock is free.
    pub(super) _dropped: Dropped<K, B>,
}

/// What was taken out, and the copies of keys that this took: code of the caller's, so it is kept for when the lock is free.
pub(super) struct Dropped<K, B> {
    slots: Vec<(K, Slot<B>)>,
    _copies: Vec<K>,
}

impl<K, B> Dropped<K, B> {
    const fn nothing() -> Self {
        Self { slots: Vec::new(), _copies: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// A sweep looks at every key, under the lock: so often at most in the time after which a key is idle.
const SWEEPS: u64 = 16;

impl<K, B> Slots<K, B> {
    pub(super) fn new(capacity: NonZeroUsize, idle_after: u64) -> Self {
        Self { by_key: HashMap::new(), capacity, idle_after, swept_at: 0, evicted: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.capacity.get()
    }

    /// Also when time went back, however far: not only after it has caught up.
    pub(super) fn is_sweep_due(&self, now: u64) -> bool {
        now.abs_diff(self.swept_at) >= self.idle_after / SWEEPS
    }
}

impl<K: Hash + Eq + Clone, B: Clone> Slots<K, B> {
    /// The budget of a key that is there, which is used now.
    pub(super) fn find<Q>(&self, key: &Q, now: u64) -> Option<B>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.by_key.get(key).map(|slot| slot.use_at(now))
    }

    /// Takes a key in, unless another thread has, or there is no room.
    pub(super) fn admit(&mut self, key: K, slot: Slot<B>, now: u64) -> Admitted<K, B> {
        // First: a key that is idle and is asked for again goes on as it was.
        let found = self.find(&key, now);
        let mut dropped = if self.is_sweep_due(now) { self.sweep(now) } else { Dropped::nothing() };
        let budget = match found {
            Some(budget) => {
                dropped.slots.push((key, slot));
                Some(budget)
            }
            None if self.is_full() => {
                dropped.slots.push((key, slot));
                None
            }
            None => {
                let budget = slot.budget.clone();
                self.by_key.insert(key, slot);
                Some(budget)
            }
        };
        Admitted { budget, _dropped: dropped }
    }

    /// Takes out the keys that are idle.
    pub(super) fn sweep(&mut self, now: u64) -> Dropped<K, B> {
        self.swept_at = now;
        // Relaxed: whoever used a slot did so under the lock.
        let is_idle = |slot: &Slot<B>| now.saturating_sub(slot.last_used.load(Ordering::Relaxed)) >= self.idle_after;
        let idle: Vec<K> = self.by_key.iter().filter(|(_, slot)| is_idle(slot)).map(|(key, _)| key.clone()).collect();
        let slots: Vec<_> = idle.iter().filter_map(|key| self.by_key.remove_entry(key)).collect();
        self.evicted += slots.len() as u64;
        // Room for twice those that are left: what traffic has grown to once is not kept for ever.
        self.by_key.shrink_to(self.by_key.len() * 2);
        Dropped { slots, _copies: idle }
    }
}
