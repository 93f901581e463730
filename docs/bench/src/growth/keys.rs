//! The maps by the number of their keys.
#![allow(clippy::disallowed_types)] // What one writes by hand has a lock.

use std::{
    cell::RefCell,
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerMap};
use evenkeel_budget::{BudgetMap, TokenBudget};
use evenkeel_hedging::{Quantile, QuantileMap};

use super::{
    grower::{At, Grower},
    hand::{Hand, scattered},
};

pub(super) fn run(grower: &mut Grower) {
    calls(grower);
    new_keys(grower);
    pauses(grower);
    bytes(grower);
}

const MOST: u64 = 1_000_000;
/// An estimate is 16 KiB.
const MOST_ESTIMATES: u64 = 10_000;
/// Between two calls.
const STEP: Duration = Duration::from_micros(1);
/// Later than the map was made, whenever the clock was: what is before that counts as its beginning.
const SECOND: Duration = Duration::from_secs(1);

/// What one writes by hand: no bound, nothing is ever dropped.
type ByHand = Mutex<HashMap<u64, Breaker>>;

fn breakers(keys: u64, now: Instant) -> BreakerMap<u64> {
    let map = BreakerMap::new(capacity(keys));
    (0..keys).for_each(|key| drop(map.breaker_at(&key, now)));
    map
}

fn budgets(keys: u64, now: Instant) -> BudgetMap<u64> {
    let map = BudgetMap::new(capacity(keys), TokenBudget::default);
    (0..keys).for_each(|key| drop(map.budget_at(&key, now)));
    map
}

fn estimates(keys: u64) -> QuantileMap<u64> {
    let map = QuantileMap::new(capacity(keys), Quantile::p95);
    (0..keys).for_each(|key| drop(map.quantile(&key)));
    map
}

fn by_hand(keys: u64) -> ByHand {
    let map = ByHand::default();
    (0..keys).for_each(|key| drop(of(&map, key)));
    map
}

fn of(map: &ByHand, key: u64) -> Breaker {
    map.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
}

fn capacity(keys: u64) -> NonZeroUsize {
    NonZeroUsize::new(keys as usize).expect("a key at least")
}

/// A key that is there.
fn calls(grower: &mut Grower) {
    let mut points = Vec::new();
    for keys in grower.tens(1, MOST) {
        let start = Instant::now();
        let (map, mut any, mut now) = (breakers(keys, start), scattered(keys), start);
        let (same, mut then) = (map.clone(), start);
        points.push(At::new("BreakerMap", keys, move || {
            now += STEP;
            map.breaker_at(&any(), now)
        }));
        points.push(At::new("BreakerMap, the same key", keys, move || {
            then += STEP;
            same.breaker_at(&0, then)
        }));
        let (map, mut any, mut now) = (budgets(keys, start), scattered(keys), start);
        points.push(At::new("BudgetMap", keys, move || {
            now += STEP;
            map.budget_at(&any(), now)
        }));
        let (map, mut any) = (by_hand(keys), scattered(keys));
        points.push(At::new(BY_HAND, keys, move || of(&map, any())));
    }
    for keys in grower.tens(1, MOST_ESTIMATES) {
        let (map, mut any) = (estimates(keys), scattered(keys));
        points.push(At::new("QuantileMap, with the clock", keys, move || map.quantile(&any())));
    }
    grower.time("map-call", points);
}

const BY_HAND: &str = "Mutex<HashMap>";

/// A key that is new, when the map is full.
fn new_keys(grower: &mut Grower) {
    let mut points = Vec::new();
    for keys in grower.tens(1, MOST) {
        let start = Instant::now();
        let (map, mut key, mut now) = (breakers(keys, start), keys, start);
        points.push(At::new("BreakerMap: another one goes", keys, move || {
            key += 1;
            now += STEP;
            map.breaker_at(&key, now)
        }));
        let (map, mut key, mut now) = (budgets(keys, start), keys, start);
        points.push(At::new("BudgetMap: the overflow budget", keys, move || {
            key += 1;
            now += STEP;
            map.budget_at(&key, now)
        }));
        let (map, mut key) = (by_hand(keys), keys - 1);
        points.push(At::new("Mutex<HashMap>: the oldest goes", keys, move || {
            key += 1;
            // The oldest is the one that came so many before; by hand one would have to know that.
            drop(map.lock().unwrap_or_else(PoisonError::into_inner).remove(&(key - keys)));
            of(&map, key)
        }));
    }
    grower.time("map-new", points);
}

/// The longest that one call can take, with all others waiting.
fn pauses(grower: &mut Grower) {
    for keys in grower.tens(10, MOST) {
        let start = Instant::now();
        for (line, room) in [("BreakerMap, full", 0), ("BreakerMap, with room", 100)] {
            all_were_asked(grower, line, keys, room);
        }
        let (map, mut now, mut new) = (budgets(keys, start), start, keys);
        // When it knew of them last, each would be idle by now; and nobody is.
        let ask_all = || {
            now += BudgetMap::DEFAULT_IDLE_AFTER;
            (0..keys).for_each(|key| drop(map.budget_at(&key, now)));
            now
        };
        grower.once(("map-pause", "BudgetMap, idle ones are looked for", keys), ask_all, |now| {
            new += 1;
            map.budget_at(&new, *now)
        });
        let at = ("map-pause", "Mutex<HashMap>, it has to grow", keys);
        let fill = || {
            let mut full: HashMap<u64, Breaker> = HashMap::with_capacity(keys as usize);
            let breaker = Breaker::new();
            (0..full.capacity() as u64).for_each(|key| drop(full.insert(key, breaker.clone())));
            full
        };
        grower.once(at, fill, |full| full.insert(u64::MAX, Breaker::new()));
    }
}

/// A new key, when all others were asked for since the last one.
fn all_were_asked(grower: &mut Grower, line: &str, keys: u64, room: u64) {
    let (hand, asked) = (Hand::new(), RefCell::new((0..keys).collect::<Vec<_>>()));
    let map = BreakerMap::new(capacity(keys + room));
    let ask_all = || {
        let now = hand.pass(SECOND);
        asked.borrow().iter().for_each(|key| drop(map.breaker_at(key, now)));
    };
    ask_all();
    let mut new = keys - 1;
    let before = || {
        // Whichever was dropped is not asked for: it would be new itself, and another one would go.
        asked.borrow_mut().retain(|key| map.get(key).is_some());
        ask_all();
    };
    grower.once(("map-pause", line, keys), before, |()| {
        new += 1;
        asked.borrow_mut().push(new);
        map.breaker_at(&new, hand.pass(SECOND))
    });
}

/// Bytes for each key.
fn bytes(grower: &mut Grower) {
    let start = Instant::now();
    for keys in grower.tens(1, MOST) {
        let each = |(bytes, _): (u64, u64)| bytes as f64 / keys as f64;
        let map = each(grower.weighed(|| breakers(keys, start), |_| ()));
        grower.bytes(("map-bytes", "BreakerMap", keys), map);
        let map = each(grower.weighed(|| budgets(keys, start), |_| ()));
        grower.bytes(("map-bytes", "BudgetMap", keys), map);
        let map = each(grower.weighed(|| by_hand(keys), |_| ()));
        grower.bytes(("map-bytes", "Mutex<HashMap> of breakers", keys), map);
        if keys <= MOST_ESTIMATES {
            let map = each(grower.weighed(|| estimates(keys), |_| ()));
            grower.bytes(("map-bytes", "QuantileMap", keys), map);
        }
    }
}
