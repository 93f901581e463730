//! The stories of `max_open`: at most a share of the keys rejects, and what is counted is what rejects.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

mod map_support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerMap, BreakerObserver, Cause, State};
use map_support::{MINUTE, OPEN, SECOND, breaker, builder, fail, recover, size};

/// `count` keys, numbered.
fn numbered(count: u32, max_open: f64) -> (BreakerMap<u32>, Vec<Breaker>, Instant) {
    let (map, now) = (builder(count as usize).max_open(max_open).build().unwrap(), Instant::now());
    let breakers = (0..count).map(|key| map.breaker_at(&key, now)).collect();
    (map, breakers, now)
}

#[test]
fn no_more_than_the_share_of_the_keys_opens_and_the_others_go_on_counting() {
    for (keys, share, most) in [(10, 0.5, 5), (10, 0.39, 3), (10, 1.0, 10), (3, 0.1, 1), (1, 0.5, 1)] {
        let (map, breakers, now) = numbered(keys, share);
        breakers.iter().for_each(|breaker| fail(breaker, now));
        let open = breakers.iter().filter(|breaker| breaker.state_at(now) == State::Open).count();
        let snapshot = map.snapshot();
        assert_eq!((open, snapshot.rejecting, snapshot.most_rejecting), (most, most, most), "{keys} keys, {share}");
        assert_eq!(snapshot.held_closed, u64::from(keys) - most as u64);
    }
}

#[test]
fn a_key_that_was_held_closed_opens_by_its_next_result_when_there_is_room() {
    let (map, breakers, now) = numbered(2, 0.5);
    let [one, other] = &breakers[..] else { unreachable!() };
    fail(one, now);
    (0..3).for_each(|_| fail(other, now));
    let snapshot = other.snapshot_at(now);
    assert_eq!((snapshot.state, snapshot.consecutive_failures), (State::Closed, 3), "recorded, not rejected");
    recover(one, now + OPEN);
    assert_eq!(other.state_at(now + OPEN), State::Closed, "by a result, not by itself");
    fail(other, now + OPEN);
    assert_eq!((other.state_at(now + OPEN), map.snapshot().held_closed), (State::Open, 3));
}

#[test]
fn a_half_open_key_keeps_its_place_until_it_is_closed() {
    let (map, breakers, start) = numbered(2, 0.5);
    fail(&breakers[0], start);
    let probe = breakers[0].try_acquire_at(start + OPEN).unwrap();
    fail(&breakers[1], start + OPEN);
    assert_eq!(map.snapshot().rejecting, 1);
    probe.failure_at(start + OPEN);
    assert_eq!(breakers[0].state_at(start + OPEN), State::Open, "it need not ask again");
    let probe = breakers[0].try_acquire_at(start + 2 * OPEN).unwrap();
    // It does not answer: time opens it again.
    assert_eq!(breakers[0].state_at(start + 3 * OPEN), State::Open);
    drop(probe);
    assert_eq!(map.snapshot().rejecting, 1);
    recover(&breakers[0], start + 4 * OPEN);
    assert_eq!(map.snapshot().rejecting, 0);
}

#[test]
fn one_that_is_forced_open_takes_a_place_in_any_case_and_gives_it_back_once() {
    let (map, breakers, now) = numbered(4, 0.5);
    breakers.iter().for_each(Breaker::force_open);
    breakers.iter().for_each(Breaker::force_open);
    assert_eq!(map.snapshot().rejecting, 4);
    breakers[0].force_closed_at(now);
    breakers[0].reset_at(now);
    assert_eq!(map.snapshot().rejecting, 3);
    fail(&breakers[0], now);
    assert_eq!(breakers[0].state_at(now), State::Closed, "they count for the others");
    breakers[1].reset_at(now);
    breakers[1].reset_at(now);
    breakers[2].force_closed_at(now);
    breakers[2].force_closed_at(now);
    assert_eq!(map.snapshot().rejecting, 1);
    fail(&breakers[0], now);
    assert_eq!(map.snapshot().rejecting, 2);
    breakers[0].force_open_at(now);
    assert_eq!(map.snapshot().rejecting, 2, "it has a place");
    breakers[0].reset_at(now);
    breakers[3].reset_at(now);
    assert_eq!(map.snapshot().rejecting, 0);
}

#[test]
fn a_dropped_key_gives_its_place_back_once_and_its_handles_count_no_more() {
    let (map, breakers, now) = numbered(4, 0.5);
    breakers[..2].iter().for_each(|breaker| fail(breaker, now));
    let removed = map.remove(&0).unwrap();
    assert_eq!(map.snapshot().rejecting, 1);
    recover(&removed, now + OPEN);
    fail(&removed, now + OPEN);
    removed.force_closed_at(now + OPEN);
    removed.force_open_at(now + OPEN);
    drop((removed, breakers));
    assert_eq!(map.snapshot().rejecting, 1);
    let _ = map.remove(&1);
    assert_eq!((map.snapshot().rejecting, map.len()), (0, 2));
}

