//! Who gets around one bad backend of ten, how soon, and at what cost.

#![allow(missing_docs)]

use std::{sync::LazyLock, time::Duration};

use evenkeel_lab::replica::{Plan, Run, Scenario, Strategy};

/// A small fleet, so that it is quick without optimisations too.
fn plan(seed: u64) -> Plan {
    let [calm, fault, after] = [24, 40, 30].map(Duration::from_secs);
    Plan { clients: 10, calm, fault, after, ..Plan::new(seed) }
}

fn few(seed: u64, cases: &[(Scenario, Strategy)]) -> Plan {
    Plan { clients: 2, cases: cases.to_vec(), ..plan(seed) }
}

/// Made once, for all that look at it.
static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| plan(1).runs());

fn of(strategy: Strategy) -> [&'static Run; 3] {
    Scenario::ALL.map(|scenario| {
        let is = |run: &&Run| (run.row.scenario, run.row.strategy) == (scenario.name(), strategy.name());
        RUNS.iter().find(is).expect("a row of each")
    })
}

/// The share of slow requests in the intervals of a time, in seconds since the fault began.
fn slow(run: &Run, from: f64, to: f64) -> f64 {
    let of_time = run.detail.at_s.iter().zip(&run.detail.slow).filter(|(at, _)| (from..to).contains(*at));
    let shares: Vec<f64> = of_time.filter_map(|(_, share)| *share).collect();
    shares.iter().sum::<f64>() / shares.len() as f64
}

fn to_bad(run: &Run, from: f64) -> f64 {
    let later = run.detail.at_s.iter().zip(&run.detail.to_bad).filter(|(at, _)| **at >= from);
    let shares: Vec<f64> = later.filter_map(|(_, share)| *share).collect();
    shares.iter().sum::<f64>() / shares.len() as f64
}

#[test]
fn a_tenth_of_the_requests_meets_the_bad_one_when_nothing_is_done() {
    let [slow_one, hangs, fails] = of(Strategy::None);
    for run in [slow_one, hangs, fails] {
        assert!((0.08..0.12).contains(&run.row.to_bad) && (0.08..0.12).contains(&run.detail.to_bad_later), "{run:?}");
        assert!(run.row.extra_load.abs() < 0.01 && run.detail.around_after_s.is_none(), "{run:?}");
        assert!((0.06..0.13).contains(&slow(run, 0.0, 40.0)), "{run:?}");
        assert!(
            slow(run, -20.0, 0.0) < 0.005 && slow(run, 42.0, 70.0) < 0.005,
            "before and after all is well: {run:?}"
        );
        assert!((18.0..24.0).contains(&run.row.p50_ms), "{run:?}");
    }
    assert!((500.0..1_200.0).contains(&slow_one.row.p99_ms) && slow_one.row.answered > 0.99, "{slow_one:?}");
    for run in [hangs, fails] {
        assert!((0.88..0.92).contains(&run.row.answered), "{run:?}");
        assert!((1_999.0..=2_000.0).contains(&run.row.p99_ms), "who was not answered has waited: {run:?}");
    }
}

#[test]
fn a_retry_answers_what_fails_and_does_nothing_about_what_is_slow() {
    let [slow_one, hangs, fails] = of(Strategy::Retry);
    let none = of(Strategy::None)[0];
    assert!(slow_one.row.p99_ms > 0.9 * none.row.p99_ms && slow_one.row.extra_load < 0.02, "{slow_one:?}");
    for run in [hangs, fails] {
        assert!(run.row.answered > 0.999 && (0.07..0.13).contains(&run.row.extra_load), "{run:?}");
    }
    assert!((1_000.0..1_300.0).contains(&hangs.row.p99_ms) && slow(hangs, 0.0, 40.0) > 0.06, "{hangs:?}");
    assert!(fails.row.p99_ms < 150.0 && fails.detail.around_after_s == Some(0.0), "{fails:?}");
}

