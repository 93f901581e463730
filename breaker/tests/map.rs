//! The stories of keyed breakers: what is kept, what is dropped, and in which order.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

mod map_support;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerMap, State};
use map_support::{MINUTE, OPEN, SECOND, breaker, builder, fail, keys, map, recover, size};

#[test]
fn each_key_has_a_breaker_of_its_own_and_keeps_it() {
    let (map, now) = map(10);
    assert!(map.is_empty() && map.get("acme").is_none());
    fail(&map.breaker_at("acme", now), now);
    assert_eq!(map.try_acquire_at("acme", now).unwrap_err().state(), State::Open, "the same breaker");
    assert!(map.try_acquire_at("umbrella", now).is_ok());
    assert_eq!((map.len(), map.clone().len(), map.is_empty()), (2, 2, false));
    assert_eq!(map.get("acme").unwrap().state_at(now), State::Open);
    let mut states: Vec<_> = map.snapshots().into_iter().map(|(key, snapshot)| (key, snapshot.state)).collect();
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(states, [("acme".to_owned(), State::Open), ("umbrella".to_owned(), State::Closed)]);
}

#[test]
fn a_full_map_drops_the_key_that_was_not_asked_for_for_the_longest_time() {
    let (map, start) = map(3);
    for (second, key) in ["a", "b", "c", "a", "b"].into_iter().enumerate() {
        let _ = map.breaker_at(key, start + SECOND * second as u32);
    }
    let _ = map.breaker_at("d", start + SECOND * 5);
    assert_eq!(keys(&map), ["a", "b", "d"]);
    let _ = map.breaker_at("e", start + SECOND * 6);
    assert_eq!(keys(&map), ["b", "d", "e"]);
    let snapshot = map.snapshot();
    assert_eq!((snapshot.keys, snapshot.capacity, snapshot.evicted, snapshot.crowded_out), (3, 3, 2, 2));
}

#[test]
fn of_keys_that_were_asked_for_at_the_same_time_the_older_one_is_dropped() {
    let (map, start) = map(3);
    ["a", "b", "c", "b", "a"].into_iter().for_each(|key| drop(map.breaker_at(key, start)));
    for (new, kept) in [("d", ["b", "c", "d"]), ("e", ["c", "d", "e"])] {
        let _ = map.breaker_at(new, start);
        assert_eq!(keys(&map), kept);
    }
}

#[test]
fn a_key_that_is_not_closed_is_dropped_only_where_all_are_not() {
    let (map, start) = map(3);
    let at = |second: u32| start + SECOND * second;
    let a = map.breaker_at("a", at(0));
    let b = map.breaker_at("b", at(1));
    let c = map.breaker_at("c", at(2));
    a.force_open_at(at(3));
    b.force_closed_at(at(3));
    let _ = map.breaker_at("d", at(4));
    assert_eq!(keys(&map), ["a", "b", "d"], "`c` is the only one that is closed");
    let d = map.breaker_at("d", at(5));
    d.force_open_at(at(5));
    let _ = map.breaker_at("a", at(6));
    let _ = map.breaker_at("e", at(7));
    assert_eq!(keys(&map), ["a", "d", "e"], "`b` is the longest idle of all");
    assert_eq!((c.state_at(at(8)), b.state_at(at(8))), (State::Closed, State::ForcedClosed), "the handles go on");
}

#[test]
fn a_key_that_has_closed_again_is_dropped_in_its_turn() {
    let (map, start) = map(3);
    let a = map.breaker_at("a", start);
    fail(&a, start);
    let _ = map.breaker_at("b", start + SECOND);
    let _ = map.breaker_at("c", start + 2 * SECOND);
    let _ = map.breaker_at("d", start + 3 * SECOND);
    assert_eq!(keys(&map), ["a", "c", "d"], "`a` is open, and put aside");
    recover(&a, start + OPEN);
    let _ = map.breaker_at("e", start + OPEN);
    assert_eq!(keys(&map), ["c", "d", "e"], "it was asked for by its handle, and not of the map");
}

