//! The keys of a map in the order in which they were asked for, the longest idle one first.

use std::collections::BTreeMap;

use crate::{member::Seat, sync::Arc};

/// Keys by the time at which they were asked for last, and of the same time the older one first.
///
/// Asking for a key does not move it: that would need the map's lock for writing. A key stands where it stood when it was looked
/// at last, so too far to the front, never too far to the back; one that comes to the front is moved to where it belongs, and
/// the first one that belongs there is the longest idle of all. So each asking costs one move at most, at a later time.
///
/// No code of others runs in here: whatever it does is done as a whole.
pub(super) struct Order<K> {
    by_age: BTreeMap<(u64, u64), (K, Arc<Seat>)>,
}

fn filed(seat: &Seat) -> (u64, u64) {
    (seat.filed(), seat.number())
}

impl<K> Order<K> {
    pub(super) const fn new() -> Self {
        Self { by_age: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, key: K, seat: Arc<Seat>) {
        seat.file(seat.last_used());
        self.by_age.insert(filed(&seat), (key, seat));
    }

    /// The key of a seat that is here.
    pub(super) fn key(&self, seat: &Seat) -> Option<&K> {
        self.by_age.get(&filed(seat)).map(|(key, _)| key)
    }

    pub(super) fn remove(&mut self, seat: &Seat) -> Option<(K, Arc<Seat>)> {
        self.by_age.remove(&filed(seat))
    }

    /// The one that was not asked for for the longest time.
    pub(super) fn longest_idle(&mut self) -> Option<Arc<Seat>> {
        loop {
            let first = self.by_age.first_entry()?;
            let (_, seat) = first.get();
            if seat.last_used() <= seat.filed() {
                return Some(Arc::clone(seat));
            }
            let (key, seat) = first.remove();
            self.insert(key, seat);
        }
    }
}
