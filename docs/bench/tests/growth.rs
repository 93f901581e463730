//! What is told of growth, and that nothing grows that need not: by allocations, bytes and hashes, which are the same each time.
#![cfg(feature = "shown")]
#![allow(clippy::disallowed_methods)] // Where a clock begins matters to nothing here.

use evenkeel_bench::growth::{Growth, sheet};

#[test]
fn what_was_recorded_can_be_read_and_drawn() {
    let recorded: Growth = serde_json::from_str(include_str!("../results/growth.json")).expect("a recorded run");
    assert!(recorded.points.iter().any(|point| point.chart == "map-call" && point.x >= 1e6), "a million keys");
    let sheet = sheet(&recorded).expect("a point beyond an axis");
    assert_eq!(sheet.charts.len(), 14);
    assert!(sheet.text.contains(&recorded.machine));
}

#[cfg(feature = "measure")]
mod measured {
    use std::{
        cell::Cell,
        collections::BTreeSet,
        future::ready,
        hash::{Hash, Hasher},
        num::NonZeroUsize,
        time::{Duration, Instant},
    };

    use allocation_counter::measure;
    use evenkeel_backoff::{Exponential, Retry};
    use evenkeel_bench::{
        growth::{Growth, Plan, Point, measured, sheet},
        measure::{Allocated, drive},
    };
    use evenkeel_breaker::{Breaker, BreakerMap};
    use evenkeel_budget::{BudgetMap, RatioBudget, TokenBudget};
    use evenkeel_hedging::Quantile;

    const FEW: u64 = 10;
    const MANY: u64 = 100_000;

    fn count(run: &mut dyn FnMut()) -> Allocated {
        let counted = measure(run);
        Allocated { count_total: counted.count_total, bytes_current: counted.bytes_current }
    }

    #[test]
    fn a_quick_run_runs_through_and_can_be_drawn() {
        let growth = measured(Plan { rounds: 1, most: 1_000, count }, "nowhere".to_owned());
        let sheet = sheet(&growth).expect("a point beyond an axis");
        let charts: BTreeSet<&str> = growth.points.iter().map(|point| &*point.chart).collect();
        assert_eq!(charts.len(), sheet.charts.len(), "each chart has points, and each point a chart");
        assert!(sheet.text.starts_with("How what a call costs grows with what there is"));
        let kept = serde_json::to_string_pretty(&growth).expect("plain data");
        assert_eq!(serde_json::from_str::<Growth>(&kept).expect("what was written"), growth);

        let names = ["Breaker", "Budget", "Quantile", "Retry", "Hedge", "Alternates"];
        let ours = |point: &&Point| names.iter().any(|name| point.line.starts_with(name));
        for point in growth.points.iter().filter(ours) {
            let most = match &*point.chart {
                // Two copies of the key, its breaker, and its place in the order.
                "map-new" => 20.0,
                // The first attempt is in place, each beside it in a box of its own; a `Vec` of services is cloned.
                "hedging" => 1.5,
                _ => 0.0,
            };
            assert!(point.allocs.is_none_or(|allocs| allocs <= most), "{point:?}");
        }
    }

    /// A key that counts how often it is hashed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Counted(u64);

