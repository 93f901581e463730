//! What a breaker is to do in an outage and with a service that flaps: counts where there is no luck, relations where
//! there is.

#![allow(missing_docs)]

use std::time::Duration;

use evenkeel_lab::breaker::{Cycle, Plan, Row};

/// A short one, so that it is quick without optimisations too.
fn plan(seed: u64) -> Plan {
    Plan { runs: 1, warmups: vec![1, 100, 2_000], outage: Duration::from_secs(120), cycles: 8, ..Plan::new(seed) }
}

fn of<'a>(rows: &'a [Row], window: &str, rule: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.window == window && row.rule == rule).collect()
}

fn failures(rows: &[Row], window: &str, rule: &str) -> Vec<Option<u32>> {
    of(rows, window, rule).iter().map(|row| row.failures_to_open).collect()
}

#[test]
fn what_was_before_does_not_hide_an_outage_from_a_count_window() {
    let rows = plan(1).rows();
    for rule in ["failure_rate", "slow_rate"] {
        // After one success the minimum of 20 results is what it waits for; later, half of the last hundred.
        assert_eq!(failures(&rows, "count", rule), [Some(19), Some(50), Some(50)], "{rule}");
    }
}

#[test]
fn ten_failures_in_a_row_open_after_any_number_of_successes() {
    let rows = plan(1).rows();
    for (window, rule) in [("none", "consecutive"), ("count", "any"), ("time", "any")] {
        assert_eq!(failures(&rows, window, rule), [Some(10); 3], "{window} {rule}");
    }
}

#[test]
fn a_time_window_knows_only_its_span() {
    let rows = plan(1).rows();
    for rule in ["failure_rate", "slow_rate"] {
        let failures: Vec<u32> = failures(&rows, "time", rule).into_iter().flatten().collect();
        let [few, some, many] = failures[..] else { panic!("{rule}: it opened every time, and not {failures:?}") };
        assert_eq!(few, 19, "the minimum");
        // What is in 10 s, to a tenth of them.
        assert!((35..=50).contains(&some) && some.abs_diff(many) <= 10, "{rule}: {failures:?}");
    }
}

#[test]
fn a_window_that_never_slides_needs_as_many_failures_as_there_were_successes() {
    let rows = Plan { warmups: vec![1, 100, 500], ..plan(1) }.rows();
    assert_eq!(failures(&rows, "cumulative", "failure_rate"), [Some(19), Some(100), Some(500)]);
}

#[test]
fn what_does_not_open_within_the_outage_wastes_every_call() {
    let rows = plan(2).rows();
    let row = of(&rows, "cumulative", "failure_rate")[2];
    assert_eq!((row.failures_to_open, row.time_to_open_ms), (None, None));
    assert_eq!((row.calls_wasted, row.time_to_recover_ms), (1_200.0, 0.0), "ten a second, and back at once");
}

#[test]
fn calls_that_are_out_when_it_opens_are_wasted_as_well() {
    for row in plan(3).rows() {
        let Some(failures) = row.failures_to_open else { continue };
        let sent_after_opening = row.calls_wasted - f64::from(failures);
        // 2 s of calls, but for the one that opens it, and the probes of 2 min.
        assert!((19.0 + 2.0..19.0 + 10.0).contains(&sent_after_opening), "{row:?}");
        // The first failure comes after 2 s, and then each 100 ms.
        let time = 2_000.0 + f64::from(failures - 1) * 100.0;
        assert_eq!(row.time_to_open_ms, Some(time), "{row:?}");
    }
}

#[test]
fn it_recovers_by_the_end_of_its_open_time_whatever_the_rule() {
    for row in plan(4).rows().iter().filter(|row| row.failures_to_open.is_some()) {
        // An open time is at most as long as twice all of those before it and the time that it took to open.
        assert!((300.0..2.0 * 125_000.0).contains(&row.time_to_recover_ms), "{row:?}");
    }
}

fn kind(cycles: &[Cycle], open_times: &str) -> Vec<Cycle> {
    cycles.iter().filter(|cycle| cycle.open_times == open_times).copied().collect()
}