#[test]
fn a_new_key_drops_two_that_are_idle() {
    let (map, start) = map(100);
    for key in 0..10 {
        let _ = map.breaker_at(&*key.to_string(), start + SECOND * key);
    }
    let _ = map.breaker_at("early", start + MINUTE - Duration::from_nanos(1));
    assert_eq!((map.len(), map.snapshot().evicted), (11, 0), "not idle by a nanosecond");
    let _ = map.breaker_at("new", start + MINUTE + 5 * SECOND);
    assert_eq!(map.len(), 10, "two of six that are idle");
    let _ = map.breaker_at("newer", start + MINUTE + 5 * SECOND);
    assert_eq!(keys(&map), ["4", "5", "6", "7", "8", "9", "early", "new", "newer"]);
    assert_eq!((map.snapshot().evicted, map.snapshot().crowded_out), (4, 0));
}

#[test]
fn a_new_key_looks_at_32_keys_for_idle_ones_and_the_next_goes_on_there() {
    for (in_front, dropped) in [(31, [1, 1]), (32, [0, 1]), (63, [0, 1]), (64, [0, 0])] {
        let map: BreakerMap<u32> = builder(100).build().unwrap();
        let start = Instant::now();
        // All stand where they came, and the only idle one behind those that were asked for since.
        (0..=in_front).for_each(|key| drop(map.breaker_at(&key, start)));
        (0..in_front).for_each(|key| drop(map.breaker_at(&key, start + SECOND)));
        let evicted = [1_000, 1_001].map(|new| {
            let _ = map.breaker_at(&new, start + MINUTE);
            map.snapshot().evicted
        });
        assert_eq!(evicted, dropped, "behind {in_front}");
        assert_eq!((map.remove_idle_at(start + MINUTE), map.get(&in_front).is_none()), (1 - dropped[1] as usize, true));
    }
}

#[test]
fn a_full_map_makes_room_however_many_keys_were_asked_for_since_the_last_one_came() {
    let map: BreakerMap<u32> = builder(100).build().unwrap();
    let start = Instant::now();
    (0..100).for_each(|key| drop(map.breaker_at(&key, start)));
    (0..100).rev().for_each(|key| drop(map.breaker_at(&key, start + SECOND)));
    let _ = map.breaker_at(&100, start + 2 * SECOND);
    let snapshot = map.snapshot();
    assert_eq!((map.len(), snapshot.evicted, snapshot.crowded_out), (100, 1, 1));
    assert!(map.get(&0).is_none(), "of the same time, the older one");

    (1..100).filter(|key| *key != 70).for_each(|key| drop(map.breaker_at(&key, start + 3 * SECOND)));
    let _ = map.breaker_at(&101, start + 4 * SECOND);
    assert_eq!((map.len(), map.snapshot().evicted), (100, 2));
    assert!(map.get(&70).is_none(), "the longest idle, behind 69 others");
}

#[test]
fn a_new_key_in_a_full_map_looks_at_1024_keys_and_drops_the_longest_idle_of_them() {
    for (capacity, dropped) in [(1_023, [1_022]), (1_024, [1_023]), (1_025, [1_023])] {
        assert_eq!(dropped_after_all_were_asked_for(capacity), dropped, "of {capacity}");
    }
    // The next one goes on there, until the longest idle one of all is found.
    assert_eq!(dropped_after_all_were_asked_for(3_000), [1_023, 2_047, 2_999, 2_998]);
}

/// The keys that new ones push out of a full map, each of whose keys was asked for since it came, the oldest last.
fn dropped_after_all_were_asked_for<const N: usize>(capacity: u32) -> [u32; N] {
    let map: BreakerMap<u32> = builder(capacity as usize).build().unwrap();
    let (start, millis) = (Instant::now(), Duration::from_millis);
    (0..capacity).for_each(|key| drop(map.breaker_at(&key, start)));
    (0..capacity).rev().for_each(|key| drop(map.breaker_at(&key, start + millis(u64::from(capacity - key)))));
    let mut there: BTreeSet<u32> = (0..capacity).collect();
    [0; N].map(|_| {
        let _ = map.breaker_at(&(capacity + map.snapshot().evicted as u32), start + millis(10_000));
        let gone: Vec<_> = there.iter().copied().filter(|key| map.get(key).is_none()).collect();
        assert_eq!((gone.len(), map.len()), (1, capacity as usize));
        there.remove(&gone[0]);
        gone[0]
    })
}

