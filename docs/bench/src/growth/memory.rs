//! What each thing takes.

use std::{
    future::{Ready, ready},
    hint::black_box,
    num::NonZeroUsize,
    time::Duration,
};

use evenkeel_backoff::{Exponential, Retry, RetryLayer};
use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerLayer, BreakerMap};
use evenkeel_budget::{
    Account, AdaptiveThrottle, Budget, BudgetMap, Cause, InFlightBudget, Outcome, Priority, RatioBudget, TokenBudget,
};
use evenkeel_hedging::{Hedge, HedgeLayer, Quantile, QuantileMap};
use failsafe::CircuitBreaker as _;
use recloser::Recloser;
use tower::{Layer, Service, retry::budget::TpsBudget, service_fn};
use tower_resilience_circuitbreaker::circuit_breaker_builder;

use super::{
    grower::Grower,
    retries::ByTower,
    schedules::{CAP, FIRST},
};
use crate::measure::request;

pub(super) fn run(grower: &mut Grower) {
    breakers(grower);
    budgets(grower);
    estimates(grower);
    keys(grower);
    futures(grower);
}

const CALLS: u64 = 2_000;
const HOUR: Duration = Duration::from_secs(3_600);
const RANGES: &str = "settings in their ranges";

fn breakers(grower: &mut Grower) {
    let mut ours = |thing: &str, rules: BreakerBuilder| {
        let calls = |breaker: &Breaker| {
            for n in 0..CALLS {
                let permit = breaker.try_acquire().expect("it is closed");
                if n % 500 == 0 { permit.failure() } else { permit.success() }
            }
        };
        grower.thing(thing, || rules.build().expect(RANGES), calls);
    };
    let most = Breaker::MOST_IN_COUNT_WINDOW;
    ours("Breaker, the default rules", Breaker::builder());
    ours("Breaker, failures in a row", Breaker::builder().consecutive_failures(10));
    ours("Breaker, count window of 100", Breaker::builder().failure_rate(0.5));
    ours("Breaker, count window of 500", Breaker::builder().failure_rate(0.5).count_window(most));
    ours("Breaker, time window", Breaker::builder().failure_rate(0.5).time_window(Duration::from_secs(10)));
    let recloser = || Recloser::custom().error_rate(0.5).closed_len(100).open_wait(HOUR).build();
    // Its first call in a thread allocates for the thread.
    let calls = |recloser: &Recloser| (0..CALLS).for_each(|_| drop(black_box(recloser.call(|| Ok::<u64, u64>(1)))));
    calls(&recloser());
    grower.thing("recloser, window of 100", recloser, calls);
    let build = || failsafe::Config::new().build();
    grower.thing("failsafe, its defaults", build, |breaker| {
        (0..CALLS).for_each(|_| drop(black_box(breaker.call(|| Ok::<u64, u64>(1)))));
    });
    let build = || circuit_breaker_builder().build().expect(RANGES).layer(service_fn(well));
    grower.thing("tower-resilience, its defaults, with the service", build, |service| {
        (0..CALLS).for_each(|_| drop(black_box(request(&mut service.clone(), 1))));
    });
}

fn budgets(grower: &mut Grower) {
    fn spend<B: Budget>(budget: &B) {
        for _ in 0..CALLS {
            let mut account = budget.open();
            account.record(Outcome::Transient);
            if let Ok(mut token) = account.withdraw(Cause::Transient) {
                account.sent(&mut token);
            }
        }
    }
    grower.thing("TokenBudget", TokenBudget::default, spend);
    grower.thing("RatioBudget", RatioBudget::default, spend);
    grower.thing("InFlightBudget", InFlightBudget::default, spend);
    grower.thing("AdaptiveThrottle", AdaptiveThrottle::default, |throttle| {
        for _ in 0..CALLS {
            let _ = throttle.try_acquire(Priority::Normal).map(|admission| admission.record(Outcome::Success));
        }
    });
    grower.thing("tower's TpsBudget", TpsBudget::default, |budget| {
        for _ in 0..CALLS {
            tower::retry::budget::Budget::deposit(budget);
            black_box(tower::retry::budget::Budget::withdraw(budget));
        }
    });
}