fn sum(cycles: &[Cycle], value: fn(&Cycle) -> f64) -> f64 {
    cycles.iter().filter(|cycle| !cycle.after_calm).map(value).sum()
}

#[test]
fn open_times_grow_while_it_flaps_and_the_calls_wasted_shrink() {
    for seed in 1..=3 {
        let cycles = Plan { runs: 3, ..plan(seed) }.flapping();
        let [growing, restarting] = ["growing", "restarting"].map(|name| kind(&cycles, name));
        let wasted = [&growing, &restarting].map(|cycles| sum(cycles, |cycle| cycle.calls_wasted));
        assert!(wasted[0] < 0.8 * wasted[1], "{wasted:?}");
        let longest = |cycles: &[Cycle]| cycles.iter().filter_map(|cycle| cycle.open_time_ms).fold(0.0, f64::max);
        assert!(longest(&growing) > 2.0 * longest(&restarting), "{growing:?}");
        // It has its price.
        assert!(sum(&growing, |cycle| cycle.rejected_while_up) > sum(&restarting, |cycle| cycle.rejected_while_up));
    }
}

#[test]
fn a_close_that_lasts_starts_the_open_times_anew() {
    let cycles = plan(5).flapping();
    for open_times in ["growing", "restarting"] {
        let cycles = kind(&cycles, open_times);
        let (Some(first), Some(last)) = (cycles.first(), cycles.last()) else { panic!("{open_times} has cycles") };
        assert!(last.after_calm && last.cycle == 9, "{last:?}");
        for cycle in [first, last] {
            // One time, with equal jitter: the outage is over before a second probe could fail.
            assert!(cycle.open_time_ms.is_some_and(|ms| (2_500.0..=10_000.0).contains(&ms)), "{cycle:?}");
        }
    }
}

#[test]
fn the_figures_replay_by_their_seed() {
    let of = |seed| (plan(seed).rows(), plan(seed).flapping());
    assert_eq!(of(6), of(6));
    assert_ne!(of(6).0, of(7).0);
    assert_ne!(of(6).1, of(7).1);
}

#[test]
fn the_plan_of_the_book_is_that_of_1_and_100_and_10_000_successes() {
    let plan = Plan::new(1);
    assert_eq!(plan.warmups, [1, 100, 10_000]);
    let calls = plan.outage.as_secs() * 10;
    assert!(calls > 10_000, "else a window that never slides would not open at all");
}

#[test]
fn the_sheet_shows_each_row_as_json_and_in_the_table_and_replays() {
    let plan = Plan { runs: 1, warmups: vec![1, 50], cycles: 3, ..plan(8) };
    let sheet = plan.sheet().expect("ranges to draw");
    assert_eq!(sheet, plan.sheet().expect("the same"));

    let json: serde_json::Value = serde_json::from_str(&sheet.json).expect("one object");
    let rows = json["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), plan.rows().len());
    for (json, row) in rows.iter().zip(plan.rows()) {
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(7));
        assert_eq!((&json["window"], &json["rule"]), (&row.window.into(), &row.rule.into()));
        assert_eq!(json["warmup_successes"], row.warmup_successes);
        assert_eq!(json["failures_to_open"].as_u64(), row.failures_to_open.map(u64::from));
        assert_eq!(json["time_to_open_ms"].as_f64(), row.time_to_open_ms);
        assert_eq!(json["calls_wasted"], row.calls_wasted);
        assert_eq!(json["time_to_recover_ms"], row.time_to_recover_ms);
        assert!(sheet.text.contains(&format!(" {:.1} |", row.calls_wasted)), "{}", sheet.text);
    }
    let flapping = json["flapping"].as_array().expect("cycles");
    assert_eq!(flapping.len(), 2 * 4);
    assert!(flapping.iter().all(|cycle| cycle.as_object().map(serde_json::Map::len) == Some(6)));
    for label in ["cumulative", "count window", "restarting"] {
        assert!(sheet.svg.contains(label), "{label}");
    }
}

#[test]
fn a_single_warm_up_is_no_line() {
    assert!(Plan { runs: 1, warmups: vec![1], cycles: 1, ..plan(1) }.sheet().is_err());
}
