//! What runs of the caller's code in a map of breakers, and that it may ask the map, be slow, or panic.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

mod map_support;

use std::{
    cell::Cell,
    hash::{Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};

use evenkeel_breaker::{BreakerMap, BreakerObserver, State, Transition};
use map_support::{MINUTE, builder, fail};

type ClockFn = fn() -> Instant;

// Hazard 58.
#[test]
fn a_function_that_panics_leaves_the_map_as_it_was() {
    let panics = Arc::new(AtomicBool::new(false));
    let observe = {
        let panics = Arc::clone(&panics);
        move |_: &String| assert!(!panics.load(Ordering::Relaxed), "no observer")
    };
    let map = builder::<String>(2).observe_each(observe).build().unwrap();
    let now = Instant::now();
    fail(&map.breaker_at("acme", now), now);
    panics.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| map.breaker_at("umbrella", now))).is_err());
    assert!(map.try_acquire_at("acme", now).is_err());
    panics.store(false, Ordering::Relaxed);
    fail(&map.breaker_at("umbrella", now), now);
    assert_eq!((map.len(), map.snapshot().rejecting, map.snapshot().held_closed), (2, 1, 1));
}

// Hazard 38, of another kind: it would deadlock if the lock were held.
#[test]
fn a_function_that_asks_the_map_does_not_deadlock() {
    let shared: Arc<OnceLock<BreakerMap<String, ClockFn, Number>>> = Arc::new(OnceLock::new());
    let made = AtomicU32::new(0);
    let observe = {
        let shared = Arc::clone(&shared);
        move |key: &String| {
            let number = made.fetch_add(1, Ordering::Relaxed);
            // The first one asks for its own key and for another.
            if let (Some(map), 0) = (shared.get(), number) {
                assert_eq!(map.breaker(key).observer().0, 1);
                let _ = (map.breaker("parent"), map.snapshot(), map.snapshots());
            }
            Number(number)
        }
    };
    let map = shared.get_or_init(|| builder(9).observe_each(observe).build().unwrap());
    assert_eq!(map.breaker("acme").observer().0, 1, "the one that was made in the meantime is the key's");
    assert_eq!(map.len(), 2);
}

struct Number(u32);

impl BreakerObserver for Number {}

/// An observer that looks at its map when it hears of a transition, and when it is dropped.
struct Looks(Arc<OnceLock<BreakerMap<u32, ClockFn, Looks>>>, Arc<AtomicU32>);

