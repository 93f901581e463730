//! The demo end to end: real HTTP on the loopback interface, and the program itself.

#![allow(missing_docs)]

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use evenkeel_lab::demo::{
    incident::Incident,
    load,
    run::Plan,
    strategies::{self, Setup},
    summary::{Figures, Run},
};

const SETUP: Setup = Setup { seed: 1, rps: 50.0, patience: Duration::from_secs(3) };

const INCIDENT: Incident = Incident::new(Duration::from_secs(1));

async fn over_http(name: &str) -> (Run, Figures) {
    let plan = Plan { incident: INCIDENT, setup: SETUP, sized_for: SETUP.rps };
    let entry = strategies::find(name).expect("a strategy of that name");
    let run = plan.over_http(entry).await.expect("a free port, before and after the outage");
    let figures = Figures::of(&run, &plan.incident);
    (run, figures)
}

#[tokio::test]
async fn the_client_and_the_server_agree_about_what_was_sent() {
    let begun = load::arrivals(SETUP.seed, SETUP.rps, INCIDENT.length()).len();
    let (none, of_none) = over_http("none").await;
    let (naive, of_naive) = over_http("naive").await;
    for (run, figures) in [(&none, &of_none), (&naive, &of_naive)] {
        assert_eq!(run.records.len(), begun, "every request has one final answer");
        let received = run.received.len() as u64;
        assert!(received <= figures.upstream_calls, "{figures:?}");
        assert!(received >= figures.answered, "{figures:?}");
        assert!(figures.answered < figures.requests, "nobody is answered in the outage");
        let back = INCIDENT.outage().end;
        let after = run.records.iter().filter(|record| record.at >= back);
        assert!(after.clone().any(|record| record.latency.is_some()), "it comes back where it was: {:?}", run.records);
    }
    assert_eq!(of_none.upstream_calls, of_none.requests);
    assert!(of_naive.upstream_calls > of_none.upstream_calls);
}

#[tokio::test]
async fn what_the_first_server_cannot_answer_the_second_does() {
    let (run, seen) = over_http("evenkeel").await;
    assert_eq!(seen.by_alternate.values().sum::<u64>(), seen.answered);
    assert!(seen.by_alternate.values().all(|answers| *answers > 0), "{seen:?}");
    assert_eq!(seen.calls_by_alternate["primary"], seen.upstream_calls);
    assert!(seen.calls_by_alternate["secondary"] >= seen.by_alternate["secondary"], "{seen:?}");
    assert!(run.received.len() as u64 <= seen.upstream_calls, "the first server saw no more than was sent to it");
    assert!(seen.outage_answered_share > Some(0.5), "{seen:?}");
}

fn demo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_demo")).args(args).output().expect("the demo, which cargo has built")
}

#[test]
fn json_alone_is_on_standard_output_and_the_report_is_where_it_was_asked_for() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let at = folder.to_str().expect("a path of cargo's making");
    let output =
        demo(&["--seconds", "0.5", "--rps", "20", "--only", "bash", "--only", "none", "--json", "--report", at]);
    assert!(output.status.success(), "{output:?}");

    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!((&json["seed"], &json["seconds"]), (&1.into(), &0.5.into()));
    let names: Vec<&str> =
        json["strategies"].as_array().into_iter().flatten().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, ["none", "bash"]);

    let page = folder.join("report.html");
    assert!(String::from_utf8_lossy(&output.stderr).contains(&page.display().to_string()));
    let page = std::fs::read_to_string(page).expect("the report");
    for part in ["<svg", "refused", "tenacity: load"].iter().zip([true, true, false]) {
        assert_eq!(page.contains(part.0), part.1, "{}", part.0);
    }
}

#[test]
fn nonsense_is_refused_with_status_2_and_a_reason() {
    for (args, reason) in [
        (["--seconds", "0"], "from 0.5 to 600"),
        (["--rps", "NaN"], "from 1 to 1000"),
        (["--only", "hope"], "tenacity"),
        (["--colour", "red"], "Usage"),
        (["--metrics", "9090"], "invalid socket address"),
    ] {
        let output = demo(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let in_the_way = env!("CARGO_BIN_EXE_demo");
    let output = demo(&["--seconds", "0.5", "--rps", "1", "--only", "none", "--report", in_the_way]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(in_the_way), "it names the path: {said}");
}
