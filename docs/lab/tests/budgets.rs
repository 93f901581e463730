//! What the budgets are to do at each failure rate, as relations.

#![allow(missing_docs)]

use evenkeel_lab::budgets::{Plan, Row};

const NAMES: [&str; 6] = ["none", "ratio", "grpc", "aws-5", "aws-14", "in-flight"];

fn rows(seed: u64, failure_rates: &[f64]) -> Vec<Row> {
    Plan { seed, runs: 4, failure_rates: failure_rates.to_vec() }.rows()
}

fn of<'a>(rows: &'a [Row], budget: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.budget == budget).collect()
}

fn within_3_percent(seen: f64, expected: f64) -> bool {
    (seen / expected - 1.0).abs() <= 0.03
}

#[test]
fn attempts_per_request_are_within_3_percent_of_the_table() {
    let table = [
        ("none", [1.11, 1.74, 3.00]),
        ("ratio", [1.11, 1.30, 1.30]),
        ("grpc", [1.01, 1.00, 1.00]),
        ("aws-5", [1.11, 1.20, 1.00]),
        ("aws-14", [1.11, 1.07, 1.00]),
    ];
    let rows = rows(7, &[0.1, 0.5, 1.0]);
    for (budget, expected) in table {
        for (row, expected) in of(&rows, budget).into_iter().zip(expected) {
            assert!(within_3_percent(row.attempts_per_request, expected), "{expected} in the table: {row:?}");
        }
    }
}

#[test]
fn without_a_budget_the_figures_are_those_of_the_formula() {
    for row in of(&rows(3, &[0.1, 0.5, 0.9]), "none") {
        let p = row.failure_rate;
        assert!(within_3_percent(row.attempts_per_request, 1.0 + p + p * p), "{row:?}");
        assert!(within_3_percent(row.success_share, 1.0 - p * p * p), "{row:?}");
    }
}

#[test]
fn an_attempt_more_is_a_chance_more_and_no_budget_adds_what_none_does_not() {
    let rows = rows(5, &[0.05, 0.3, 0.7]);
    for row in &rows {
        // What all attempts together earn, whoever sends them: each of them succeeds with the same probability.
        let earned = row.attempts_per_request * (1.0 - row.failure_rate);
        assert!(within_3_percent(row.success_share, earned), "{row:?}");
    }
    for budget in NAMES {
        for (row, none) in of(&rows, budget).into_iter().zip(of(&rows, "none")) {
            assert!((1.0..=none.attempts_per_request).contains(&row.attempts_per_request), "{row:?}");
            assert!(row.success_share <= none.success_share, "{row:?}");
        }
    }
}

#[test]
fn in_an_outage_the_token_buckets_add_nothing_and_the_ratio_keeps_to_its_own() {
    for row in rows(2, &[1.0]) {
        let added = row.attempts_per_request - 1.0;
        match row.budget {
            "grpc" | "aws-5" | "aws-14" => assert!(added.abs() < 1e-9, "{row:?}"),
            // A fifth, and 10 a second of 100. Its window is remembered for a slot longer than it lasts, so it is a little less.
            "ratio" => assert!(added <= 0.3 && within_3_percent(added, 0.295), "{row:?}"),
            _ => assert!(within_3_percent(added, 2.0), "{row:?}"),
        }
        assert!(row.success_share.abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn attempts_that_take_no_time_are_never_many_in_flight() {
    let rows = rows(1, &[0.2, 0.8]);
    for (row, none) in of(&rows, "in-flight").into_iter().zip(of(&rows, "none")) {
        assert_eq!(Row { budget: "none", ..*row }, *none);
    }
}

#[test]
fn the_rows_replay_by_their_seed() {
    assert_eq!(rows(4, &[0.1, 0.4]), rows(4, &[0.1, 0.4]));
    assert_ne!(rows(4, &[0.1, 0.4]), rows(5, &[0.1, 0.4]));
}

#[test]
fn the_plan_of_the_book_goes_from_1_percent_to_an_outage() {
    let rates = Plan::new(1).failure_rates;
    assert_eq!((rates.first(), rates.last()), (Some(&0.01), Some(&1.0)));
    assert!(rates.is_sorted());
}

#[test]
fn the_sheet_shows_each_row_as_json_and_in_the_table_and_replays() {
    let plan = Plan { runs: 1, failure_rates: vec![0.5, 1.0], ..Plan::new(6) };
    let sheet = plan.sheet().expect("a range to draw");
    assert_eq!(sheet, plan.sheet().expect("the same"));

    let json: serde_json::Value = serde_json::from_str(&sheet.json).expect("one object");
    let rows = json["rows"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().step_by(2).filter_map(|row| row["budget"].as_str()).collect();
    assert_eq!(names, NAMES);
    for (json, row) in rows.iter().zip(plan.rows()) {
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(4));
        assert_eq!(json["failure_rate"], row.failure_rate);
        assert_eq!(json["attempts_per_request"], row.attempts_per_request);
        assert_eq!(json["success_share"], row.success_share);
        assert!(sheet.text.contains(&format!(" {:.2} |", row.attempts_per_request)), "{}", sheet.text);
    }
    assert!(NAMES.iter().all(|name| sheet.svg.contains(name)));
}
