//! The stories of keyed budgets: what is kept, what is dropped, and what those get that there is no room for.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

mod map_support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use evenkeel_budget::{BudgetMap, RatioBudget};
use map_support::{MINUTE, bucket, size, spend};

const SECOND: Duration = Duration::from_secs(1);

/// Keys are idle after a minute.
fn map(capacity: usize) -> (BudgetMap<String>, Instant) {
    let map = BudgetMap::builder(size(capacity), bucket).idle_after(MINUTE).build().unwrap();
    (map, Instant::now())
}

#[test]
fn each_key_has_a_budget_of_its_own_and_keeps_it() {
    let (map, now) = map(10);
    assert!(map.is_empty());
    assert!(spend(&map.budget_at("acme", now)));
    assert!(!spend(&map.budget_at("acme", now)), "the same bucket");
    assert!(spend(&map.budget_at("umbrella", now)));
    assert_eq!((map.len(), map.clone().len(), map.is_empty()), (2, 2, false));
    assert_eq!(map.overflow().balance(), 14);
}

#[test]
fn an_idle_key_is_dropped_when_a_new_one_comes() {
    let (map, start) = map(10);
    assert!(spend(&map.budget_at("idle", start)));
    assert!(spend(&map.budget_at("busy", start)));
    let _ = map.budget_at("busy", start + SECOND);
    let _ = map.budget_at("new", start + MINUTE - Duration::from_nanos(1));
    assert_eq!((map.len(), map.snapshot().evicted), (3, 0), "not idle by a nanosecond");
    let _ = map.budget_at("newer", start + MINUTE);
    assert_eq!((map.len(), map.snapshot().evicted), (3, 1));
    assert!(spend(&map.budget_at("idle", start + 2 * MINUTE)), "a new bucket");
    assert_eq!(map.snapshot().overflowed, 0);
}

#[test]
fn an_idle_key_that_is_asked_for_before_it_is_dropped_goes_on_as_it_was() {
    let (map, start) = map(1);
    assert!(spend(&map.budget_at("acme", start)));
    assert!(!spend(&map.budget_at("acme", start + 10 * MINUTE)));
    let _ = map.budget_at("umbrella", start + 11 * MINUTE - SECOND);
    assert!(!spend(&map.budget_at("acme", start + 11 * MINUTE - SECOND)), "it is in use again");
}

#[test]
fn one_that_is_in_use_is_never_dropped_however_many_are_invented() {
    let (map, start) = map(4);
    let at = |second: u32| start + Duration::from_secs(1) * second;
    let honest: Vec<_> = ["a", "b", "c", "d"].map(|key| map.budget_at(key, start)).into();
    assert!(honest.iter().all(spend));
    for second in 0..1_000 {
        let invented = map.budget_at(&format!("tenant {second}"), at(second));
        assert_eq!(spend(&invented), second == 0, "one budget for all that are invented");
        // Once in 59 seconds is in use.
        if second % 59 == 0 {
            let granted = ["a", "b", "c", "d"].map(|key| spend(&map.budget_at(key, at(second))));
            assert_eq!(granted, [false; 4], "their buckets are not refilled");
        }
        assert_eq!(map.len(), 4);
    }
    let snapshot = map.snapshot();
    assert_eq!((snapshot.keys, snapshot.capacity, snapshot.evicted, snapshot.overflowed), (4, 4, 0, 1_000));
}

#[test]
fn a_full_map_takes_new_keys_when_old_ones_are_idle() {
    let (map, start) = map(2);
    for key in ["a", "b", "c"] {
        assert!(spend(&map.budget_at(key, start)), "the third from the overflow");
    }
    let later = start + MINUTE;
    assert!(spend(&map.budget_at("c", later)) && spend(&map.budget_at("d", later)), "budgets of their own");
    assert!(!spend(&map.budget_at("e", later)), "the overflow does not refill itself");
    let snapshot = map.snapshot();
    assert_eq!((snapshot.keys, snapshot.evicted, snapshot.overflowed), (2, 2, 2));
}

#[test]
fn a_full_map_has_room_from_the_nanosecond_at_which_a_key_is_idle() {
    let (map, start) = map(1);
    let _ = map.budget_at("a", start);
    let _ = map.budget_at("b", start + MINUTE - Duration::from_nanos(1));
    assert_eq!((map.snapshot().overflowed, map.snapshot().evicted), (1, 0));
    let _ = map.budget_at("b", start + MINUTE);
    assert_eq!((map.snapshot().overflowed, map.snapshot().evicted), (1, 1));
}

#[test]
fn new_keys_drop_two_idle_ones_each_the_longest_idle_first() {
    let (map, start) = map(10);
    for second in 0..6 {
        let _ = map.budget_at(&second.to_string(), start + second * SECOND);
    }
    let _ = map.budget_at("1", start + 6 * SECOND);
    let held = ["a", "b", "c"].map(|key| {
        let _ = map.budget_at(key, start + 2 * MINUTE);
        map.len()
    });
    assert_eq!((held, map.snapshot().evicted), ([5, 4, 3], 6));
}

