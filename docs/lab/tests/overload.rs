//! The fleet before a service that is asked for more than it can do.

#![allow(missing_docs)]

use std::{sync::LazyLock, time::Duration};

use evenkeel_lab::overload::{Plan, Row, Strategy};

/// The quick plan, once for all.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| Plan::quick(1).rows());

fn of(rows: &[Row], strategy: Strategy, offered: f64) -> Row {
    let row = rows.iter().find(|row| row.strategy == strategy.name() && row.offered == offered);
    *row.expect("every strategy meets every load")
}

#[test]
fn below_its_capacity_all_are_answered_whatever_the_clients_do() {
    let rows = Plan { offered: vec![0.5, 0.8], ..Plan::quick(1) }.rows();
    assert_eq!(rows.len(), 12);
    for row in rows {
        assert!((row.goodput / row.offered - 1.0).abs() < 0.05 && (row.load - row.goodput).abs() < 0.02, "{row:?}");
    }
}

#[test]
fn retries_take_from_users_what_they_send_beyond_the_capacity() {
    for offered in [2.0, 4.0, 10.0] {
        let none = of(&ROWS, Strategy::None, offered);
        let jittered = of(&ROWS, Strategy::Jittered, offered);
        assert!(jittered.goodput < none.goodput / 2.0 || none.goodput < 0.02, "{jittered:?}");
        assert!(jittered.load > 3.5 * offered, "{jittered:?}");
        let budget = of(&ROWS, Strategy::Budget, offered);
        assert!(
            (budget.goodput - none.goodput).abs() < 0.06,
            "a budget leaves it as if there were no retries: {budget:?}"
        );
    }
    // At its capacity a full bucket is worth something, and costs something.
    let (none, budget) = (of(&ROWS, Strategy::None, 1.0), of(&ROWS, Strategy::Budget, 1.0));
    assert!((1.08..=1.35).contains(&budget.load) && budget.goodput < none.goodput, "{budget:?} {none:?}");
    // What is refused costs a tenth: at ten times the load that is nearly all.
    assert!((of(&ROWS, Strategy::None, 4.0).goodput - 0.67).abs() < 0.05);
    assert!(of(&ROWS, Strategy::None, 10.0).goodput < 0.06);
}

#[test]
fn throttles_and_breakers_keep_its_goodput_however_large_the_load() {
    for offered in [2.0, 4.0, 10.0] {
        for strategy in [Strategy::Breaker, Strategy::Throttle, Strategy::Both] {
            let row = of(&ROWS, strategy, offered);
            assert!(row.goodput > 0.82 && row.load < 2.1, "{row:?}");
        }
        let throttle = of(&ROWS, Strategy::Throttle, offered);
        assert!(throttle.load < 2.0 * throttle.goodput + 0.15, "K = 2: twice what it accepts, {throttle:?}");
    }
}

#[test]
fn what_is_answered_is_answered_in_time() {
    for row in ROWS.iter() {
        // Its work, the line, and three waits before retries at most.
        assert!(row.p99_ms.is_none_or(|ms| ms < 1_700.0), "{row:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let strategies = vec![Strategy::Jittered, Strategy::Both];
    let measured = Duration::from_secs(5);
    let sheet = |seed| {
        let plan =
            Plan { clients: 10, measured, offered: vec![2.0], strategies: strategies.clone(), ..Plan::quick(seed) };
        plan.sheet().expect("a chart that can be drawn")
    };
    assert_eq!(sheet(1), sheet(1));
    assert_ne!(sheet(1).json, sheet(2).json);
}
