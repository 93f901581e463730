//! Keyed breakers: never more reject than may, what is counted is what rejects, and no key that has closed is forgotten.

#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerMap, State};

use super::{model, thread};

const OPEN: Duration = Duration::from_secs(10);

type Map = BreakerMap<u8>;

#[test]
fn two_keys_that_trip_at_once_take_one_place() {
    model(|| {
        let (map, now) = map(2);
        let breakers = [1, 2].map(|key| map.breaker_at(&key, now));
        let other = in_thread(&breakers[0], move |breaker| fail(breaker, now));
        fail(&breakers[1], now);
        other.join().unwrap();
        let states = breakers.map(|breaker| breaker.state_at(now));
        assert!(matches!(states, [State::Open, State::Closed] | [State::Closed, State::Open]), "{states:?}");
        assert_eq!((map.snapshot().rejecting, map.snapshot().held_closed), (1, 1));
    });
}

#[test]
fn a_key_that_opens_while_it_is_dropped_leaves_no_place_behind() {
    model(|| {
        let (map, now) = map(2);
        let breaker = map.breaker_at(&1, now);
        let other = in_thread(&breaker, move |breaker| fail(breaker, now));
        let _ = map.remove(&1);
        other.join().unwrap();
        assert_eq!((breaker.state_at(now), map.len(), map.snapshot().rejecting), (State::Open, 0, 0));
    });
}

#[test]
fn a_key_that_closes_while_another_comes_is_found_closed_or_told_of() {
    model(|| {
        let (map, start) = map(2);
        let breaker = map.breaker_at(&1, start);
        breaker.force_open_at(start);
        let _ = map.breaker_at(&2, start + OPEN);
        // It drops the first, if that is closed by now, and else the second.
        let other = {
            let map = map.clone();
            thread::spawn(move || drop(map.breaker_at(&3, start + OPEN)))
        };
        breaker.reset_at(start);
        other.join().unwrap();
        let kept = [1, 2, 3].map(|key| map.get(&key).is_some());
        assert!(matches!(kept, [true, false, true] | [false, true, true]), "{kept:?}");
        // And then it is the next in any case.
        let _ = map.breaker_at(&4, start + OPEN);
        assert_eq!((map.get(&1).is_none(), map.len()), (true, 2));
        assert_eq!(map.snapshot().rejecting, 0);
    });
}

/// In a model two are looked at.
#[test]
fn a_key_that_opens_while_the_map_has_looked_at_as_many_as_it_may_leaves_another_to_go() {
    model(|| {
        let (map, start) = map(3);
        let breakers = [1, 2, 3].map(|key| map.breaker_at(&key, start));
        (1..4).for_each(|key| drop(map.breaker_at(&key, start + OPEN)));
        // It drops the first, if that was closed when it was chosen, and else the second: the third is not looked at.
        let other = {
            let map = map.clone();
            thread::spawn(move || drop(map.breaker_at(&4, start + OPEN)))
        };
        breakers[0].force_open_at(start + OPEN);
        other.join().unwrap();
        let kept = [1, 2, 3, 4].map(|key| map.get(&key).is_some());
        assert!(matches!(kept, [false, true, true, true] | [true, false, true, true]), "{kept:?}");
        assert_eq!((map.len(), map.snapshot().rejecting), (3, usize::from(kept[0])));
        // Wherever it was when it opened, the map hears that it has closed.
        breakers[0].reset_at(start + OPEN);
        let _ = map.breaker_at(&5, start + OPEN);
        assert!(map.get(&1).is_none() && map.len() == 3);
    });
}

#[test]
fn idle_keys_that_go_while_one_opens_leave_the_share_as_it_must_be() {
    model(|| {
        let (map, start) = map(4);
        let breakers: Vec<_> = (0..4).map(|key| map.breaker_at(&key, start)).collect();
        fail(&breakers[0], start);
        let other = in_thread(&breakers[1], move |breaker| fail(breaker, start));
        let removed = map.remove_idle_at(start + Duration::from_secs(600));
        other.join().unwrap();
        let snapshot = map.snapshot();
        assert!(snapshot.rejecting <= snapshot.most_rejecting, "{snapshot:?}");
        assert_eq!(snapshot.keys + removed, 4);
        // It was open first and they stayed, or they went first, and it stayed closed or went with them.
        assert!(matches!((snapshot.rejecting, removed), (2, 0) | (1, 2..=3)), "{snapshot:?}");
    });
}

#[test]
fn two_threads_that_ask_for_one_new_key_get_one_breaker() {
    model(|| {
        let (map, now) = map(1);
        let other = {
            let map = map.clone();
            thread::spawn(move || map.breaker_at(&1, now).force_open_at(now))
        };
        map.breaker_at(&1, now).force_open_at(now);
        other.join().unwrap();
        assert_eq!((map.len(), map.snapshot().rejecting), (1, 1));
        assert_eq!(map.get(&1).unwrap().snapshot_at(now).period, 2, "each has forced the same one");
    });
}

/// Half of the keys may reject.
fn map(capacity: usize) -> (Map, Instant) {
    let breaker = Breaker::builder().consecutive_failures(1).open_for([OPEN]);
    let map = BreakerMap::builder(NonZeroUsize::new(capacity).unwrap(), breaker).build().unwrap();
    // After its beginning; from here on it is told the time.
    (map, Instant::now())
}

fn fail(breaker: &Breaker, now: Instant) {
    breaker.try_acquire_at(now).unwrap().failure_at(now);
}

/// What `f` does with the breaker in another thread.
fn in_thread(breaker: &Breaker, f: impl FnOnce(&Breaker) + Send + 'static) -> thread::JoinHandle<()> {
    let breaker = breaker.clone();
    thread::spawn(move || f(&breaker))
}