#[test]
fn an_idle_key_among_any_number_of_others_gives_its_place_to_a_new_one_after_some() {
    let map: BudgetMap<u32> = BudgetMap::builder(size(1_000), bucket).idle_after(MINUTE).build().unwrap();
    let start = Instant::now();
    (0..1_000).for_each(|key| drop(map.budget_at(&key, start)));
    (0..999).for_each(|key| drop(map.budget_at(&key, start + SECOND)));
    let later = start + MINUTE;
    // Each looks at 32 keys. The 999 that were asked for since stand in front.
    (1_000..1_031).for_each(|key| drop(map.budget_at(&key, later)));
    assert_eq!((map.snapshot().overflowed, map.snapshot().evicted), (31, 0));
    let _ = map.budget_at(&1_031, later);
    assert_eq!((map.len(), map.snapshot().overflowed, map.snapshot().evicted), (1_000, 31, 1));
}

#[test]
fn all_idle_keys_are_removed_on_request_however_many_others_there_are() {
    let map: BudgetMap<u32> = BudgetMap::builder(size(1_000), bucket).idle_after(MINUTE).build().unwrap();
    let start = Instant::now();
    (0..1_000).for_each(|key| drop(map.budget_at(&key, start)));
    // Half of them are asked for again, every other one of these when it is of no use.
    (0..500).for_each(|key| drop(map.budget_at(&key, start + SECOND * (1 + key % 2))));
    assert_eq!(map.remove_idle_at(start + MINUTE + SECOND), 750);
    assert_eq!((map.len(), map.remove_idle_at(start + MINUTE + 2 * SECOND)), (250, 250));
}

