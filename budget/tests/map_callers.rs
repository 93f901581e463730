//! What runs of the caller's code in a map of budgets, and that it may ask the map, be slow, or panic.
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

use evenkeel_budget::{Account, Budget, BudgetMap, Cause};
use map_support::{MINUTE, bucket, size, spend};

// Hazard 58.
#[test]
fn a_function_that_panics_leaves_the_map_as_it_was() {
    let panics = Arc::new(AtomicBool::new(false));
    let make = {
        let panics = Arc::clone(&panics);
        move || if panics.load(Ordering::Relaxed) { panic!("no budget") } else { bucket() }
    };
    let map: BudgetMap<String> = BudgetMap::new(size(2), make);
    let now = Instant::now();
    assert!(spend(&map.budget_at("acme", now)));
    panics.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| map.budget_at("umbrella", now))).is_err());
    assert!(!spend(&map.budget_at("acme", now)));
    panics.store(false, Ordering::Relaxed);
    assert!(spend(&map.budget_at("umbrella", now)));
    assert_eq!(map.len(), 2);
}

// Hazard 38, of another kind: it would deadlock if the lock were held.
#[test]
fn a_function_that_asks_the_map_does_not_deadlock() {
    let shared: Arc<OnceLock<BudgetMap<String, u32>>> = Arc::new(OnceLock::new());
    let (made, asked) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
    let make = {
        let (shared, asked) = (Arc::clone(&shared), Arc::clone(&asked));
        move || {
            let number = made.fetch_add(1, Ordering::Relaxed);
            // The first one for a key asks for the same key and for another.
            if let (Some(map), 1) = (shared.get(), number) {
                asked.store(map.budget("acme"), Ordering::Relaxed);
                let _ = (map.budget("parent"), map.snapshot());
            }
            number
        }
    };
    let map = shared.get_or_init(|| BudgetMap::new(size(9), make));
    let given = map.budget("acme");
    assert_eq!((given, asked.load(Ordering::Relaxed)), (2, 2), "the one that was made in the meantime is the key's");
    assert_eq!((map.budget("acme"), map.len()), (2, 2));
}

/// A budget that looks at its map when it is dropped.
#[derive(Clone)]
struct Looks {
    _look: Arc<Look>,
}

struct Look(Arc<OnceLock<BudgetMap<u32, Looks>>>, Arc<AtomicU32>);

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(map) = self.0.get() {
            assert!(map.len() <= 2);
            let _ = map.remove_idle();
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn budgets_are_dropped_when_the_lock_is_free() {
    let (shared, looked) = (Arc::new(OnceLock::new()), Arc::new(AtomicU32::new(0)));
    let make = {
        let (shared, looked) = (Arc::clone(&shared), Arc::clone(&looked));
        move || Looks { _look: Arc::new(Look(Arc::clone(&shared), Arc::clone(&looked))) }
    };
    let built = BudgetMap::builder(size(2), make).idle_after(MINUTE).build().unwrap();
    let map = shared.get_or_init(|| built);
    let start = Instant::now();
    for step in 0..4 {
        let _ = map.budget_at(&step, start + MINUTE * step);
    }
    assert_eq!(looked.load(Ordering::Relaxed), 3);
    // Made for nothing: both keys could be idle, and were asked for since they came.
    let now = start + MINUTE * 3;
    let _ = (map.budget_at(&10, now), map.budget_at(&3, now + MINUTE / 2), map.budget_at(&10, now + MINUTE / 2));
    let _ = map.budget_at(&11, now + MINUTE);
    assert_eq!((looked.load(Ordering::Relaxed), map.snapshot().overflowed), (4, 1));
    let removed = map.remove_idle_at(now + 3 * MINUTE);
    assert_eq!((removed, looked.load(Ordering::Relaxed)), (2, 6));
}

/// A key that asks the map when it is dropped.
#[derive(Clone)]
struct Asks(u32, Arc<OnceLock<BudgetMap<Asks>>>);

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
        let _ = self.1.get().map(BudgetMap::len);
    }
}

#[test]
fn keys_are_dropped_when_the_lock_is_free() {
    let shared = Arc::new(OnceLock::new());
    let map = shared.get_or_init(|| BudgetMap::builder(size(2), bucket).idle_after(MINUTE).build().unwrap());
    let start = Instant::now();
    for (key, at) in [(0, start), (1, start), (0, start), (2, start + MINUTE), (3, start + MINUTE), (4, start + MINUTE)]
    {
        let _ = map.budget_at(&Asks(key, Arc::clone(&shared)), at);
    }
    assert_eq!(map.len(), 2);
    assert_eq!(map.remove_idle_at(start + 5 * MINUTE), 2);
}

#[test]
fn an_idle_key_that_is_asked_for_before_a_new_one_comes_is_not_refilled() {
    let map = BudgetMap::<u8>::builder(size(2), bucket).idle_after(MINUTE).build().unwrap();
    let start = Instant::now();
    let budget = map.budget_at(&1, start);
    let again = map.budget_at(&1, start + 10 * MINUTE);
    let _token = again.open().withdraw(Cause::Transient);
    assert_eq!(budget.balance(), again.balance());
    assert_eq!(map.snapshot().evicted, 0);
}

/// A key whose comparison panics when it is told to.
#[derive(Clone, PartialEq, Eq)]
struct Key(u8);

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!PANICS.get(), "in a hash");
        self.0.hash(state);
    }
}

// Hazard 58.
#[test]
fn a_key_that_panics_leaves_the_map_usable() {
    let map: BudgetMap<Key> = BudgetMap::builder(size(2), bucket).idle_after(MINUTE).build().unwrap();
    let start = Instant::now();
    assert!(spend(&map.budget_at(&Key(1), start)));
    PANICS.set(true);
    assert!(catch_unwind(AssertUnwindSafe(|| map.budget_at(&Key(2), start))).is_err());
    // Under the lock for writing: it is poisoned.
    assert!(catch_unwind(AssertUnwindSafe(|| map.remove_idle_at(start + MINUTE))).is_err());
    PANICS.set(false);
    assert_eq!((map.len(), map.snapshot().keys), (1, 1));
    assert!(!spend(&map.budget_at(&Key(1), start)) && spend(&map.budget_at(&Key(2), start)));
}
