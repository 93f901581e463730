//! The keys and their budgets: what the map's lock guards.

use std::{borrow::Borrow, collections::HashMap, hash::Hash, num::NonZeroUsize};

use super::order::Order;
use crate::sync::{AtomicU64, Ordering};

/// A budget, and when it was asked for last.
pub(super) struct Slot<B> {
    budget: B,
    /// Written by those who only read the map. The lock orders it with what drops the slot, so it is relaxed.
    last_used: AtomicU64,
}

impl<B> Slot<B> {
    pub(super) fn new(budget: B, now: u64) -> Self {
        Self { budget, last_used: AtomicU64::new(now) }
    }

    fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }
}

impl<B: Clone> Slot<B> {
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
    order: Order<K>,
    capacity: NonZeroUsize,
    /// In nanoseconds, as all times here.
    idle_after: u64,
    evicted: u64,
}

/// What came of a new key.
pub(super) struct Admitted<K, B> {
    /// Its own, or the one that it has already; none if there is no room.
    pub(super) budget: Option<B>,
    /// To be dropped when the lock is free.
    pub(super) _gone: Gone<K, B>,
}

/// What was taken out: code of the caller's, so it is kept for when the lock is free.
pub(super) struct Gone<K, B> {
    slots: Vec<(K, Slot<B>)>,
    copies: Vec<K>,
}

impl<K, B> Gone<K, B> {
    pub(super) const fn nothing() -> Self {
        Self { slots: Vec::new(), copies: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// So many idle keys are dropped when one comes: more than one, so that they become fewer, and few, so that it is done soon.
const IDLE_AT_A_TIME: usize = 2;

/// So many keys are looked at for that: all may have been asked for since, and the lock is not held until each has its place.
const LOOKS_AT_A_TIME: usize = 32;

impl<K, B> Slots<K, B> {
    pub(super) fn new(capacity: NonZeroUsize, idle_after: u64) -> Self {
        Self { by_key: HashMap::new(), order: Order::new(), capacity, idle_after, evicted: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn is_full(&self) -> bool {
        self.len() >= self.capacity.get()
    }

    /// Whether a new key need not even be brought in: it is full, and nobody is idle.
    pub(super) fn has_no_room(&self, now: u64) -> bool {
        self.is_full() && !self.idle_since(now).is_some_and(|latest| self.order.may_be_idle_since(latest))
    }

    /// Those that were not asked for after that are idle.
    fn idle_since(&self, now: u64) -> Option<u64> {
        now.checked_sub(self.idle_after)
    }
}

impl<K: Hash + Eq, B: Clone> Slots<K, B> {
    /// The budget of a key that is there, which is used now.
    pub(super) fn find<Q>(&self, key: &Q, now: u64) -> Option<B>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.by_key.get(key).map(|slot| slot.use_at(now))
    }

    /// Takes a key in, unless another thread has, or there is no room.
    pub(super) fn admit(&mut self, [key, copy]: [K; 2], slot: Slot<B>, now: u64) -> Admitted<K, B> {
        let mut gone = Gone::nothing();
        // First: a key that is idle and is asked for again goes on as it was.
        let found = self.find(&key, now);
        if found.is_none() {
            self.remove_idle(now, IDLE_AT_A_TIME, LOOKS_AT_A_TIME, &mut gone);
        }
        if found.is_some() || self.is_full() {
            gone.slots.push((key, slot));
            gone.copies.push(copy);
            return Admitted { budget: found, _gone: gone };
        }
        let budget = slot.budget.clone();
        let now = slot.last_used();
        self.by_key.insert(key, slot);
        self.order.insert(copy, now);
        Admitted { budget: Some(budget), _gone: gone }
    }

    /// Takes out so many of those that are idle, the longest idle first; whether there may be more. `looks` is how many keys may
    /// be looked at for that.
    fn remove_idle(&mut self, now: u64, most: usize, mut looks: usize, gone: &mut Gone<K, B>) -> bool {
        let Some(latest) = self.idle_since(now) else { return false };
        for _ in 0..most {
            // A key that is in the order is in the map.
            let last_used = |key: &K| self.by_key.get(key).map_or(0, Slot::last_used);
            let Some(key) = self.order.idle_since(latest, &mut looks, last_used) else { break };
            // First, for this hashes: should it panic, nothing was changed.
            gone.slots.extend(self.by_key.remove_entry(key));
            gone.copies.extend(self.order.remove_first());
            self.evicted += 1;
        }
        self.order.may_be_idle_since(latest)
    }

    /// Takes out those that are idle, with so many looks as a new key; whether there may be more.
    pub(super) fn sweep(&mut self, now: u64, gone: &mut Gone<K, B>) -> bool {
        let may_be_more = self.remove_idle(now, usize::MAX, LOOKS_AT_A_TIME, gone);
        if !may_be_more {
            // Room for twice those that are left: what traffic has grown to once is not kept for ever.
            self.by_key.shrink_to(self.by_key.len() * 2);
        }
        may_be_more
    }
}