#[test]
fn a_key_that_is_not_closed_is_dropped_where_1024_of_them_stand_in_front() {
    for (open, dropped) in [(1_023, 1_023), (1_024, 0)] {
        let map: BreakerMap<u32> = builder(1_100).build().unwrap();
        let start = Instant::now();
        (0..1_100).for_each(|key| drop(map.breaker_at(&key, start)));
        (0..open).for_each(|key| map.breaker_at(&key, start).force_open_at(start));
        let _ = map.breaker_at(&2_000, start + SECOND);
        assert!(map.get(&dropped).is_none(), "{dropped} behind {open}");
        let _ = map.breaker_at(&2_001, start + SECOND);
        assert!(map.get(&1_024).is_none() && map.len() == 1_100, "and then they are put aside");
        assert_eq!((map.snapshot().evicted, map.snapshot().crowded_out), (2, 2));
        assert_eq!(
            map.snapshot().rejecting,
            map.snapshots().iter().filter(|(_, of)| of.state != State::Closed).count()
        );
    }
}

#[test]
fn idle_keys_are_removed_on_request_but_for_those_that_are_not_closed() {
    let (map, start) = map(100);
    for key in 0..10 {
        let breaker = map.breaker_at(&*key.to_string(), start + SECOND * key);
        match key {
            1 => fail(&breaker, start),
            2 => breaker.force_open_at(start),
            3 => breaker.force_closed_at(start),
            _ => {}
        }
    }
    let removed = [59, 64, 64, 69].map(|second| map.remove_idle_at(start + SECOND * second));
    assert_eq!(removed, [0, 2, 0, 4], "of two that reject, four are half");
    assert_eq!(keys(&map), ["1", "2", "3", "9"]);
    map.get("1").unwrap().reset_at(start + MINUTE);
    assert_eq!(map.remove_idle_at(start + 2 * MINUTE), 2);
    assert_eq!(keys(&map), ["2", "3"]);
}

#[test]
fn an_idle_key_that_is_asked_for_before_it_is_dropped_goes_on_as_it_was() {
    let (map, start) = map(2);
    let breaker = map.breaker_at("acme", start);
    breaker.try_acquire_at(start).unwrap().success();
    let _ = map.breaker_at("acme", start + 10 * MINUTE);
    assert_eq!(map.remove_idle_at(start + 10 * MINUTE + SECOND), 0);
    let _looked = (map.get("acme"), map.snapshots(), map.snapshot());
    assert_eq!(map.remove_idle_at(start + 11 * MINUTE), 1, "to look at it is not to ask for it");
}

#[test]
fn a_key_is_removed_by_name_whatever_its_state() {
    let (map, now) = map(2);
    fail(&map.breaker_at("a", now), now);
    let removed = map.remove("a").unwrap();
    assert_eq!((removed.state_at(now), map.len(), map.snapshot().rejecting), (State::Open, 0, 0));
    assert!(map.remove("a").is_none());
    assert_eq!(map.breaker_at("a", now).state_at(now), State::Closed, "a new one");
    assert_eq!(map.snapshot().evicted, 0);
}

#[test]
fn the_short_forms_ask_the_clock() {
    let start = Instant::now();
    let millis = Arc::new(AtomicU64::new(0));
    let clock = {
        let millis = Arc::clone(&millis);
        move || start + Duration::from_millis(millis.load(Ordering::Relaxed))
    };
    let map: BreakerMap<String, _> = builder(9).clock(clock.clone()).build().unwrap();
    map.try_acquire("acme").unwrap().failure();
    let _ = map.breaker("umbrella");
    millis.store(9_999, Ordering::Relaxed);
    assert_eq!(
        map.try_acquire("acme").unwrap_err().retry_after(),
        Some(Duration::from_millis(1)),
        "the breaker's as well"
    );
    millis.store(10_000, Ordering::Relaxed);
    map.try_acquire("acme").unwrap().success();
    millis.store(60_000, Ordering::Relaxed);
    assert_eq!(map.remove_idle(), 1);
    assert_eq!(map.breaker("acme").snapshot().period, 3);

    let of_the_breakers: BreakerMap<u8, _> = BreakerMap::builder(size(1), breaker().clock(clock)).build().unwrap();
    let _ = of_the_breakers.breaker(&1);
    millis.store(700_000, Ordering::Relaxed);
    assert_eq!(of_the_breakers.remove_idle(), 1);
}

#[test]
fn a_clock_that_goes_back_makes_no_key_older() {
    let (map, start) = map(2);
    let late = start + 100 * MINUTE;
    let _ = map.breaker_at("late", late);
    let _ = map.breaker_at("early", start);
    // Before its beginning as well.
    let _ = map.breaker_at("late", start - SECOND);
    assert_eq!(map.remove_idle_at(start), 0);
    let _ = map.breaker_at("new", start);
    assert_eq!(keys(&map), ["late", "new"]);
    assert_eq!(map.remove_idle_at(late + MINUTE - Duration::from_nanos(1)), 1, "`new`, and not `late`");
}

