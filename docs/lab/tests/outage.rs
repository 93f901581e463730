//! The fleet in an outage: who lets the service come back.

#![allow(missing_docs)]

use std::{sync::LazyLock, time::Duration};

use evenkeel_lab::outage::{Plan, Row, Run, Strategy};

/// The quick plan, once for all.
static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| Plan::quick(1).runs());

fn of(runs: &[Run], strategy: Strategy) -> &Run {
    runs.iter().find(|run| run.row.strategy == strategy.name()).expect("every strategy is run")
}

/// Where retries are without bounds.
const STORMS: [Strategy; 3] = [Strategy::Naive, Strategy::Exponential, Strategy::Jittered];

#[test]
fn the_plan_of_the_book_is_of_ten_thousand_clients_and_half_a_minute() {
    let plan = Plan::new(1);
    assert_eq!((plan.clients, plan.outage), (10_000, Duration::from_secs(30)));
    assert!(plan.after >= Duration::from_secs(60) && plan.strategies == Strategy::ALL);
}

#[test]
fn retries_without_bounds_keep_it_down_and_the_full_stack_lets_it_recover() {
    let runs = &RUNS;
    for strategy in STORMS {
        let Row { recovery_ms, goodput_after, .. } = of(runs, strategy).row;
        assert!(recovery_ms.is_none() && goodput_after < 0.02, "{strategy:?}: {goodput_after}, {recovery_ms:?}");
        let last = of(runs, strategy).line.seconds.last().expect("seconds");
        assert!(last.load > 2.5, "{strategy:?}: what it cannot answer is sent again and again, {last:?}");
    }
    for strategy in [Strategy::None, Strategy::Budget, Strategy::Breaker] {
        let Row { recovery_ms, goodput_after, .. } = of(runs, strategy).row;
        let in_time = recovery_ms.is_some_and(|ms| (1_000.0..=15_000.0).contains(&ms));
        assert!(in_time && goodput_after > 0.65, "{strategy:?}: {goodput_after}, {recovery_ms:?}");
    }
}

#[test]
fn a_service_that_naive_retries_keep_down_stays_down_for_as_long_as_they_last() {
    let after = Duration::from_secs(600);
    let plan = Plan { clients: 100, after, strategies: vec![Strategy::Jittered, Strategy::Breaker], ..Plan::new(3) };
    let runs = plan.runs();
    assert_eq!(of(&runs, Strategy::Jittered).row.recovery_ms, None, "ten minutes are not enough");
    assert!(of(&runs, Strategy::Jittered).line.answered_after < 0.02);
    assert!(of(&runs, Strategy::Breaker).line.answered_after > 0.97);
}

#[test]
fn they_keep_it_down_only_if_its_line_is_longer_than_they_wait() {
    // A client waits for a second.
    let recovered = |line| {
        let line = Duration::from_millis(line);
        let plan = Plan { line, strategies: vec![Strategy::Naive], ..Plan::quick(1) };
        plan.run(Strategy::Naive).row.recovery_ms
    };
    assert!(
        recovered(800).is_some_and(|ms| ms <= 1_000.0),
        "what comes through the line is in time: {:?}",
        recovered(800)
    );
    assert_eq!(recovered(1_200), None);
}

#[test]
fn behind_breakers_the_line_is_worked_off_in_its_own_two_seconds() {
    let first_answered = |strategy| {
        let seconds = &of(&RUNS, strategy).line.seconds;
        seconds.iter().find(|second| second.at_s >= 30.0 && second.goodput > 0.2).map(|second| second.at_s)
    };
    let (breaker, none) = (first_answered(Strategy::Breaker), first_answered(Strategy::None));
    assert!(breaker.is_some_and(|at| (31.0..=33.0).contains(&at)), "{breaker:?}");
    assert!(none.is_some_and(|at| (34.0..=37.0).contains(&at)), "others come meanwhile: {none:?}");
}

#[test]
fn a_budget_that_is_too_large_for_its_client_ends_it_late() {
    let plan = Plan { outage: Duration::from_secs(10), ..Plan::quick(1) };
    let [small, large] = [Strategy::Budget, Strategy::LargeBudget].map(|strategy| plan.run(strategy).row);
    let ms = |row: Row| row.recovery_ms.unwrap_or(f64::INFINITY);
    assert!(ms(large) > 3.0 * ms(small), "{small:?} {large:?}");
    assert!(large.outage_amplification > 3.5 && small.outage_amplification < 2.0, "{small:?} {large:?}");
}

#[test]
fn each_part_takes_from_the_load_of_the_outage_what_it_is_for() {
    let runs = &RUNS;
    let amplification = |strategy| of(runs, strategy).row.outage_amplification;
    assert!((amplification(Strategy::None) - 1.0).abs() < 0.02);
    for strategy in STORMS {
        assert!((3.9..=4.1).contains(&amplification(strategy)), "{strategy:?}: three more for each");
    }
    assert!((1.05..=1.4).contains(&amplification(Strategy::Budget)), "{}", amplification(Strategy::Budget));
    assert!(amplification(Strategy::Breaker) < 0.8, "{}", amplification(Strategy::Breaker));

    let peak = |strategy| of(runs, strategy).row.peak_load;
    assert!(peak(Strategy::None) < 1.3 && peak(Strategy::Naive) > 5.0);
    assert!(peak(Strategy::Breaker) <= peak(Strategy::Budget) && peak(Strategy::Budget) < peak(Strategy::Jittered));
}

#[test]
fn in_the_depth_of_the_outage_only_probes_come_through_the_breakers() {
    let run = of(&RUNS, Strategy::Breaker);
    let deep = run.line.seconds.iter().filter(|second| (20.0..30.0).contains(&second.at_s));
    let loads: Vec<f64> = deep.map(|second| second.load).collect();
    assert!(loads.len() == 10 && loads.iter().sum::<f64>() / 10.0 < 0.3, "{loads:?}");
}

#[test]
fn before_the_outage_nobody_does_anything_but_ask_once() {
    for run in RUNS.iter() {
        let calm: Vec<f64> = run
            .line
            .seconds
            .iter()
            .filter(|second| (-15.0..-1.0).contains(&second.at_s))
            .map(|second| second.load)
            .collect();
        let mean = calm.iter().sum::<f64>() / calm.len() as f64;
        assert!((mean - 0.8).abs() < 0.04, "{}: {mean}", run.row.strategy);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let plan =
        |seed| Plan { clients: 60, strategies: vec![Strategy::Jittered, Strategy::Breaker], ..Plan::quick(seed) };
    let sheet = |seed| plan(seed).sheet().expect("a chart that can be drawn");
    let first = sheet(1);
    assert_eq!(first, sheet(1));
    assert_ne!(first.json, sheet(2).json);
}

#[test]
fn a_row_has_what_it_is_said_to_have_and_no_more() {
    let row = Row {
        strategy: "naive",
        clients: 10_000,
        peak_load: 7.06,
        outage_amplification: 4.0,
        goodput_after: 0.0,
        recovery_ms: None,
    };
    let expected = r#"{"strategy":"naive","clients":10000,"peak_load":7.06,"outage_amplification":4.0,"goodput_after":0.0,"recovery_ms":null}"#;
    assert_eq!(serde_json::to_string(&row).expect("JSON"), expected);
}