#[test]
fn a_hedge_gets_around_it_at_once_and_goes_on_paying() {
    for (run, none) in of(Strategy::Hedge).into_iter().zip(of(Strategy::None)) {
        assert!(run.row.answered > 0.999 && run.row.p99_ms < 0.3 * none.row.p99_ms, "{run:?}");
        assert_eq!(run.detail.around_after_s, Some(0.0), "{run:?}");
        // The hedges of fair weather, and those for the bad one; the budget is a fifth, and its reserve a tenth.
        assert!((0.03..0.08).contains(&run.detail.calm_extra_load), "{run:?}");
        assert!((0.09..0.2).contains(&run.row.extra_load), "{run:?}");
        assert!(run.row.to_bad > 0.075 && run.detail.to_bad_later > 0.075, "it never learns: {run:?}");
    }
}

#[test]
fn a_breaker_stops_asking_after_a_few_calls_and_its_probes_stay_in_the_tail() {
    for run in of(Strategy::Breaker) {
        assert!(slow(run, 0.0, 2.0) > 0.05, "nobody knows yet: {run:?}");
        assert!(slow(run, 20.0, 40.0) < 0.03, "{run:?}");
        assert!(run.detail.around_after_s.is_some_and(|s| (4.0..=30.0).contains(&s)), "{run:?}");
        assert!((0.01..0.04).contains(&run.row.to_bad) && run.detail.to_bad_later < 0.03, "{run:?}");
        assert!(run.row.extra_load.abs() < 0.01, "it sends nothing more: {run:?}");
        assert!(run.row.p99_ms > 300.0, "{run:?}");
    }
    for run in &of(Strategy::Breaker)[1..] {
        // Five of a client, one a second, of 400 requests, and some probes: not a tenth of all.
        assert!((0.95..0.99).contains(&run.row.answered), "{run:?}");
    }
}

#[test]
fn together_they_are_as_quick_as_the_hedge_and_ask_as_little_as_the_breaker() {
    for ((all, hedge), breaker) in of(Strategy::All).into_iter().zip(of(Strategy::Hedge)).zip(of(Strategy::Breaker)) {
        assert!(all.row.answered > 0.999 && all.detail.around_after_s == Some(0.0), "{all:?}");
        assert!(all.row.p99_ms < 1.05 * hedge.row.p99_ms && all.row.p99_ms < 0.5 * breaker.row.p99_ms, "{all:?}");
        assert!(all.row.extra_load < 0.75 * hedge.row.extra_load, "{all:?}");
        assert!(all.detail.to_bad_later < 0.02 && all.row.to_bad < 0.04, "{all:?}");
    }
    for (all, hedge) in of(Strategy::All).into_iter().zip(of(Strategy::Hedge)).take(2) {
        assert!(all.row.p99_ms < 0.8 * hedge.row.p99_ms, "its p95 stays that of those who are well: {all:?} {hedge:?}");
    }
}

#[test]
fn a_breaker_that_does_not_hear_of_what_a_hedge_drops_never_opens() {
    let [slow_one, hangs, fails] = of(Strategy::AllUnheard);
    for (unheard, hedge) in [slow_one, hangs].into_iter().zip(of(Strategy::Hedge)) {
        assert!(unheard.detail.to_bad_later > 0.075, "{unheard:?}");
        assert!((unheard.row.p99_ms / hedge.row.p99_ms - 1.0).abs() < 0.05, "{unheard:?} is not {hedge:?}");
        assert!((unheard.row.extra_load - hedge.row.extra_load).abs() < 0.01, "{unheard:?} is not {hedge:?}");
    }
    let all = of(Strategy::All)[2];
    assert!((fails.row.to_bad - all.row.to_bad).abs() < 0.005, "a failure is heard by both: {fails:?}");
    assert!((fails.row.extra_load - all.row.extra_load).abs() < 0.01, "{fails:?}");
}

#[test]
fn when_it_is_well_again_it_is_asked_again() {
    for strategy in [Strategy::Breaker, Strategy::All] {
        for run in of(strategy) {
            // The longest open time is 20 s.
            assert!(to_bad(run, 40.0 + 22.0) > 0.05, "{run:?}");
        }
    }
}

#[test]
fn no_breaker_of_a_backend_that_is_well_opens() {
    for strategy in Strategy::ALL {
        assert!(of(strategy).iter().all(|run| run.detail.opened_well == 0), "{strategy:?}");
    }
}