#[test]
fn no_budget_is_made_for_a_key_that_there_is_no_room_for() {
    let made = Arc::new(AtomicU32::new(0));
    let make = {
        let made = Arc::clone(&made);
        move || made.fetch_add(1, Ordering::Relaxed)
    };
    let map: BudgetMap<u32, u32> = BudgetMap::builder(size(1), make).idle_after(MINUTE).build().unwrap();
    let now = Instant::now();
    assert_eq!((*map.overflow(), map.budget_at(&0, now)), (0, 1));
    assert!((1..1_000).all(|key| map.budget_at(&key, now) == 0));
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

#[test]
fn idle_keys_are_removed_on_request_at_any_time() {
    let (map, start) = map(10);
    let held: BudgetMap<u8, Arc<()>> =
        BudgetMap::builder(size(10), || Arc::new(())).idle_after(MINUTE).build().unwrap();
    let handle = held.budget_at(&1, start);
    assert_eq!(Arc::strong_count(&handle), 2);
    assert_eq!(held.remove_idle_at(start + 2 * MINUTE), 1);
    assert_eq!(Arc::strong_count(&handle), 1, "its budget was dropped, and the handle goes on");

    for (second, key) in ["a", "b", "c"].into_iter().enumerate() {
        let _ = map.budget_at(key, start + Duration::from_secs(second as u64));
    }
    let removed = [58, 61, 61, 63].map(|second| map.remove_idle_at(start + Duration::from_secs(second)));
    assert_eq!(removed, [0, 2, 0, 1]);
    assert_eq!((map.len(), map.snapshot().evicted), (0, 3));
}

#[test]
fn the_short_forms_ask_the_clock() {
    let start = Instant::now();
    let millis = Arc::new(AtomicU64::new(0));
    let clock = {
        let millis = Arc::clone(&millis);
        move || start + Duration::from_millis(millis.load(Ordering::Relaxed))
    };
    let map: BudgetMap<String, _, _> =
        BudgetMap::builder(size(2), bucket).idle_after(MINUTE).clock(clock).build().unwrap();
    assert!(spend(&map.budget("acme")));
    millis.store(59_999, Ordering::Relaxed);
    assert_eq!(map.remove_idle(), 0);
    assert!(!spend(&map.budget("acme")));
    millis.store(119_999, Ordering::Relaxed);
    assert_eq!(map.remove_idle(), 1);
    assert!(spend(&map.budget("acme")));
}

#[test]
fn a_clock_that_goes_back_drops_nothing_and_does_not_keep_what_is_idle() {
    let (map, start) = map(3);
    let late = start + 100 * MINUTE;
    assert!(spend(&map.budget_at("late", late)));
    assert!(spend(&map.budget_at("early", start)));
    // Before its beginning as well.
    let _ = map.budget_at("late", start - Duration::from_secs(1));
    assert_eq!(map.remove_idle_at(start), 0);
    assert_eq!(map.remove_idle_at(late + MINUTE - Duration::from_nanos(1)), 1, "`early`, and not `late`");
    assert!(!spend(&map.budget_at("late", start)), "an earlier time does not make it older");

    // One that came after it, but at an earlier time, is idle before it.
    let _ = map.budget_at("b", start);
    let _ = map.budget_at("c", start + MINUTE);
    assert_eq!((map.len(), map.snapshot().evicted), (2, 2), "`b` was idle");
}

#[test]
fn the_longest_idle_time_is_for_ever() {
    let map: BudgetMap<u8> = BudgetMap::builder(size(1), bucket).idle_after(Duration::MAX).build().unwrap();
    let start = Instant::now();
    assert!(spend(&map.budget_at(&1, start)));
    let century = Duration::from_secs(100 * 365 * 86_400);
    assert_eq!(map.remove_idle_at(start + century), 0);
    assert!(spend(&map.budget_at(&2, start + century)), "of the overflow");
    assert!(!spend(&map.budget_at(&1, start + century)));
}

#[test]
fn keys_are_looked_up_by_what_they_borrow_as() {
    let now = Instant::now();
    let by_name: BudgetMap<String> = BudgetMap::new(size(9), bucket);
    assert!(spend(&by_name.budget_at("acme", now)) && !spend(&by_name.budget_at(&"acme".to_owned(), now)));
    let by_bytes: BudgetMap<Vec<u8>> = BudgetMap::new(size(9), bucket);
    assert!(spend(&by_bytes.budget_at(&b"acme"[..], now)) && !spend(&by_bytes.budget_at(&b"acme".to_vec(), now)));
    let by_host: BudgetMap<(&str, u16), RatioBudget> = BudgetMap::new(size(9), RatioBudget::default);
    assert_eq!(by_host.budget_at(&("localhost", 443), now).snapshot().withdrawals, 0);
}

#[test]
fn an_idle_time_that_is_too_short_is_refused() {
    let refused = |idle_after| {
        let built: Result<BudgetMap<u8>, _> = BudgetMap::builder(size(1), bucket).idle_after(idle_after).build();
        built.map(|map| map.idle_after()).map_err(|error| error.to_string())
    };
    assert_eq!(refused(Duration::ZERO), Err("idle_after is 0ns: it must be at least 1 s".to_owned()));
    assert_eq!(refused(Duration::from_millis(999)), Err("idle_after is 999ms: it must be at least 1 s".to_owned()));
    assert_eq!(refused(Duration::from_secs(1)), Ok(Duration::from_secs(1)));
    let default: BudgetMap<u8> = BudgetMap::new(size(7), bucket);
    assert_eq!((default.idle_after(), default.capacity().get()), (BudgetMap::DEFAULT_IDLE_AFTER, 7));
}

#[test]
fn it_says_what_it_holds() {
    let (map, start) = map(2);
    let _ = map.budget_at("acme", start);
    let expected = "BudgetMap { keys: 1, capacity: 2, idle_after: 60s, evicted: 0, overflowed: 0, .. }";
    assert_eq!(format!("{map:?}"), expected);
}

#[test]
fn threads_that_ask_for_one_key_get_one_budget() {
    let made = Arc::new(AtomicU32::new(0));
    let make = {
        let made = Arc::clone(&made);
        move || made.fetch_add(1, Ordering::Relaxed)
    };
    // Each key is new to all threads at about the same time.
    let map: BudgetMap<u32, u32> = BudgetMap::new(size(5_000), make);
    let now = Instant::now();
    let ask = || (0..5_000_u32).map(|key| map.budget_at(&key, now)).collect::<Vec<_>>();
    let given = thread::scope(|scope| [(); 4].map(|()| scope.spawn(ask)).map(|asked| asked.join().unwrap()));
    let kept = ask();
    assert!(given.iter().all(|given| *given == kept), "whoever was first");
    assert_eq!((map.len(), map.snapshot().overflowed), (5_000, 0));
}

#[test]
fn it_stays_within_its_capacity_under_threads() {
    let map: BudgetMap<u32> = BudgetMap::builder(size(16), bucket).idle_after(Duration::from_secs(1)).build().unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for step in 0..20_000_u32 {
                    let now = start + Duration::from_millis(1) * step;
                    let _ = map.budget_at(&(step % 8), now);
                    let _ = map.budget_at(&(1_000 + thread * 100_000 + step / 4), now);
                    assert!(map.len() <= 16);
                }
            });
        }
    });
    let snapshot = map.snapshot();
    assert!(snapshot.evicted > 0 && snapshot.overflowed > 0, "{snapshot:?}");
    // All that was made is either there or was dropped.
    assert_eq!(map.remove_idle_at(start + MINUTE), snapshot.keys);
    assert_eq!((map.len() as u64, map.snapshot().evicted), (0, snapshot.evicted + snapshot.keys as u64));
}