#[test]
fn one_that_was_dropped_opens_whatever_the_share() {
    let (map, breakers, now) = numbered(4, 0.25);
    fail(&breakers[0], now);
    let _ = map.remove(&1);
    fail(&breakers[1], now);
    assert_eq!((breakers[1].state_at(now), map.snapshot().rejecting), (State::Open, 1));
}

#[test]
fn a_key_that_makes_room_while_it_rejects_gives_its_place_back() {
    let (map, breakers, now) = numbered(2, 1.0);
    breakers.iter().for_each(|breaker| fail(breaker, now));
    let new = map.breaker_at(&2, now);
    assert_eq!((map.snapshot().rejecting, map.len()), (1, 2));
    fail(&new, now);
    recover(&breakers[0], now + OPEN);
    assert_eq!(map.snapshot().rejecting, 2);
}

#[test]
fn idle_keys_stay_for_as_long_as_the_share_would_be_exceeded_without_them() {
    let (map, breakers, start) = numbered(10, 0.5);
    breakers[..3].iter().for_each(|breaker| fail(breaker, start));
    assert_eq!(map.remove_idle_at(start + MINUTE), 4, "three of six are half");
    let snapshot = map.snapshot();
    assert_eq!((snapshot.keys, snapshot.rejecting, snapshot.most_rejecting), (6, 3, 3));
    breakers[0].reset_at(start);
    assert_eq!(map.remove_idle_at(start + MINUTE), 2);
    // One may reject in any case.
    breakers[1].reset_at(start);
    assert_eq!(map.remove_idle_at(start + MINUTE), 3);
    assert_eq!((map.len(), map.snapshot().rejecting), (1, 1));
}

#[test]
fn a_dry_run_rejects_nothing_and_takes_no_place() {
    let dry = BreakerMap::builder(size(4), breaker().dry_run(true)).idle_after(MINUTE);
    let (map, now): (BreakerMap<u32>, _) = (dry.build().unwrap(), Instant::now());
    let breakers: Vec<_> = (0..4).map(|key| map.breaker_at(&key, now)).collect();
    breakers.iter().for_each(|breaker| fail(breaker, now));
    breakers[0].force_open_at(now);
    assert!(breakers[1..].iter().all(|breaker| breaker.state_at(now) == State::Open));
    assert_eq!((map.snapshot().rejecting, map.snapshot().held_closed), (0, 0));
    breakers[3].reset_at(now);
    assert_eq!(map.remove_idle_at(now + MINUTE), 1, "but it is open, and so not dropped for being idle");
    assert_eq!(map.snapshot().rejecting, 0);
}

#[test]
fn the_observer_hears_that_a_key_is_held_closed() {
    #[derive(Default)]
    struct Held(AtomicU32);

    impl BreakerObserver for Held {
        fn on_held_closed(&self, cause: Cause) {
            assert_eq!(cause, Cause::ConsecutiveFailures);
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let held = Arc::new(Held::default());
    let each = Arc::clone(&held);
    let built = builder::<u32>(2).observe_each(move |_| Arc::clone(&each)).build();
    let (map, now) = (built.unwrap(), Instant::now());
    let breakers = [0, 1].map(|key| map.breaker_at(&key, now));
    breakers.iter().for_each(|breaker| fail(breaker, now));
    fail(&breakers[1], now);
    assert_eq!(held.0.load(Ordering::Relaxed), 2);
}

// Hazard 58.
#[test]
fn a_schedule_that_panics_keeps_no_place() {
    #[derive(Clone)]
    struct Panics(Arc<AtomicU32>);

    impl IntoIterator for Panics {
        type Item = Duration;
        type IntoIter = std::iter::Repeat<Duration>;

        fn into_iter(self) -> Self::IntoIter {
            assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 1, "the first time after it is checked");
            std::iter::repeat(SECOND)
        }
    }

    let schedule = Panics(Arc::new(AtomicU32::new(0)));
    let breaker = Breaker::builder().consecutive_failures(1).open_for(schedule);
    let (map, now): (BreakerMap<u32>, _) = (BreakerMap::builder(size(2), breaker).build().unwrap(), Instant::now());
    let breakers = [0, 1].map(|key| map.breaker_at(&key, now));
    assert!(catch_unwind(AssertUnwindSafe(|| fail(&breakers[0], now))).is_err());
    assert_eq!((breakers[0].state_at(now), map.snapshot().rejecting), (State::Closed, 0));
    fail(&breakers[1], now);
    assert_eq!((breakers[1].state_at(now), map.snapshot().rejecting), (State::Open, 1));
}