    thread_local! {
        static HASHED: Cell<u64> = const { Cell::new(0) };
    }

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            HASHED.set(HASHED.get() + 1);
            self.0.hash(state);
        }
    }

    /// Allocations and hashes.
    fn work(run: impl FnOnce()) -> (u64, u64) {
        let before = HASHED.get();
        let allocations = measure(run).count_total;
        (allocations, HASHED.get() - before)
    }

    fn breakers(keys: u64) -> (BreakerMap<Counted>, Instant) {
        let (map, now) = (BreakerMap::new(NonZeroUsize::new(keys as usize).unwrap()), Instant::now());
        (0..keys).for_each(|key| drop(map.breaker_at(&Counted(key), now)));
        (map, now)
    }

    fn budgets(keys: u64) -> (BudgetMap<Counted>, Instant) {
        let map = BudgetMap::new(NonZeroUsize::new(keys as usize).unwrap(), TokenBudget::default);
        let now = Instant::now();
        (0..keys).for_each(|key| drop(map.budget_at(&Counted(key), now)));
        (map, now)
    }

    #[test]
    fn a_key_that_is_there_is_hashed_once_and_nothing_is_allocated_however_many_there_are() {
        for keys in [FEW, MANY] {
            let ((breakers, now), (budgets, later)) = (breakers(keys), budgets(keys));
            for key in [0, keys / 2, keys - 1].map(Counted) {
                assert_eq!(work(|| drop(breakers.breaker_at(&key, now))), (0, 1), "{keys} breakers");
                assert_eq!(work(|| drop(budgets.budget_at(&key, later))), (0, 1), "{keys} budgets");
            }
        }
    }

    #[test]
    fn a_new_key_of_a_full_map_hashes_few_keys_however_many_there_are() {
        for keys in [FEW, MANY] {
            let (map, now) = breakers(keys);
            // All were asked for since: the map looks at 1,024 of them with each new one, and at their times only.
            (0..keys).for_each(|key| drop(map.breaker_at(&Counted(key), now + Duration::from_secs(1))));
            for new in keys..keys + 100 {
                let (_, hashed) = work(|| drop(map.breaker_at(&Counted(new), now + Duration::from_secs(2))));
                // To look for it, once more under the lock, to take one out and to put it in.
                assert!(hashed <= 4, "{hashed} hashes with {keys} keys");
            }
            let (map, now) = budgets(keys);
            for new in keys..keys + 100 {
                let work = work(|| drop(map.budget_at(&Counted(new), now)));
                assert_eq!(work, (0, 1), "the overflow budget, with {keys} keys");
            }
        }
    }

    /// What a thing has on the heap.
    fn heap<T>(make: impl FnOnce() -> T) -> u64 {
        let mut thing = None;
        let counted = measure(|| thing = Some(make()));
        u64::try_from(counted.bytes_current).unwrap()
    }

    #[test]
    fn a_key_takes_as_much_among_many_as_among_few() {
        let each = |keys: u64| [heap(|| breakers(keys)) / keys, heap(|| budgets(keys)) / keys];
        let [few, many] = [100, MANY].map(each);
        for (few, many) in few.into_iter().zip(many) {
            // A table that has just doubled is half empty.
            assert!(many <= few * 2, "{few} bytes of each of a hundred, {many} of each of many");
        }
        assert!(many[0] <= 1_024 && many[1] <= 768, "{many:?}");
    }

    #[test]
    fn windows_take_as_much_with_much_traffic_as_with_little() {
        let span = Duration::from_secs(10);
        let start = Instant::now();
        for traffic in [FEW, MANY] {
            let step = span / traffic as u32;
            let time = Cell::new(start);
            let pass = || time.set(time.get() + step);
            let breaker = Breaker::builder().failure_rate(1.0).time_window(span).clock(|| time.get()).build().unwrap();
            let budget = RatioBudget::builder().ratio(1.0).ttl(span).clock(|| time.get()).build().unwrap();
            let estimate = Quantile::builder(0.95).window(span).clock(|| time.get()).build().unwrap();
            let counted = measure(|| {
                for call in 0..2 * traffic {
                    pass();
                    let permit = breaker.try_acquire().unwrap();
                    if call % 2 == 0 {
                        permit.success();
                    } else {
                        permit.failure();
                    }
                    budget.deposit();
                    // Whether it grants it or not.
                    let _ = budget.try_withdraw();
                    estimate.record(Duration::from_micros(call));
                }
            });
            assert_eq!(counted.count_total, 0, "{traffic} calls in a window");
        }
    }

    #[test]
    fn a_request_allocates_nothing_however_often_it_fails() {
        for failures in [1, 100, 10_000] {
            let retry = Retry::new(Exponential::new(Duration::from_millis(1)).take(failures), |_| ready(()));
            let retry = retry.budget(evenkeel_budget::Unlimited);
            let attempts = Cell::new(0);
            let attempt = || {
                attempts.set(attempts.get() + 1);
                ready(if attempts.get() > failures { Ok(()) } else { Err(()) })
            };
            let counted = measure(|| assert_eq!(drive(retry.run(|_| attempt())), Ok(())));
            assert_eq!((counted.count_total, attempts.get()), (0, failures + 1));
        }
    }
}
