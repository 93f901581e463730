//! The program of the experiments: what it prints, what it writes, what it refuses.

#![allow(missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn lab(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab")).args(args).output().expect("the lab, which cargo has built")
}

/// A folder of the test's own.
fn folder(test: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(test)
}

fn report(folder: &Path) -> &str {
    folder.to_str().expect("a path of cargo's making")
}

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

#[test]
fn json_alone_is_on_standard_output_and_the_chart_is_where_it_was_asked_for() {
    let folder = folder("lab-json");
    let breaker: &[&str] = &[
        "calls_wasted",
        "failures_to_open",
        "rule",
        "time_to_open_ms",
        "time_to_recover_ms",
        "warmup_successes",
        "window",
    ];
    let hedging: &[&str] =
        &["extra_load", "p50_ms", "p90_ms", "p95_ms", "p999_ms", "p99_ms", "policy", "requests", "scenario"];
    let shapes: [(&str, &[&str], &str); 4] = [
        ("breaker", breaker, "cumulative"),
        ("budgets", &["attempts_per_request", "budget", "failure_rate", "success_share"], "in-flight"),
        ("hedging", hedging, "tower-p95"),
        ("throttle", &["k", "offered", "sent", "served"], "no throttle"),
    ];
    for (experiment, shape, label) in shapes {
        let output = lab(&[experiment, "--json", "--quick", "--report", report(&folder)]);
        assert!(output.status.success(), "{output:?}");
        let json: Value = serde_json::from_slice(&output.stdout).expect("one object");
        let rows = json["rows"].as_array().expect("rows");
        assert!(rows.len() >= 15 && rows.iter().all(|row| keys(row) == shape), "{json}");

        let chart = folder.join(format!("{experiment}.svg"));
        assert!(String::from_utf8_lossy(&output.stderr).contains(&chart.display().to_string()));
        let chart = fs::read_to_string(chart).expect("the chart");
        assert!(chart.starts_with("<svg") && chart.contains(label));
    }
}

#[test]
fn without_json_a_table_and_the_path_of_the_chart_are_printed() {
    let folder = folder("lab-table");
    let output = lab(&["budgets", "--report", report(&folder)]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("| failure rate | none | ratio | grpc | aws-5 | aws-14 | in-flight |"), "{said}");
    assert!(said.contains(&folder.join("budgets.svg").display().to_string()), "{said}");
}

#[test]
fn an_unknown_experiment_is_refused_and_the_known_are_listed() {
    for args in [&["hope"][..], &[], &["budgets", "--colour"], &["budgets", "--seed", "-1"], &["throttle", "--report"]]
    {
        let output = lab(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
    }
    for args in [&["hope"][..], &[]] {
        let output = lab(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(["breaker", "budgets", "hedging", "throttle"].iter().all(|name| said.contains(name)), "{said}");
    }
}

#[test]
fn help_names_the_experiments() {
    let output = lab(&["--help"]);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        ["breaker", "budgets", "hedging", "throttle", "cargo xtask lab"].iter().all(|part| said.contains(part)),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let in_the_way = env!("CARGO_BIN_EXE_lab");
    let output = lab(&["budgets", "--report", in_the_way]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(in_the_way), "it names the path: {said}");
}
