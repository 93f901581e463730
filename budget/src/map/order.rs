//! The keys of a map in the order in which they were asked for, the longest idle one first.

use std::collections::BTreeMap;

/// Keys by the time at which they were asked for last, and of the same time the older one first.
///
/// Asking for a key does not move it: that would need the map's lock for writing. A key stands where it stood when it was looked
/// at last, so too far to the front, never too far to the back; one that comes to the front is moved to where it belongs, and
/// the first one that belongs there is the longest idle of all. So each asking costs one move at most, at a later time.
pub(super) struct Order<K> {
    /// With the number of the key, which tells those of one time apart.
    by_age: BTreeMap<(u64, u64), K>,
    /// Keys so far.
    numbered: u64,
}

impl<K> Order<K> {
    pub(super) const fn new() -> Self {
        Self { by_age: BTreeMap::new(), numbered: 0 }
    }

    pub(super) fn insert(&mut self, key: K, now: u64) {
        self.by_age.insert((now, self.numbered), key);
        self.numbered += 1;
    }

    /// Whether one may not have been asked for after `latest`. Where the first one stands behind that there is none: all others
    /// stand behind it, and no key was asked for before the time that it stands at.
    pub(super) fn may_be_idle_since(&self, latest: u64) -> bool {
        self.by_age.first_key_value().is_some_and(|((filed, _), _)| *filed <= latest)
    }

    /// The one that was not asked for for the longest time, which is the first one then, if it was not asked for after `latest`
    /// and is found with so many looks at keys, which are counted down. `last_used` may panic: the order is whole before each call.
    pub(super) fn idle_since(&mut self, latest: u64, looks: &mut usize, last_used: impl Fn(&K) -> u64) -> Option<&K> {
        while self.may_be_idle_since(latest) {
            *looks = looks.checked_sub(1)?;
            let first = self.by_age.first_entry()?;
            let (filed, number) = *first.key();
            let used = last_used(first.get());
            if used <= filed {
                return self.by_age.first_key_value().map(|(_, key)| key);
            }
            let key = first.remove();
            self.by_age.insert((used, number), key);
        }
        None
    }

    pub(super) fn remove_first(&mut self) -> Option<K> {
        self.by_age.pop_first().map(|(_, key)| key)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// So many keys that came at 0.
    fn came_at_0(keys: u64) -> Order<u64> {
        let mut order = Order::new();
        (0..keys).for_each(|key| order.insert(key, 0));
        order
    }

    fn moved(order: &Order<u64>) -> usize {
        order.by_age.keys().filter(|(filed, _)| *filed > 0).count()
    }

    #[test]
    fn idle_keys_are_found_with_so_many_looks_however_many_were_asked_for_since() {
        let mut order = came_at_0(1_000);
        let mut looks = 32;
        assert_eq!(order.idle_since(60, &mut looks, |_| 50), None);
        assert_eq!((looks, moved(&order)), (0, 32));

        // Those that were moved are behind those that were not, and the next ones go on there.
        let mut looks = 1_000;
        assert_eq!(order.idle_since(60, &mut looks, |_| 50), Some(&0), "all of them are idle at 60");
        assert_eq!((looks, moved(&order)), (31, 1_000));
        assert_eq!(order.remove_first(), Some(0));
    }

    #[test]
    fn where_the_first_key_is_not_idle_none_is_looked_at() {
        let mut order = came_at_0(1_000);
        assert_eq!(order.idle_since(49, &mut usize::MAX.clone(), |_| 50), None);
        assert_eq!(moved(&order), 1_000);
        assert!(!order.may_be_idle_since(49) && order.may_be_idle_since(50));
        let mut looks = 32;
        assert_eq!(order.idle_since(49, &mut looks, |_| unreachable!("it is not looked at")), None);
        assert_eq!(looks, 32);
    }

    #[test]
    fn the_longest_idle_of_all_is_found_behind_any_number_of_others() {
        let mut order = came_at_0(1_000);
        order.insert(1_000, 40);
        let last_used = |key: &u64| if *key < 1_000 { 50 } else { 40 };
        assert_eq!(order.idle_since(60, &mut usize::MAX.clone(), last_used), Some(&1_000));
        assert_eq!(moved(&order), 1_001);
    }
}
