//! How many breakers of a map may reject at the same time.

use std::{collections::VecDeque, mem};

use crate::{
    member::Seat,
    sync::{Arc, AtomicU64, Lock, Ordering},
};

/// Counts the keys of a map and those of them that reject.
#[derive(Debug)]
pub(crate) struct Quota {
    share: f64,
    /// The keys in the high half, and those that reject in the low one: they are judged together. Four thousand million
    /// breakers would not fit into memory.
    counts: AtomicU64,
    held_closed: AtomicU64,
    /// The seats that the map has put aside because they were not closed, and that are by now.
    closed_again: Lock<VecDeque<Arc<Seat>>>,
}

/// The right of one breaker to reject; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place(Arc<Quota>);

const KEY: u64 = 1 << 32;

fn halves(counts: u64) -> (u64, u64) {
    (counts / KEY, counts % KEY)
}

impl Quota {
    pub(crate) fn new(share: f64) -> Self {
        Self {
            share,
            counts: AtomicU64::new(0),
            held_closed: AtomicU64::new(0),
            closed_again: Lock::new(VecDeque::new()),
        }
    }

    /// Of so many keys so many may reject: the share, rounded down, and one in any case.
    pub(crate) fn most_of(&self, keys: u64) -> u64 {
        // A number of keys is far below 2⁵³. The product may be rounded past a whole number, to either side; the quotient is
        // rounded to the nearest, as the share was when it was written: 29 of 100 is 0.29, and 100 times that is below 29.
        let is_within = |rejecting: u64| rejecting as f64 / keys as f64 <= self.share;
        let about = (keys as f64 * self.share) as u64;
        let most = (about.saturating_sub(1)..=about + 1).rev().find(|rejecting| is_within(*rejecting));
        most.unwrap_or(0).max(1)
    }

    /// The right to reject, if there is room for one more.
    // A read-modify-write of one word: between two that take, or one that takes and one that removes keys, there is an order,
    // and whoever is second sees what the first has done.
    pub(crate) fn take(quota: &Arc<Self>) -> Option<Place> {
        let more = |counts| {
            let (keys, rejecting) = halves(counts);
            (rejecting < quota.most_of(keys)).then_some(counts + 1)
        };
        if quota.counts.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok() {
            return Some(Place(Arc::clone(quota)));
        }
        // Relaxed: a count, which guards nothing.
        quota.held_closed.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// The right to reject, room or not.
    pub(crate) fn force(quota: &Arc<Self>) -> Place {
        quota.counts.fetch_add(1, Ordering::AcqRel);
        Place(Arc::clone(quota))
    }

    /// There are so many keys.
    pub(crate) fn set_keys(&self, keys: usize) {
        let set = |counts| Some(keys as u64 * KEY + halves(counts).1);
        let _ = self.counts.fetch_update(Ordering::AcqRel, Ordering::Acquire, set);
    }

    /// There are so many keys, unless more reject than so many may.
    pub(crate) fn try_set_keys(&self, keys: usize) -> bool {
        let keys = keys as u64;
        let set = |counts| {
            let (_, rejecting) = halves(counts);
            (rejecting <= self.most_of(keys)).then_some(keys * KEY + rejecting)
        };
        self.counts.fetch_update(Ordering::AcqRel, Ordering::Acquire, set).is_ok()
    }

    pub(crate) fn rejecting(&self) -> usize {
        halves(self.counts.load(Ordering::Acquire)).1 as usize
    }

    /// How often there was no room.
    pub(crate) fn held_closed(&self) -> u64 {
        self.held_closed.load(Ordering::Relaxed)
    }

    pub(crate) fn closed_again(&self, seat: Arc<Seat>) {
        self.closed_again.lock().push_back(seat);
    }

    /// Up to so many of them, those first that closed first. They are told once.
    pub(crate) fn take_closed_again(&self, most: usize) -> VecDeque<Arc<Seat>> {
        let mut waiting = self.closed_again.lock();
        // All of them with their room, so that what many have taken once is not kept.
        if waiting.len() <= most { mem::take(&mut waiting) } else { waiting.drain(..most).collect() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.counts.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_to_whole_keys_and_not_by_the_arithmetic() {
        let most = |share: f64| [1, 2, 3, 10, 30, 100].map(|keys| Quota::new(share).most_of(keys));
        assert_eq!(most(0.5), [1, 1, 1, 5, 15, 50]);
        assert_eq!(most(0.29), [1, 1, 1, 2, 8, 29]);
        assert_eq!(most(0.1), [1, 1, 1, 1, 3, 10]);
        assert_eq!(most(1.0), [1, 2, 3, 10, 30, 100]);
        assert_eq!((Quota::new(0.5).most_of(0), Quota::new(f64::MIN_POSITIVE).most_of(1_000_000)), (1, 1));
        for hundredth in 1..=100_u64 {
            assert_eq!(Quota::new(hundredth as f64 / 100.0).most_of(100), hundredth);
        }
    }

    #[test]
    fn keys_are_not_removed_below_what_the_rejecting_need() {
        let quota = Arc::new(Quota::new(0.5));
        quota.set_keys(4);
        let places = (Quota::take(&quota), Quota::take(&quota));
        assert!(Quota::take(&quota).is_none() && !quota.try_set_keys(3));
        drop(places.0);
        assert!(quota.try_set_keys(1) && Quota::take(&quota).is_none());
        drop(places.1);
        assert_eq!((quota.rejecting(), quota.held_closed()), (0, 2));
    }
}
