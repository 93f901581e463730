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
    let replica: &[&str] =
        &["answered", "extra_load", "p50_ms", "p999_ms", "p99_ms", "requests", "scenario", "strategy", "to_bad"];
    let outage: &[&str] = &["clients", "goodput_after", "outage_amplification", "peak_load", "recovery_ms", "strategy"];
    let shapes: [(&str, &[&str], &str); 8] = [
        ("breaker", breaker, "cumulative"),
        ("budgets", &["attempts_per_request", "budget", "failure_rate", "success_share"], "in-flight"),
        ("hedging", hedging, "tower-p95"),
        ("jitter", &["calls", "clients", "completion_ms", "strategy"], "decorrelated"),
        ("outage", outage, "jittered"),
        ("overload", &["clients", "goodput", "load", "offered", "p99_ms", "strategy"], "throttle"),
        ("slow-replica", replica, "breaker"),
        ("throttle", &["k", "offered", "sent", "served"], "no throttle"),
    ];
    for (experiment, shape, label) in shapes {
        let output = lab(&[experiment, "--json", "--quick", "--report", report(&folder)]);
        assert!(output.status.success(), "{output:?}");
        let json: Value = serde_json::from_slice(&output.stdout).expect("one object");
        let rows = json["rows"].as_array().expect("rows");
        assert!(rows.len() >= 6 && rows.iter().all(|row| keys(row) == shape), "{json}");

        let chart = folder.join(format!("{experiment}.svg"));
        assert!(String::from_utf8_lossy(&output.stderr).contains(&chart.display().to_string()));
        let chart = fs::read_to_string(chart).expect("the chart");
        assert!(chart.starts_with("<svg") && chart.contains(label));

        let csv = fs::read_to_string(folder.join(format!("{experiment}.csv"))).expect("the rows");
        let head = csv.lines().next().map(|head| {
            let mut names: Vec<&str> = head.split(',').collect();
            names.sort_unstable();
            names
        });
        assert_eq!(head.as_deref(), Some(shape), "the names of the figures");
        assert_eq!(csv.lines().count(), 1 + rows.len(), "{csv}");
    }
}

#[test]
fn with_csv_the_rows_alone_are_on_standard_output_and_in_the_file() {
    let folder = folder("lab-csv");
    for (experiment, head) in [
        ("jitter", "strategy,clients,completion_ms,calls"),
        ("slow-replica", "strategy,scenario,requests,answered,p50_ms,p99_ms,p999_ms,extra_load,to_bad"),
    ] {
        let output = lab(&[experiment, "--csv", "--quick", "--seed", "3", "--report", report(&folder)]);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).expect("text");
        assert_eq!(said, fs::read_to_string(folder.join(format!("{experiment}.csv"))).expect("the rows"));
        let columns = head.split(',').count();
        assert_eq!(said.lines().next(), Some(head));
        assert!(said.lines().count() > 15 && said.lines().all(|line| line.split(',').count() == columns), "{said}");
    }
    let both = lab(&["jitter", "--csv", "--json", "--report", report(&folder)]);
    assert_eq!(both.status.code(), Some(2), "one of them is enough");
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
        assert!(
            ["breaker", "budgets", "hedging", "jitter", "outage", "overload", "slow-replica", "throttle"]
                .iter()
                .all(|name| said.contains(name)),
            "{said}"
        );
    }
}

#[test]
fn help_names_the_experiments() {
    let output = lab(&["--help"]);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        [
            "breaker",
            "budgets",
            "hedging",
            "jitter",
            "outage",
            "overload",
            "plan",
            "slow-replica",
            "throttle",
            "cargo xtask lab"
        ]
        .iter()
        .all(|part| said.contains(part)),
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
