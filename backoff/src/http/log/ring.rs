//! The places of the records: taken in turn, each behind a lock of its own.

use std::{boxed::Box, mem, num::NonZeroUsize, sync::Arc, time::SystemTime, vec::Vec};

use super::{AttemptRecord, totals::Counted};
use crate::sync::{AtomicU64, Lock, Ordering};

/// The last records, as many as there are places.
pub(super) struct Ring {
    places: Box<[Place]>,
    /// The number of the next record. That each is handed out once is all that is asked of it, so that it is relaxed: what
    /// a place holds is the business of its lock.
    next: AtomicU64,
    since: Lock<SystemTime>,
}

type Place = Lock<Option<Arc<Kept>>>;

/// A record, and what its attempt was counted as.
pub(super) struct Kept {
    pub(super) record: AttemptRecord,
    pub(super) counted: Counted,
}

impl Kept {
    /// The record, without a copy if the log has let go of it.
    pub(super) fn into_record(kept: Arc<Self>) -> AttemptRecord {
        Arc::try_unwrap(kept).map_or_else(|kept| kept.record.clone(), |kept| kept.record)
    }
}

impl Ring {
    pub(super) fn new(capacity: NonZeroUsize, since: SystemTime) -> Self {
        let places = (0..capacity.get()).map(|_| Lock::new(None)).collect();
        Self { places, next: AtomicU64::new(0), since: Lock::new(since) }
    }

    pub(super) fn capacity(&self) -> usize {
        self.places.len()
    }

    pub(super) fn since(&self) -> SystemTime {
        *self.since.lock()
    }

    pub(super) fn push(&self, mut record: AttemptRecord, counted: Counted) {
        record.number = self.next.fetch_add(1, Ordering::Relaxed);
        let (number, record) = (record.number, Arc::new(Kept { record, counted }));
        let mut place = self.place(number).lock();
        // Whoever was held up between the number and the lock, for a whole round, is not the newest any more.
        let is_newer = place.as_ref().is_none_or(|kept| kept.record.number < number);
        let other = if is_newer { place.replace(record) } else { Some(record) };
        drop(place);
        // After the lock is free: to give memory back may take a while.
        drop(other);
    }

    /// What is in the places, the oldest first.
    pub(super) fn kept(&self) -> Vec<Arc<Kept>> {
        let kept = |place: &Place| place.lock().clone();
        let mut records: Vec<_> = self.places.iter().filter_map(kept).collect();
        records.sort_unstable_by_key(|kept| kept.record.number);
        // While the places were read, writers may have gone round: what a later record has replaced elsewhere is too old here.
        let newest = records.last().map_or(0, |kept| kept.record.number);
        let oldest = (newest + 1).saturating_sub(self.places.len() as u64);
        records.retain(|kept| kept.record.number >= oldest);
        records
    }

    /// Gives back what does not count any more.
    pub(super) fn clear(&self, now: SystemTime, is_current: impl Fn(Counted) -> bool) {
        *self.since.lock() = now;
        for place in &self.places {
            let mut place = place.lock();
            let is_old = place.as_ref().is_some_and(|kept| !is_current(kept.counted));
            let old = if is_old { mem::take(&mut *place) } else { None };
            drop(place);
            drop(old);
        }
    }

    fn place(&self, number: u64) -> &Place {
        // The remainder is less than the number of places, which is a `usize`.
        &self.places[(number % self.places.len() as u64) as usize]
    }
}
