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
        let mut looks = usize::MAX;
        self.idle_since(u64::MAX, &mut looks)
    }

    /// The same, if it was not asked for after `latest`, and is found with so many looks at keys, which are counted down.
    ///
    /// Where the first one stands behind `latest` there is none: all others stand behind it, and were not asked for before that.
    pub(super) fn idle_since(&mut self, latest: u64, looks: &mut usize) -> Option<Arc<Seat>> {
        loop {
            let first = self.by_age.first_entry()?;
            let (_, seat) = first.get();
            if seat.filed() > latest {
                return None;
            }
            *looks = looks.checked_sub(1)?;
            if seat.last_used() <= seat.filed() {
                return Some(Arc::clone(seat));
            }
            let (key, seat) = first.remove();
            self.insert(key, seat);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// So many keys that came at 0, all of them asked for at `used`.
    fn asked_for(keys: u64, used: u64) -> Order<u64> {
        let mut order = Order::new();
        for key in 0..keys {
            let seat = Arc::new(Seat::new(key, 0));
            order.insert(key, Arc::clone(&seat));
            seat.use_at(used);
        }
        order
    }

    fn moved(order: &Order<u64>) -> usize {
        order.by_age.values().filter(|(_, seat)| seat.filed() > 0).count()
    }

    #[test]
    fn idle_keys_are_found_with_so_many_looks_however_many_were_asked_for_since() {
        let mut order = asked_for(1_000, 50);
        let mut looks = 32;
        assert!(order.idle_since(60, &mut looks).is_none());
        assert_eq!((looks, moved(&order)), (0, 32));

        // Those that were moved are behind those that were not, and the next ones go on there.
        let mut looks = 1_000;
        let seat = order.idle_since(60, &mut looks).expect("all of them are idle at 60");
        assert_eq!((seat.number(), looks, moved(&order)), (0, 31, 1_000));
    }

    #[test]
    fn where_the_first_key_is_not_idle_none_is_looked_at() {
        let mut order = asked_for(1_000, 50);
        order.longest_idle();
        for seat in order.by_age.values().map(|(_, seat)| seat) {
            seat.use_at(70);
        }
        let mut looks = 32;
        assert!(order.idle_since(49, &mut looks).is_none());
        assert_eq!(looks, 32);
        assert!(order.by_age.values().all(|(_, seat)| seat.filed() == 50));
    }

    #[test]
    fn the_longest_idle_of_all_is_found_behind_any_number_of_others() {
        let mut order = asked_for(1_000, 50);
        order.insert(1_000, Arc::new(Seat::new(1_000, 40)));
        let seat = order.longest_idle().expect("one at least");
        assert_eq!((seat.number(), moved(&order)), (1_000, 1_001));
    }
}
