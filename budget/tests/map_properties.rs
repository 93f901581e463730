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

/// Keys are idle after so many seconds, and a sweep is due after four.
const IDLE: i64 = 64;

/// One thing that happens, at a time in seconds that may go back.
#[derive(Clone, Debug)]
enum Step {
    Ask(u8),
    RemoveIdle,
    /// So many seconds pass; fewer than none, when the clock goes back.
    Wait(i64),
}

/// The rules, in a list that is looked through from the beginning.
struct Model {
    capacity: usize,
    /// Each key with the number of its budget and the latest time at which it was asked for.
    keys: Vec<(u8, u32, i64)>,
    swept_at: i64,
    made: u32,
    evicted: u64,
    overflowed: u64,
}

impl Model {
    /// The number of the budget that `key` gets; the overflow is 0.
    fn ask(&mut self, key: u8, now: i64) -> u32 {
        if let Some((_, budget, used)) = self.keys.iter_mut().find(|(of, ..)| *of == key) {
            *used = now.max(*used);
            return *budget;
        }
        let is_due = (now - self.swept_at).abs() >= IDLE / 16;
        if self.keys.len() == self.capacity && !is_due {
            self.overflowed += 1;
            return 0;
        }
        self.made += 1;
        if is_due {
            self.remove_idle(now);
        }
        if self.keys.len() == self.capacity {
            self.overflowed += 1;
            return 0;
        }
        self.keys.push((key, self.made, now));
        self.made
    }

    fn remove_idle(&mut self, now: i64) -> usize {
        let before = self.keys.len();
        self.keys.retain(|(.., used)| now - used < IDLE);
        self.swept_at = now;
        self.evicted += (before - self.keys.len()) as u64;
        before - self.keys.len()
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
        let mut model = Model { capacity, keys: Vec::new(), swept_at: 0, made: 0, evicted: 0, overflowed: 0 };
        let mut seconds = 0_i64;
        for step in &steps {
            let now = epoch + Duration::from_secs(seconds as u64);
            match *step {
                Step::Ask(key) => {
                    let given = map.budget_at(&key, now);
                    prop_assert_eq!(given, model.ask(key, seconds), "{:?} at {}", step, seconds);
                }
                Step::RemoveIdle => prop_assert_eq!(map.remove_idle_at(now), model.remove_idle(seconds)),
                Step::Wait(wait) => seconds = (seconds + wait).max(0),
            }
            let snapshot = map.snapshot();
            prop_assert!(snapshot.keys <= capacity);
            prop_assert_eq!(snapshot.keys, model.keys.len());
            prop_assert_eq!((snapshot.evicted, snapshot.overflowed), (model.evicted, model.overflowed));
            prop_assert_eq!(made.load(Ordering::Relaxed), model.made + 1, "made with the overflow");
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