impl Looks {
    fn look(&self) {
        if let Some(map) = self.0.get() {
            assert!(map.len() <= 2);
            let _ = (map.remove_idle(), map.snapshots());
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl BreakerObserver for Looks {
    fn on_transition(&self, transition: &Transition) {
        if transition.to == State::Open {
            let _ = self.0.get().map(|map| map.breaker(&99));
        }
        self.look();
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.look();
    }
}

#[test]
fn observers_are_told_and_dropped_when_the_lock_is_free() {
    let (shared, looked) = (Arc::new(OnceLock::new()), Arc::new(AtomicU32::new(0)));
    let observe = {
        let (shared, looked) = (Arc::clone(&shared), Arc::clone(&looked));
        move |_: &u32| Looks(Arc::clone(&shared), Arc::clone(&looked))
    };
    let map = shared.get_or_init(|| builder(2).observe_each(observe).build().unwrap());
    let start = Instant::now();
    let seen = || looked.load(Ordering::Relaxed);
    (0..3).for_each(|key| drop(map.breaker_at(&key, start)));
    assert_eq!(seen(), 1, "one made room");
    assert_eq!((map.remove_idle_at(start + MINUTE), seen()), (2, 3));
    fail(&map.breaker_at(&1, start), start);
    assert_eq!((seen(), map.len()), (4, 2));
    drop(map.remove(&1));
    assert_eq!(seen(), 5);
}

// Hazard 60.
#[test]
fn an_observer_is_dropped_with_its_key_and_the_last_handle() {
    let alive = Arc::new(());
    let each = Arc::clone(&alive);
    let map = builder::<u32>(3).observe_each(move |_| Holds(Arc::clone(&each))).build().unwrap();
    let start = Instant::now();
    for key in 0..1_000 {
        let _ = map.breaker_at(&key, start);
        assert!(Arc::strong_count(&alive) <= 2 + 3);
    }
    let held = map.get(&999).unwrap();
    assert_eq!(map.remove_idle_at(start + MINUTE), 3);
    assert_eq!(Arc::strong_count(&alive), 2 + 1, "the handle holds its own");
    drop(held);
    assert_eq!(Arc::strong_count(&alive), 2);
}

struct Holds(#[allow(dead_code)] Arc<()>);

impl BreakerObserver for Holds {}

// Hazard 58.
#[test]
fn an_observer_that_panics_leaves_the_counts_right() {
    struct Panics;

    impl BreakerObserver for Panics {
        fn on_transition(&self, _: &Transition) {
            panic!("in an observer");
        }
    }

    let map = builder::<u32>(2).observe_each(|_| Panics).build().unwrap();
    let now = Instant::now();
    let breakers = [1, 2].map(|key| map.breaker_at(&key, now));
    assert!(catch_unwind(AssertUnwindSafe(|| fail(&breakers[0], now))).is_err());
    fail(&breakers[1], now);
    assert_eq!((map.snapshot().rejecting, map.snapshot().held_closed), (1, 1));
    assert!(catch_unwind(AssertUnwindSafe(|| breakers[0].reset_at(now))).is_err());
    assert_eq!(map.snapshot().rejecting, 0);
}

/// A key that asks the map when it is dropped.
#[derive(Clone)]
struct Asks(u32, Arc<OnceLock<BreakerMap<Asks>>>);

impl PartialEq for Asks {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Asks {}

impl Hash for Asks {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        let _ = self.1.get().map(BreakerMap::len);
    }
}

#[test]
fn keys_are_dropped_when_the_lock_is_free() {
    let shared = Arc::new(OnceLock::new());
    let map = shared.get_or_init(|| builder(2).build().unwrap());
    let start = Instant::now();
    for (key, at) in [(0, start), (1, start), (0, start), (2, start + MINUTE), (3, start + MINUTE)] {
        let _ = map.breaker_at(&Asks(key, Arc::clone(&shared)), at);
    }
    let _ = map.remove(&Asks(3, Arc::clone(&shared)));
    assert_eq!((map.len(), map.remove_idle_at(start + 5 * MINUTE)), (1, 1));
}

/// A key whose hash or comparison panics when it is told to.
#[derive(Clone, Debug)]
struct Key(u8);

thread_local! {
    static HASH_PANICS: Cell<bool> = const { Cell::new(false) };
    static EQ_PANICS: Cell<bool> = const { Cell::new(false) };
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        assert!(!EQ_PANICS.get(), "in a comparison");
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!HASH_PANICS.get(), "in a hash");
        self.0.hash(state);
    }
}

// Hazard 58.
#[test]
fn a_key_that_panics_leaves_the_map_usable_and_within_its_bounds() {
    for panics in [&HASH_PANICS, &EQ_PANICS] {
        let map: BreakerMap<Key> = builder(2).build().unwrap();
        let start = Instant::now();
        fail(&map.breaker_at(&Key(1), start), start);
        let _ = map.breaker_at(&Key(2), start);
        panics.with(|panics| panics.set(true));
        let panicked = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
        assert!(panicked(&|| drop(map.breaker_at(&Key(2), start))));
        assert!(panicked(&|| drop(map.remove(&Key(1)))));
        // Under the lock for writing: it is poisoned.
        assert!(panicked(&|| assert_eq!(map.remove_idle_at(start + MINUTE), 1)));
        panics.with(|panics| panics.set(false));
        assert_eq!((map.len(), map.snapshot().rejecting), (2, 1));
        let _ = map.breaker_at(&Key(3), start);
        assert_eq!((map.len(), map.get(&Key(2)).is_none(), map.snapshot().most_rejecting), (2, true, 1));
        assert!(map.try_acquire_at(&Key(1), start).is_err());
        map.breaker_at(&Key(1), start).reset_at(start);
        assert_eq!((map.remove_idle_at(start + MINUTE), map.snapshot().rejecting), (2, 0));
    }
}
