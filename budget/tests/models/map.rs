//! Keyed budgets: one key has one budget, there are no more keys than there is room for, and no key in use is lost.

#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use evenkeel_budget::BudgetMap;

use super::{model, thread};

const IDLE: Duration = Duration::from_secs(16);

/// The budget is what tells one from another: the overflow is 0, and those of keys count up.
type Map = BudgetMap<u8, usize>;

#[test]
fn two_threads_that_ask_for_one_new_key_get_one_budget() {
    model(|| {
        let (map, now) = map(2);
        let other = in_thread(&map, move |map| map.budget_at(&1, now));
        let here = map.budget_at(&1, now);
        assert_eq!(other.join().unwrap(), here);
        assert_ne!(here, 0);
        assert_eq!((map.len(), map.budget_at(&1, now)), (1, here));
    });
}

#[test]
fn of_two_new_keys_the_last_room_is_for_one() {
    model(|| {
        let (map, now) = map(1);
        let other = in_thread(&map, move |map| map.budget_at(&1, now));
        let here = map.budget_at(&2, now);
        let other = other.join().unwrap();
        assert!((here == 0) ^ (other == 0), "one has the overflow, and the other one of its own: {here}, {other}");
        let snapshot = map.snapshot();
        assert_eq!((snapshot.keys, snapshot.overflowed, snapshot.evicted), (1, 1, 0));
    });
}

#[test]
fn a_key_that_is_asked_for_while_others_sweep_is_kept_or_was_dropped_before() {
    model(|| {
        let (map, start) = map(2);
        let first = map.budget_at(&1, start);
        let later = start + IDLE;
        let sweeper = in_thread(&map, move |map| map.remove_idle_at(later));
        let given = map.budget_at(&1, later);
        let dropped = sweeper.join().unwrap();
        // Asked for first, it is not idle. Dropped first, it is a new one.
        assert_eq!(given == first, dropped == 0);
        assert_eq!(map.budget_at(&1, later), given, "no budget is given that is not the key's");
        assert_eq!((map.len(), map.snapshot().evicted), (1, dropped as u64));
    });
}

#[test]
fn an_idle_key_that_is_asked_for_while_a_new_one_comes_is_kept_or_was_dropped_before() {
    model(|| {
        let (map, start) = map(2);
        let first = map.budget_at(&1, start);
        let later = start + IDLE;
        let other = in_thread(&map, move |map| map.budget_at(&2, later));
        let given = map.budget_at(&1, later);
        let other = other.join().unwrap();
        assert_eq!(given == first, map.snapshot().evicted == 0);
        assert_eq!([1, 2].map(|key| map.budget_at(&key, later)), [given, other], "each has its own");
        assert_eq!((map.len(), map.snapshot().overflowed), (2, 0));
    });
}

#[test]
fn a_key_that_is_used_is_used_for_all_threads() {
    model(|| {
        let (map, start) = map(1);
        let first = map.budget_at(&1, start);
        // Two that use it, one of them late with its time; and then it is as old as the later says.
        let other = in_thread(&map, move |map| map.budget_at(&1, start + IDLE / 2));
        assert_eq!(map.budget_at(&1, start + IDLE / 4), first);
        assert_eq!(other.join().unwrap(), first);
        assert_eq!(map.remove_idle_at(start + IDLE + IDLE / 4), 0);
        assert_eq!(map.remove_idle_at(start + IDLE + IDLE / 2), 1);
    });
}

#[test]
fn a_full_map_gives_an_idle_place_to_one_new_key() {
    model(|| {
        let (map, start) = map(1);
        let _ = map.budget_at(&1, start);
        let later = start + IDLE;
        let other = in_thread(&map, move |map| map.budget_at(&2, later));
        let here = map.budget_at(&3, later);
        let other = other.join().unwrap();
        assert!((here == 0) ^ (other == 0), "{here}, {other}");
        let snapshot = map.snapshot();
        assert_eq!((snapshot.keys, snapshot.overflowed, snapshot.evicted), (1, 1, 1));
    });
}

fn map(capacity: usize) -> (Map, Instant) {
    // Not loom's atomics: it only tells the budgets apart.
    let made = AtomicUsize::new(0);
    let make = move || made.fetch_add(1, Ordering::Relaxed);
    let builder = BudgetMap::builder(NonZeroUsize::new(capacity).unwrap(), make);
    let map = builder.idle_after(IDLE).build().unwrap();
    // After its beginning; from here on it is told the time.
    (map, Instant::now())
}

/// What `f` does with the map in another thread.
fn in_thread<T: Send + 'static>(map: &Map, f: impl FnOnce(Map) -> T + Send + 'static) -> thread::JoinHandle<T> {
    let map = map.clone();
    thread::spawn(move || f(map))
}
