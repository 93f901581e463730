//! The keys and their breakers: what the map's lock guards.

use std::{borrow::Borrow, collections::HashMap, hash::Hash, num::NonZeroUsize};

use super::turns::Turns;
use crate::{Breaker, member::Seat, quota::Quota, sync::Arc};

/// The breaker of a key. Dropped, the breaker is out of the map's counts.
pub(super) struct Slot<C, O> {
    breaker: Breaker<C, O>,
    seat: Arc<Seat>,
}

impl<C, O> Slot<C, O> {
    pub(super) const fn new(breaker: Breaker<C, O>, seat: Arc<Seat>) -> Self {
        Self { breaker, seat }
    }
}

impl<C, O> Drop for Slot<C, O> {
    fn drop(&mut self) {
        self.breaker.detach();
    }
}

/// At most so many keys with a breaker each.
pub(super) struct Slots<K, C, O> {
    // Of a random seed, which whoever invents keys does not know.
    by_key: HashMap<K, Slot<C, O>>,
    turns: Turns<K>,
    quota: Arc<Quota>,
    capacity: NonZeroUsize,
    /// In nanoseconds, as all times here.
    idle_after: u64,
    evicted: u64,
    crowded_out: u64,
}

/// What was taken out: code of the caller's, so it is kept for when the lock is free.
pub(super) struct Gone<K, C, O> {
    slots: Vec<(K, Slot<C, O>)>,
    copies: Vec<K>,
}

impl<K, C, O> Gone<K, C, O> {
    const fn nothing() -> Self {
        Self { slots: Vec::new(), copies: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Of the one that was removed.
    pub(super) fn breaker(&self) -> Option<Breaker<C, O>> {
        self.slots.first().map(|(_, slot)| slot.breaker.clone())
    }
}

/// So many idle keys are dropped when one comes: more than one, so that they become fewer, and few, so that it is done soon.
const IDLE_AT_A_TIME: usize = 2;

/// So many keys are looked at for that: all may have been asked for since, and the lock is not held until each has its place.
const LOOKS_AT_A_TIME: usize = 32;

impl<K, C, O> Slots<K, C, O> {
    pub(super) fn new(capacity: NonZeroUsize, idle_after: u64, quota: Arc<Quota>) -> Self {
        let turns = Turns::new(Arc::clone(&quota));
        Self { by_key: HashMap::new(), turns, quota, capacity, idle_after, evicted: 0, crowded_out: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn evicted(&self) -> (u64, u64) {
        (self.evicted, self.crowded_out)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &Breaker<C, O>)> {
        self.by_key.iter().map(|(key, slot)| (key, &slot.breaker))
    }

    fn is_idle(&self, seat: &Seat, now: u64) -> bool {
        now.saturating_sub(seat.last_used()) >= self.idle_after
    }
}

impl<K: Hash + Eq, C, O> Slots<K, C, O> {
    /// The breaker of a key that is there.
    pub(super) fn get<Q>(&self, key: &Q) -> Option<Breaker<C, O>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.by_key.get(key).map(|slot| slot.breaker.clone())
    }

    /// The same, and it is used now.
    pub(super) fn find<Q>(&self, key: &Q, now: u64) -> Option<Breaker<C, O>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let slot = self.by_key.get(key)?;
        slot.seat.use_at(now);
        Some(slot.breaker.clone())
    }

    /// Takes a key in, unless another thread has: its breaker.
    pub(super) fn admit(&mut self, [key, copy]: [K; 2], slot: Slot<C, O>, now: u64) -> (Breaker<C, O>, Gone<K, C, O>) {
        let mut gone = Gone::nothing();
        if let Some(breaker) = self.find(&key, now) {
            gone.slots.push((key, slot));
            gone.copies.push(copy);
            return (breaker, gone);
        }
        while self.len() >= self.capacity.get() && self.make_room(now, &mut gone) {}
        let (breaker, seat) = (slot.breaker.clone(), Arc::clone(&slot.seat));
        self.by_key.insert(key, slot);
        self.turns.insert(copy, seat);
        // Once for the one that came and the one that went: in between, the share would have been another.
        self.quota.set_keys(self.len());
        self.remove_idle(now, IDLE_AT_A_TIME, LOOKS_AT_A_TIME, &mut gone);
        (breaker, gone)
    }

    fn make_room(&mut self, now: u64, gone: &mut Gone<K, C, O>) -> bool {
        let closed = self.turns.longest_idle_closed();
        let in_use = closed.as_ref().is_none_or(|seat| !self.is_idle(seat, now));
        let Some(seat) = closed.or_else(|| self.turns.longest_idle_other()) else { return false };
        self.take_out(&seat, gone);
        self.crowded_out += u64::from(in_use);
        true
    }

    /// Takes out so many of those that are closed and idle, as long as those that reject do not become too large a share.
    /// `looks` is how many keys may be looked at for that.
    pub(super) fn remove_idle(&mut self, now: u64, most: usize, mut looks: usize, gone: &mut Gone<K, C, O>) {
        let Some(latest) = now.checked_sub(self.idle_after) else { return };
        for _ in 0..most {
            let Some(seat) = self.turns.closed_idle_since(latest, &mut looks) else { return };
            if !self.quota.try_set_keys(self.len().saturating_sub(1)) {
                return;
            }
            self.take_out(&seat, gone);
        }
    }

    /// Takes out all that are closed and idle, as there.
    pub(super) fn sweep(&mut self, now: u64) -> Gone<K, C, O> {
        let mut gone = Gone::nothing();
        self.remove_idle(now, usize::MAX, usize::MAX, &mut gone);
        // Room for twice those that are left: what traffic has grown to once is not kept for ever.
        self.by_key.shrink_to(self.by_key.len() * 2);
        gone
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Gone<K, C, O>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut gone = Gone::nothing();
        if let Some((key, slot)) = self.by_key.remove_entry(key) {
            let filed = self.turns.remove(&slot.seat);
            gone.copies.extend(filed.map(|(copy, _)| copy));
            gone.slots.push((key, slot));
            self.quota.set_keys(self.len());
        }
        gone
    }

    fn take_out(&mut self, seat: &Seat, gone: &mut Gone<K, C, O>) {
        let Some(key) = self.turns.key(seat) else { return };
        // First, for this hashes: should it panic, nothing was changed.
        gone.slots.extend(self.by_key.remove_entry(key));
        let filed = self.turns.remove(seat);
        gone.copies.extend(filed.map(|(copy, _)| copy));
        self.evicted += 1;
    }
}