#[test]
fn keys_are_looked_up_by_what_they_borrow_as() {
    let now = Instant::now();
    let by_name: BreakerMap<String> = builder(9).build().unwrap();
    fail(&by_name.breaker_at("acme", now), now);
    assert!(by_name.try_acquire_at(&"acme".to_owned(), now).is_err());
    let by_bytes: BreakerMap<Vec<u8>> = builder(9).build().unwrap();
    fail(&by_bytes.breaker_at(&b"acme"[..], now), now);
    assert!(by_bytes.try_acquire_at(&b"acme".to_vec(), now).is_err());
    let by_host: BreakerMap<(&str, u16)> = BreakerMap::new(size(9));
    assert!(by_host.try_acquire_at(&("localhost", 443), now).is_ok());
}

#[test]
fn settings_out_of_their_range_are_refused() {
    let refused = |map: evenkeel_breaker::MapBuilder<u8>| map.build().unwrap_err().to_string();
    for (share, shown) in [(0.0, "0"), (-0.5, "-0.5"), (1.01, "1.01"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let expected = format!("max_open is {shown}: it must be a number above 0 and at most 1");
        assert_eq!(refused(builder(1).max_open(share)), expected);
    }
    let short = Duration::from_millis(999);
    assert_eq!(refused(builder(1).idle_after(short)), "idle_after is 999ms: it must be at least 1 s");
    let of_breakers = BreakerMap::builder(size(1), Breaker::builder().open_for([]));
    assert_eq!(refused(of_breakers), "open_for is empty: it must be a schedule of at least one open time");
    let of_breakers = BreakerMap::builder(size(1), Breaker::builder().half_open_permits(0));
    assert_eq!(refused(of_breakers), "half_open_permits is 0: it must be a whole number from 1 to 1000");

    let default: BreakerMap<u8> = BreakerMap::new(size(7));
    let settings = (default.capacity().get(), default.max_open(), default.idle_after());
    assert_eq!(settings, (7, BreakerMap::DEFAULT_MAX_OPEN, BreakerMap::DEFAULT_IDLE_AFTER));
    let all: BreakerMap<u8> = builder(1).max_open(1.0).idle_after(SECOND).build().unwrap();
    assert_eq!((all.max_open(), all.idle_after()), (1.0, SECOND));
}

#[test]
fn it_says_what_it_holds() {
    let (map, now) = map(2);
    fail(&map.breaker_at("acme", now), now);
    assert_eq!(format!("{map:?}"), "BreakerMap { keys: 1, capacity: 2, rejecting: 1, evicted: 0, .. }");
}

#[test]
fn to_ask_for_a_key_that_is_there_allocates_nothing() {
    let map: BreakerMap<String> = BreakerMap::new(size(1));
    let allocations = |f: &dyn Fn()| allocation_counter::measure(f).count_total;
    assert!(allocations(&|| drop(map.breaker("acme"))) > 0);
    assert_eq!(allocations(&|| drop(map.breaker("acme"))), 0);
}

#[test]
fn it_stays_within_its_capacity_under_threads_and_the_places_add_up() {
    let map: BreakerMap<u32> = builder(16).idle_after(SECOND).build().unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..4_u32 {
            let map = &map;
            scope.spawn(move || {
                for step in 0..20_000_u32 {
                    let now = start + Duration::from_millis(1) * step;
                    let key = if step % 3 == 0 { 1_000 + thread * 100_000 + step / 4 } else { step % 24 };
                    if let Ok(permit) = map.try_acquire_at(&key, now) {
                        if step % 7 == 0 { permit.failure_at(now) } else { permit.success_at(now) }
                    }
                    assert!(map.len() <= 16);
                }
            });
        }
    });
    let rejecting = map.snapshots().iter().filter(|(_, snapshot)| snapshot.state != State::Closed).count();
    let snapshot = map.snapshot();
    assert_eq!(snapshot.rejecting, rejecting, "{snapshot:?}");
    assert!(snapshot.evicted > 0 && snapshot.held_closed > 0, "{snapshot:?}");
    map.snapshots().iter().for_each(|(key, _)| drop(map.remove(key)));
    assert_eq!((map.len(), map.snapshot().rejecting), (0, 0));
}
