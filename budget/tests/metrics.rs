//! What the counting observers count.
#![cfg(all(feature = "metrics", not(loom)))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use evenkeel_budget::{
    Account, Budget, BudgetMap, BudgetMetrics, Cause, Costs, Observed, Outcome, Priority, ThrottleMetrics,
    ThrottleObserver, TokenBudget,
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

/// The series that `f` leaves, with those that are zero, and what describes them.
fn series_of(f: impl FnOnce()) -> BTreeMap<String, (f64, String)> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, f);
    let read = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, description, value)| {
        let labels: String = key.key().labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(gauge) => gauge.0,
            DebugValue::Histogram(samples) => samples.iter().map(|sample| sample.0).sum(),
        };
        (format!("{}{labels}", key.key().name()), (value, description.expect("described").to_string()))
    });
    read.collect()
}

fn values(series: &BTreeMap<String, (f64, String)>) -> Vec<(&str, f64)> {
    series.iter().map(|(name, (value, _))| (name.as_str(), *value)).filter(|(_, value)| *value != 0.0).collect()
}

#[test]
fn deposits_withdrawals_refusals_refunds_and_the_balance_are_counted() {
    let series = series_of(|| {
        let budget = Observed::new(TokenBudget::new(20, Costs::REVISION_2026), BudgetMetrics::new("api"));
        for cause in [Cause::Transient, Cause::Throttled, Cause::Timeout, Cause::Hedge] {
            let mut account = budget.open();
            let mut token = account.withdraw(cause).unwrap();
            assert!(account.withdraw(Cause::Hedge).is_err() || cause == Cause::Throttled);
            if cause == Cause::Transient {
                account.sent(&mut token);
                account.record(Outcome::Success);
            }
        }
        let mut account = budget.open();
        let mut token = account.withdraw(Cause::Throttled).unwrap();
        account.sent(&mut token);
    });
    let expected = [
        ("evenkeel_budget_balance name=api", 15.0),
        ("evenkeel_budget_deposits_total name=api", 1.0),
        ("evenkeel_budget_refunds_total name=api cause=hedge", 2.0),
        ("evenkeel_budget_refunds_total name=api cause=throttled", 1.0),
        ("evenkeel_budget_refunds_total name=api cause=timeout", 1.0),
        ("evenkeel_budget_refusals_total name=api cause=hedge", 3.0),
        ("evenkeel_budget_withdrawals_total name=api cause=hedge", 2.0),
        ("evenkeel_budget_withdrawals_total name=api cause=throttled", 2.0),
        ("evenkeel_budget_withdrawals_total name=api cause=timeout", 1.0),
        ("evenkeel_budget_withdrawals_total name=api cause=transient", 1.0),
    ];
    assert_eq!(values(&series), expected);
    assert_eq!(series.len(), 2 + 3 * 4, "each series is there from the beginning");
}

#[test]
fn the_gauge_shows_the_balance_before_anything_happens() {
    let series = series_of(|| {
        let _budget = Observed::new(TokenBudget::default(), BudgetMetrics::new("api"));
    });
    assert_eq!(values(&series), [("evenkeel_budget_balance name=api", 500.0)]);
}

// Hazard 60.
#[test]
fn metrics_of_retired_keys_do_not_stay() {
    let tenants = |count: u32| {
        series_of(|| {
            let metrics = BudgetMetrics::of_many("tenants");
            let make = move || Observed::new(TokenBudget::new(14, Costs::REVISION_2026), metrics.clone());
            let budgets = BudgetMap::new(NonZeroUsize::new(100).unwrap(), make);
            let start = Instant::now();
            for tenant in 0..count {
                let now = start + Duration::from_secs(60) * tenant;
                let mut account = budgets.budget_at(&tenant, now).open();
                let mut token = account.withdraw(Cause::Transient).unwrap();
                account.sent(&mut token);
            }
            assert!(budgets.len() <= 12);
        })
    };
    let (one, many) = (tenants(1), tenants(1_000));
    assert_eq!(one.keys().collect::<Vec<_>>(), many.keys().collect::<Vec<_>>(), "no series for each key");
    assert_eq!(many["evenkeel_budget_withdrawals_total name=tenants cause=transient"].0, 1_000.0);
    assert!(!many.keys().any(|name| name.contains("balance")), "many budgets have no one balance");
}

#[test]
fn clones_count_into_the_same_series() {
    let series = series_of(|| {
        let metrics = BudgetMetrics::new("api");
        for _ in 0..3 {
            let budget = Observed::new(TokenBudget::default(), metrics.clone());
            budget.open().record(Outcome::Success);
        }
    });
    assert_eq!(series["evenkeel_budget_deposits_total name=api"].0, 3.0);
}

#[test]
fn requests_rejections_and_accepts_of_a_throttle_are_counted() {
    let series = series_of(|| {
        let metrics = ThrottleMetrics::new("api");
        for (priority, times) in [(Priority::Critical, 5), (Priority::Normal, 3), (Priority::Sheddable, 1)] {
            (0..times).for_each(|_| metrics.on_admit(priority, 0.125));
        }
        metrics.on_reject(Priority::Normal, 0.75);
        metrics.on_reject(Priority::Sheddable, 0.5);
        metrics.on_outcome(true);
        metrics.on_outcome(false);
        metrics.clone().on_outcome(true);
    });
    let expected = [
        ("evenkeel_throttle_accepts_total name=api", 2.0),
        ("evenkeel_throttle_rejection_probability name=api priority=critical", 0.125),
        ("evenkeel_throttle_rejection_probability name=api priority=normal", 0.75),
        ("evenkeel_throttle_rejection_probability name=api priority=sheddable", 0.5),
        ("evenkeel_throttle_rejections_total name=api priority=normal", 1.0),
        ("evenkeel_throttle_rejections_total name=api priority=sheddable", 1.0),
        ("evenkeel_throttle_requests_total name=api priority=critical", 5.0),
        ("evenkeel_throttle_requests_total name=api priority=normal", 4.0),
        ("evenkeel_throttle_requests_total name=api priority=sheddable", 2.0),
    ];
    assert_eq!(values(&series), expected);
}

#[test]
fn the_gauge_follows_deposits_and_refunds() {
    let series = series_of(|| {
        let budget = Observed::new(TokenBudget::new(28, Costs::REVISION_2026), BudgetMetrics::new("api"));
        let mut account = budget.open();
        let mut token = account.withdraw(Cause::Transient).unwrap();
        account.sent(&mut token);
        drop((token, account));
        drop(budget.open().withdraw(Cause::Transient));
    });
    assert_eq!(series["evenkeel_budget_balance name=api"].0, 14.0, "as after the refund");
    let series = series_of(|| {
        let budget = Observed::new(TokenBudget::grpc(10.0, 0.5).unwrap(), BudgetMetrics::new("api"));
        budget.open().record(Outcome::Transient);
        budget.open().record(Outcome::Success);
    });
    assert_eq!(series["evenkeel_budget_balance name=api"].0, 9.5, "as after the deposit");
}
