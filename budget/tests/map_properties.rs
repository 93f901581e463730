//! For all histories: a map of budgets does what a naive model of it does.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_budget::BudgetMap;
use proptest::{collection::vec, prelude::*};

/// Keys are idle after so many seconds.
const IDLE: i64 = 64;

/// One thing that happens, at a time in seconds that may go back.
#[derive(Clone, Debug)]
enum Step {
    Ask(u8),
    RemoveIdle,
    /// So many seconds pass; fewer than none, when the clock goes back.
    Wait(i64),
}

/// The rules, in a list that is looked through from the beginning: the older keys are in front.
struct Model {
    capacity: usize,
    /// Each key with the number of its budget and the latest time at which it was asked for.
    keys: Vec<(u8, u32, i64)>,
    /// The number of the last budget that was given to a key.
    newest: u32,
    evicted: u64,
    overflowed: u64,
}

impl Model {
    /// Whether `key` is rightly given the budget of this number; the overflow is 0.
    fn ask(&mut self, key: u8, now: i64, given: u32) -> bool {
        if let Some((_, budget, used)) = self.keys.iter_mut().find(|(of, ..)| *of == key) {
            *used = now.max(*used);
            return *budget == given;
        }
        self.remove_idle(now, 2);
        if self.keys.len() == self.capacity {
            self.overflowed += 1;
            return given == 0;
        }
        let newest = std::mem::replace(&mut self.newest, given);
        self.keys.push((key, given, now));
        given > newest
    }

    /// So many, the longest idle first, and of those the older key.
    fn remove_idle(&mut self, now: i64, most: usize) -> usize {
        for removed in 0..most {
            let idle = self.keys.iter().enumerate().filter(|(_, (.., used))| now - used >= IDLE);
            let Some((place, _)) = idle.min_by_key(|(_, (.., used))| *used) else { return removed };
            self.keys.remove(place);
            self.evicted += 1;
        }
        most
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..12_u8).prop_map(Step::Ask),
        1 => Just(Step::RemoveIdle),
        4 => prop_oneof![4 => 0..6_i64, 2 => 0..100_i64, 1 => -50..0_i64].prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_of_a_map_is_that_of_the_naive_model(
        capacity in 1..8_usize,
        steps in vec(step(), 0..200),
    ) {
        // Budgets are numbers in the order in which they are made.
        let made = Arc::new(AtomicU32::new(0));
        let make = {
            let made = Arc::clone(&made);
            move || made.fetch_add(1, Ordering::Relaxed)
        };
        let idle_after = Duration::from_secs(IDLE as u64);
        let epoch = Instant::now();
        let map: BudgetMap<u8, u32, _> = BudgetMap::builder(NonZeroUsize::new(capacity).unwrap(), make)
            .idle_after(idle_after)
            .clock(move || epoch)
            .build()
            .unwrap();
        let mut model = Model { capacity, keys: Vec::new(), newest: 0, evicted: 0, overflowed: 0 };
        let (mut seconds, mut asked) = (0_i64, 0);
        for step in &steps {
            let now = epoch + Duration::from_secs(seconds as u64);
            match *step {
                Step::Ask(key) => {
                    let given = map.budget_at(&key, now);
                    asked += 1;
                    prop_assert!(model.ask(key, seconds, given), "{:?} at {}: {}", step, seconds, given);
                }
                Step::RemoveIdle => {
                    prop_assert_eq!(map.remove_idle_at(now), model.remove_idle(seconds, usize::MAX));
                }
                Step::Wait(wait) => seconds = (seconds + wait).max(0),
            }
            let snapshot = map.snapshot();
            prop_assert!(snapshot.keys <= capacity);
            prop_assert_eq!(snapshot.keys, model.keys.len());
            prop_assert_eq!((snapshot.evicted, snapshot.overflowed), (model.evicted, model.overflowed));
            let made = made.load(Ordering::Relaxed);
            prop_assert!(model.newest < made && made <= asked + 1, "one for each that asks at most, and the overflow");
        }
    }

    #[test]
    fn a_key_that_is_asked_for_in_time_keeps_its_budget(
        capacity in 1..8_usize,
        steps in vec((0..50_u8, 0..IDLE as u64), 1..200),
    ) {
        let made = AtomicU32::new(0);
        let map: BudgetMap<u8, u32> =
            BudgetMap::builder(NonZeroUsize::new(capacity).unwrap(), move || made.fetch_add(1, Ordering::Relaxed))
                .idle_after(Duration::from_secs(IDLE as u64))
                .build()
                .unwrap();
        let mut now = Instant::now();
        let kept = map.budget_at(&255, now);
        for (other, wait) in steps {
            now += Duration::from_secs(wait);
            prop_assert_eq!(map.budget_at(&255, now), kept);
            let _ = map.budget_at(&other, now);
            prop_assert!(map.len() <= capacity);
        }
    }
}
