//! The keys of a map in the order in which they were asked for, the longest idle one first.

use std::collections::BTreeMap;

use crate::{member::Seat, sync::Arc};

/// Where a key stands: the time under which it was filed, and which seat it is.
pub(super) type Place = (u64, u64);

/// Keys by the time at which they were asked for last, and of the same time the older one first.
///
/// Asking for a key does not move it: that would need the map's lock for writing. A key stands where it stood when it was looked
/// at last, so too far to the front, never too far to the back; one that comes to the front is moved to where it belongs, and
/// the first one that belongs there is the longest idle of all. So each asking costs one move at most, at a later time; and as
/// all may have been asked for since, whoever looks says at how many.
///
/// No code of others runs in here: whatever it does is done as a whole.
pub(super) struct Order<K> {
    by_age: BTreeMap<Place, (K, Arc<Seat>)>,
}

fn place(seat: &Seat) -> Place {
    (seat.filed(), seat.number())
}

impl<K> Order<K> {
    pub(super) const fn new() -> Self {
        Self { by_age: BTreeMap::new() }
    }

    /// Where it stands now.
    pub(super) fn insert(&mut self, key: K, seat: Arc<Seat>) -> Place {
        seat.file(seat.last_used());
        let place = place(&seat);
        self.by_age.insert(place, (key, seat));
        place
    }

    /// The key of a seat that is here.
    pub(super) fn key(&self, seat: &Seat) -> Option<&K> {
        self.by_age.get(&place(seat)).map(|(key, _)| key)
    }

    pub(super) fn remove(&mut self, seat: &Seat) -> Option<(K, Arc<Seat>)> {
        self.by_age.remove(&place(seat))
    }

    /// The one that stands there.
    pub(super) fn at(&self, place: Place) -> Option<Arc<Seat>> {
        self.by_age.get(&place).map(|(_, seat)| Arc::clone(seat))
    }

    /// The first one, if it does not stand behind `latest`: else none was asked for before that.
    pub(super) fn first(&self, latest: u64) -> Option<&Arc<Seat>> {
        let (_, (_, seat)) = self.by_age.first_key_value()?;
        (seat.filed() <= latest).then_some(seat)
    }

    pub(super) fn pop_first(&mut self) -> Option<(K, Arc<Seat>)> {
        self.by_age.pop_first().map(|(_, filed)| filed)
    }

    /// Where the first one belongs, and stands from now on.
    pub(super) fn move_first(&mut self) -> Option<Place> {
        let (key, seat) = self.pop_first()?;
        Some(self.insert(key, seat))
    }

    /// The one that was not asked for for the longest time, if that is found with so many looks at keys; else the one of those
    /// that were looked at of which this is so.
    pub(super) fn longest_idle(&mut self, looks: usize) -> Option<Arc<Seat>> {
        let mut looked_at: Option<Place> = None;
        for _ in 0..looks {
            let seat = self.first(u64::MAX)?;
            if seat.is_filed_right() {
                return Some(Arc::clone(seat));
            }
            let place = self.move_first()?;
            looked_at = Some(looked_at.map_or(place, |longest| longest.min(place)));
        }
        self.at(looked_at?)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// So many keys that came at 0, and when each was asked for since.
    fn asked_for(keys: u64, used: impl Fn(u64) -> u64) -> Order<u64> {
        let mut order = Order::new();
        for key in 0..keys {
            let seat = Arc::new(Seat::new(key, 0));
            order.insert(key, Arc::clone(&seat));
            seat.use_at(used(key));
        }
        order
    }

    fn moved(order: &Order<u64>) -> usize {
        order.by_age.values().filter(|(_, seat)| seat.filed() > 0).count()
    }

    #[test]
    fn the_longest_idle_of_all_is_found_behind_as_many_as_are_looked_at() {
        let mut order = asked_for(1_000, |_| 50);
        order.insert(1_000, Arc::new(Seat::new(1_000, 40)));
        let seat = order.longest_idle(1_001).expect("one at least");
        assert_eq!((seat.number(), moved(&order)), (1_000, 1_001));
    }

    #[test]
    fn with_no_more_looks_it_is_the_longest_idle_of_those_that_were_looked_at_and_the_next_goes_on_behind_them() {
        let mut order = asked_for(1_000, |key| 2_000 - key);
        let found = [32, 32, 1_000].map(|looks| {
            let seat = order.longest_idle(looks).expect("one at least");
            (seat.number(), moved(&order))
        });
        assert_eq!(found, [(31, 32), (63, 64), (999, 1_000)]);
        assert!(order.longest_idle(0).is_none(), "it was not looked at any");
    }

    #[test]
    fn where_the_first_key_was_asked_for_later_all_were() {
        let mut order = asked_for(10, |key| 50 + key);
        order.longest_idle(11);
        let number = |latest| order.first(latest).map(|seat| seat.number());
        assert_eq!([49, 50, u64::MAX].map(number), [None, Some(0), Some(0)]);
    }
}