fn estimates(grower: &mut Grower) {
    let latency = |n: u64| Duration::from_micros(1 + n * 1_000);
    grower.thing("Quantile", Quantile::p95, |estimate| (0..CALLS).for_each(|n| estimate.record(latency(n))));
    let histogram = || {
        let bounds = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 2);
        std::cell::RefCell::new(bounds.expect("bounds in their ranges"))
    };
    grower.thing("hdrhistogram, 1 µs to 1 h, two digits", histogram, |histogram| {
        (0..CALLS).for_each(|n| histogram.borrow_mut().saturating_record(latency(n).as_micros() as u64));
    });
}

/// A key's share of a map of a hundred.
fn keys(grower: &mut Grower) {
    const KEYS: u64 = 100;
    let hundred = NonZeroUsize::new(KEYS as usize).expect("a hundred");
    let breakers = || {
        let map = BreakerMap::<u64>::new(hundred);
        (0..KEYS).for_each(|key| drop(map.breaker(&key)));
        map
    };
    let budgets = || {
        let map = BudgetMap::<u64>::new(hundred, TokenBudget::default);
        (0..KEYS).for_each(|key| drop(map.budget(&key)));
        map
    };
    let estimates = || {
        let map = QuantileMap::<u64>::new(hundred, Quantile::p95);
        (0..KEYS).for_each(|key| drop(map.quantile(&key)));
        map
    };
    let all = [
        (
            "BreakerMap, a key",
            grower.weighed(breakers, |map| {
                (0..CALLS).for_each(|call| map.try_acquire(&(call % KEYS)).expect("it is closed").success());
            }),
        ),
        (
            "BudgetMap, a key",
            grower.weighed(budgets, |map| {
                (0..CALLS).for_each(|call| map.budget(&(call % KEYS)).open().record(Outcome::Success));
            }),
        ),
        (
            "QuantileMap, a key",
            grower.weighed(estimates, |map| {
                (0..CALLS).for_each(|call| map.quantile(&(call % KEYS)).record(Duration::from_millis(call)));
            }),
        ),
    ];
    for (thing, (made, used)) in all {
        grower.size(thing, made / KEYS, used / KEYS);
    }
}

fn well(_: u64) -> Ready<Result<u64, u64>> {
    ready(Ok(1))
}

/// What lives as long as a call, around a future that is ready.
fn futures(grower: &mut Grower) {
    fn size<T>(grower: &mut Grower, thing: &str, of: &T) {
        let bytes = size_of_val(of) as u64;
        grower.size(thing, bytes, bytes);
    }
    let retry = Retry::new(Exponential::new(FIRST).cap(CAP).take(3), tokio::time::sleep);
    let hedge = Hedge::new([FIRST], tokio::time::sleep);
    let breaker = Breaker::new();
    size(grower, "the future that is called", &well(1));
    size(grower, "Retry, a policy", &retry);
    size(grower, "Retry::run, a call", &retry.run(|_| well(1)));
    size(grower, "Breaker::call, a call", &breaker.call(well(1)));
    size(grower, "Hedge::run, a call", &hedge.run(|_| well(1)));
    let layer = RetryLayer::new(Exponential::new(FIRST).cap(CAP).take(3), tokio::time::sleep);
    size(grower, "RetryLayer, a call", &layer.layer(service_fn(well)).call(1));
    size(grower, "BreakerLayer, a call", &BreakerLayer::new(breaker.clone()).layer(service_fn(well)).call(1));
    let layer = HedgeLayer::new([FIRST], tokio::time::sleep);
    size(grower, "HedgeLayer, a call", &layer.layer(service_fn(well)).call(1));
    size(grower, "tower::retry, a call", &tower::retry::Retry::new(ByTower::new(3), service_fn(well)).call(1));
}