#[test]
fn all_meet_the_same_requests() {
    let counts: Vec<u64> = RUNS.iter().map(|run| run.row.requests).collect();
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    assert!((3_600..4_400).contains(&counts[0]), "ten a second of ten clients for 40 s: {counts:?}");
}

#[test]
fn the_rows_replay_by_their_seed_whatever_is_beside_them() {
    let all = [(Scenario::Slow, Strategy::All), (Scenario::Hangs, Strategy::Retry)];
    let runs = few(2, &all).runs();
    assert_eq!(runs, few(2, &all).runs());
    assert_eq!(runs[1..], few(2, &all[1..]).runs());
    for (run, other) in runs.iter().zip(few(3, &all).runs()) {
        assert!(run.row != other.row && run.detail != other.detail, "{run:?}");
    }
}

#[test]
fn the_plan_of_the_book_is_a_fleet_with_every_strategy_in_every_scenario() {
    let plan = Plan::new(1);
    assert!(plan.clients >= 100 && plan.per_second >= 10.0 && plan.fault >= Duration::from_secs(60));
    let names: Vec<_> = plan.cases.iter().map(|(scenario, strategy)| (scenario.name(), strategy.name())).collect();
    let of =
        |scenario| ["none", "retry", "hedge", "breaker", "all", "all-unheard"].map(|strategy| (scenario, strategy));
    assert_eq!(names, ["slow", "hangs", "fails"].map(of).concat());
    assert_eq!(Plan::quick(1).cases, plan.cases);
}

#[test]
fn the_sheet_shows_each_row_as_json_csv_and_in_the_tables_and_replays() {
    let cases = [Strategy::None, Strategy::Breaker, Strategy::All].map(|strategy| (Scenario::Hangs, strategy));
    let plan = few(4, &cases);
    let sheet = plan.sheet().expect("ranges to draw");
    assert_eq!(sheet, plan.sheet().expect("the same"), "json, text, csv, svg and charts, to the byte");
    let other = few(5, &cases).sheet().expect("another");
    assert!(sheet.json != other.json && sheet.csv != other.csv && sheet.svg != other.svg);

    let json: serde_json::Value = serde_json::from_str(&sheet.json).expect("one object");
    let (rows, details) = (json["rows"].as_array().expect("rows"), json["details"].as_array().expect("details"));
    assert_eq!((rows.len(), details.len(), sheet.csv.lines().count()), (3, 3, 4));
    let head = "strategy,scenario,requests,answered,p50_ms,p99_ms,p999_ms,extra_load,to_bad";
    assert_eq!(sheet.csv.lines().next(), Some(head));
    for ((json, detail), run) in rows.iter().zip(details).zip(plan.runs()) {
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(9));
        assert_eq!((&json["strategy"], &json["scenario"]), (&run.row.strategy.into(), &"hangs".into()));
        assert_eq!(json["requests"], run.row.requests);
        // A reader of JSON may be off by the last bit.
        let is = |name: &str, figure: f64| json[name].as_f64().is_some_and(|read| (read - figure).abs() < 1e-9);
        assert!(is("answered", run.row.answered) && is("p50_ms", run.row.p50_ms), "{json} is not {:?}", run.row);
        assert!(is("p99_ms", run.row.p99_ms) && is("p999_ms", run.row.p999_ms), "{json} is not {:?}", run.row);
        assert!(is("extra_load", run.row.extra_load) && is("to_bad", run.row.to_bad), "{json} is not {:?}", run.row);
        assert_eq!(detail["at_s"].as_array().map(Vec::len), Some(run.detail.slow.len()));
        assert_eq!(detail["at_s"][0], -23.0, "the middle of the first 2 s, of a calm of 24 s");
        assert!(sheet.text.contains(&format!(" {:.0} |", run.row.p99_ms)), "{}", sheet.text);
    }
    assert_eq!(sheet.charts.len(), 4);
    assert!(sheet.charts[1].svg.contains("breaker") && sheet.charts[1].alt.contains("bad from 0 to 40."));
}
