//! What a service is to see of an overload when its client throttles itself, as relations.

#![allow(missing_docs)]

use evenkeel_lab::throttle::{Plan, Row};

fn rows(seed: u64, ks: &[f64], offered: &[f64]) -> Vec<Row> {
    Plan { ks: ks.to_vec(), offered: offered.to_vec(), windows: 2, capacity: 50.0, ..Plan::new(seed) }.rows()
}

fn within_3_percent(seen: f64, expected: f64) -> bool {
    (seen / expected - 1.0).abs() <= 0.03
}

#[test]
fn at_10_times_overload_the_service_sees_twice_its_capacity() {
    for seed in 1..=3 {
        let row = rows(seed, &[2.0], &[10.0])[0];
        assert!(within_3_percent(row.sent, 2.0), "seed {seed}: {row:?}");
        assert!(within_3_percent(row.served, 1.0), "seed {seed}: {row:?}");
    }
}

#[test]
fn the_load_at_the_service_stays_at_k_times_what_it_serves() {
    for row in rows(1, &[1.1, 1.5, 2.0, 3.0], &[1.5, 3.0, 6.0]) {
        assert!(within_3_percent(row.sent, row.offered.min(row.k * row.served)), "{row:?}");
    }
}

#[test]
fn a_throttle_does_not_leave_the_service_idle() {
    for row in rows(2, &[1.1, 2.0], &[1.5, 5.0]) {
        assert!(within_3_percent(row.served, 1.0), "{row:?}");
        assert!(row.served <= row.sent && row.sent <= row.offered * 1.03, "{row:?}");
    }
}

#[test]
fn what_the_service_can_serve_is_not_throttled() {
    for row in rows(3, &[1.1, 2.0], &[0.5, 0.9]) {
        assert!(within_3_percent(row.sent, row.offered), "{row:?}");
        assert!((row.sent - row.served).abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn the_rows_replay_by_their_seed() {
    let of = |seed| rows(seed, &[2.0], &[1.5, 4.0]);
    assert_eq!(of(4), of(4));
    assert_ne!(of(4), of(5));
}

#[test]
fn the_plan_of_the_book_goes_from_one_and_a_half_to_ten() {
    let plan = Plan::new(1);
    assert_eq!((plan.offered.first(), plan.offered.last()), (Some(&1.5), Some(&10.0)));
    assert!(plan.ks.contains(&2.0));
}

#[test]
fn the_sheet_shows_each_row_as_json_and_in_the_table_and_replays() {
    let plan = Plan { ks: vec![1.5, 2.0], offered: vec![2.0, 4.0], windows: 1, capacity: 20.0, ..Plan::new(6) };
    let sheet = plan.sheet().expect("a range to draw");
    assert_eq!(sheet, plan.sheet().expect("the same"));

    let json: serde_json::Value = serde_json::from_str(&sheet.json).expect("one object");
    let rows = json["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 4);
    for (json, row) in rows.iter().zip(plan.rows()) {
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(4));
        assert_eq!((&json["k"], &json["offered"]), (&row.k.into(), &row.offered.into()));
        // A reader of JSON may be off by the last bit.
        let is = |name: &str, figure: f64| json[name].as_f64().is_some_and(|read| (read - figure).abs() < 1e-12);
        assert!(is("sent", row.sent) && is("served", row.served), "{json} is not {row:?}");
        assert!(sheet.text.contains(&format!(" {:.2} |", row.sent)), "{}", sheet.text);
    }
    assert!(sheet.svg.contains("k = 1.5") && sheet.svg.contains("no throttle"));
}

#[test]
fn a_single_load_is_no_line() {
    let plan = Plan { ks: vec![2.0], offered: vec![2.0], windows: 1, capacity: 1.0, ..Plan::new(1) };
    assert!(plan.sheet().is_err());
}
