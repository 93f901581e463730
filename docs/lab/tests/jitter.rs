//! What jitter does about clients that contend for one row: the figures of AWS, and relations.

#![allow(missing_docs)]

use evenkeel_lab::jitter::{Plan, Row};

const STRATEGIES: [&str; 5] = ["none", "exponential", "equal", "full", "decorrelated"];

/// A short one, so that it is quick without optimisations too.
fn plan(seed: u64) -> Plan {
    Plan { runs: 4, clients: vec![10, 40], ..Plan::new(seed) }
}

fn of<'a>(rows: &'a [Row], strategy: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.strategy == strategy).collect()
}

fn off_by(seen: f64, expected: f64) -> f64 {
    (seen / expected - 1.0).abs()
}

#[test]
fn a_hundred_clients_are_within_5_percent_of_the_table_of_aws() {
    let table = [
        ("none", 2_027.0, 2_421.0),
        ("exponential", 62_862.0, 1_853.0),
        ("equal", 6_658.0, 812.0),
        ("full", 4_879.0, 797.0),
        ("decorrelated", 4_530.0, 1_002.0),
    ];
    // The plan of the book, but for the rows of fewer clients: no row depends on another.
    let rows = Plan { clients: vec![100], ..Plan::new(1) }.rows();
    assert_eq!(rows.len(), table.len());
    for (row, (strategy, completion_ms, calls)) in rows.iter().zip(table) {
        assert_eq!((row.strategy, row.clients), (strategy, 100));
        assert!(off_by(row.completion_ms, completion_ms) < 0.05, "{completion_ms} ms in the table: {row:?}");
        // There is less luck in these.
        assert!(off_by(row.calls, calls) < 0.02, "{calls} calls in the table: {row:?}");
    }
}

#[test]
fn calls_are_within_5_percent_whatever_the_seed() {
    for seed in 2..=4 {
        let rows = Plan { clients: vec![100], runs: 4, ..Plan::new(seed) }.rows();
        for (row, calls) in rows.iter().zip([2_421.0, 1_853.0, 812.0, 797.0, 1_002.0]) {
            assert!(off_by(row.calls, calls) < 0.05, "{calls} in the table, seed {seed}: {row:?}");
        }
    }
}

#[test]
fn with_the_base_itself_as_the_first_delay_calls_are_a_tenth_more() {
    let variants = Plan { clients: vec![100], runs: 10, ..Plan::new(1) }.variants();
    assert!(variants.iter().all(|row| row.clients == 100) && variants.len() == 4);
    for (strategy, calls) in [("equal-5ms", 812.0), ("full-5ms", 797.0)] {
        let [row] = of(&variants, strategy)[..] else { panic!("one row") };
        assert!((1.06..1.14).contains(&(row.calls / calls)), "{row:?}");
    }
}

#[test]
fn jitter_is_what_saves_work_and_waiting_alone_is_what_takes_time() {
    let rows = Plan { clients: vec![20, 60], runs: 10, ..Plan::new(5) }.rows();
    for place in [0, 1] {
        let [none, exponential, equal, full, decorrelated] = STRATEGIES.map(|strategy| of(&rows, strategy)[place]);
        for jittered in [equal, full, decorrelated] {
            assert!(jittered.calls < 0.75 * exponential.calls, "{rows:?}");
            assert!(none.completion_ms < jittered.completion_ms, "{rows:?}");
            assert!(jittered.completion_ms < exponential.completion_ms, "{rows:?}");
        }
        assert!(full.completion_ms < equal.completion_ms, "{rows:?}");
        // Twenty who wait alike meet as often as those who do not wait; of sixty a few are spread by their messages.
        assert!(exponential.calls < 1.05 * none.calls && exponential.calls > 0.8 * none.calls, "{rows:?}");
    }
    // The work of those who start over at once grows with the square of the clients, that of the others not much faster
    // than they do.
    let growth = |strategy| of(&rows, strategy)[1].calls / of(&rows, strategy)[0].calls;
    assert!(growth("none") > 5.0 && growth("full") < 4.5, "{rows:?}");
}

#[test]
fn nobody_writes_without_having_read_and_each_writes_once() {
    for row in (Plan { clients: vec![1], runs: 5, ..Plan::new(6) }).rows() {
        assert!((row.calls - 1.0).abs() < 1e-9, "nobody else is there: {row:?}");
        assert!((30.0..50.0).contains(&row.completion_ms), "four messages of 10 ms: {row:?}");
    }
    assert!(plan(6).rows().iter().all(|row| row.calls > f64::from(row.clients)), "each has written, and some twice");
}

#[test]
fn the_rows_replay_by_their_seed() {
    assert_eq!(plan(7).rows(), plan(7).rows());
    for (row, other) in plan(7).rows().iter().zip(plan(8).rows()) {
        assert!(row.completion_ms != other.completion_ms, "{row:?} is {other:?}");
    }
}

#[test]
fn a_row_is_the_same_whatever_is_beside_it() {
    let all = plan(9).rows();
    let alone = Plan { clients: vec![40], ..plan(9) }.rows();
    let of_40: Vec<Row> = all.into_iter().filter(|row| row.clients == 40).collect();
    assert_eq!(of_40, alone);
}

#[test]
fn the_plan_of_the_book_is_the_mean_of_a_hundred_runs_up_to_a_hundred_clients() {
    let plan = Plan::new(1);
    assert_eq!(plan.runs, 100);
    assert!(plan.clients.is_sorted() && plan.clients.last() == Some(&100) && plan.clients.len() >= 6);
    assert!(Plan::quick(1).clients.contains(&100), "the charts of a look are of the same width");
}

#[test]
fn the_sheet_shows_each_row_as_json_csv_and_in_the_tables_and_replays() {
    let plan = plan(10);
    let sheet = plan.sheet().expect("ranges to draw");
    assert_eq!(sheet, plan.sheet().expect("the same"), "json, text, csv, svg and charts, to the byte");
    let other = self::plan(11).sheet().expect("another");
    assert!(sheet.json != other.json && sheet.csv != other.csv && sheet.svg != other.svg);

    let json: serde_json::Value = serde_json::from_str(&sheet.json).expect("one object");
    let rows = json["rows"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().step_by(2).filter_map(|row| row["strategy"].as_str()).collect();
    assert_eq!(names, STRATEGIES);
    let lines: Vec<&str> = sheet.csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("strategy,clients,completion_ms,calls", 1 + rows.len()));
    for ((json, line), row) in rows.iter().zip(&lines[1..]).zip(plan.rows()) {
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(4));
        assert_eq!((&json["strategy"], &json["clients"]), (&row.strategy.into(), &row.clients.into()));
        assert_eq!((&json["completion_ms"], &json["calls"]), (&row.completion_ms.into(), &row.calls.into()));
        assert!(line.starts_with(&format!("{},{},{:?}", row.strategy, row.clients, row.completion_ms)), "{line}");
        assert!(sheet.text.contains(&format!(" {:.0} |", row.completion_ms)), "{}", sheet.text);
    }
    assert_eq!(json["variants"].as_array().map(Vec::len), Some(4));
    assert_eq!(sheet.charts.len(), 2);
    assert!(sheet.charts.iter().all(|chart| STRATEGIES.iter().all(|name| chart.svg.contains(name))));
}

#[test]
fn one_number_of_clients_is_no_line() {
    assert!(Plan { clients: vec![3], runs: 1, ..Plan::new(1) }.sheet().is_err());
}
