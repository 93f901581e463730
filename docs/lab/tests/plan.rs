//! The policy calculator's program: what it prints, what it refuses.

#![allow(missing_docs)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policy.toml");
/// Little, for it to be quick.
const LOAD: [&str; 6] = ["--rps", "40", "--clients", "4", "--outage", "5s"];

fn plan(args: &[&str]) -> Output {
    let lab = Command::new(env!("CARGO_BIN_EXE_lab")).arg("plan").args(args).stdin(Stdio::null()).output();
    lab.expect("the lab, which cargo has built")
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// A file of the test's own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("plan-{name}.toml"));
    fs::write(&path, bytes).expect("a folder that cargo has made");
    path
}

fn with(path: &Path) -> Output {
    plan(&[&["--config", path.to_str().expect("a path of cargo's making")], &LOAD[..]].concat())
}

#[test]
fn json_is_one_object_with_all_that_there_is_to_say() {
    let output = plan(&[&["--config", EXAMPLE, "--json"], &LOAD[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("one object and nothing else");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["added", "bounds", "config", "measured", "warnings"]);
    assert_eq!(json["config"]["rps"], 40.0);
    assert_eq!(json["config"]["outage_ms"], 5_000.0);
    assert_eq!(json["config"]["service"]["capacity_rps"], 50.0);
    assert_eq!(json["config"]["policy"]["retry"]["max_attempts"], 3);
    assert_eq!(json["bounds"]["attempts_per_request"], 3.0);
    assert_eq!(json["bounds"]["longest_wait_with_server_delays_ms"], 5_000.0);
    let fleets: Vec<_> = json["measured"].as_array().expect("rows").iter().map(|row| row["policy"].clone()).collect();
    assert_eq!(fleets, ["none", "naive", "yours"]);
    assert_eq!(json["warnings"], Value::Array(vec![]));
    assert!(json["measured"][2]["recovery_ms"].is_number() && json["added"]["calm_p50_ms"].is_number(), "{json}");
}

#[test]
fn the_same_seed_is_the_same_bytes_and_another_is_not() {
    for more in [&["--json"][..], &[]] {
        let run = |seed| plan(&[&["--config", EXAMPLE, "--seed", seed], &LOAD[..], more].concat()).stdout;
        assert_eq!(said(&run("7")), said(&run("7")));
        assert_ne!(said(&run("7")), said(&run("8")));
    }
}

#[test]
fn a_configuration_may_come_from_standard_input_and_be_empty() {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["plan", "--config", "-"])
        .args(LOAD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the lab, which cargo has built");
    // Dropped, and so closed.
    lab.stdin.take().expect("it is piped").write_all(b"# nothing\n").expect("it reads");
    let output = lab.wait_with_output().expect("it is ours");
    assert!(output.status.success());
    assert!(said(&output.stdout).contains("no-attempt-timeout"), "{}", said(&output.stdout));
}

#[test]
fn what_the_flags_say_is_checked_and_named() {
    let cases: [(&[&str], &str); 15] = [
        (&["--rps", "0", "--outage", "5s"], "--rps: it is 0: it must be above 0"),
        (&["--rps", "NaN", "--outage", "5s"], "--rps: it is NaN"),
        (&["--rps", "inf", "--outage", "5s"], "--rps: it is inf"),
        (&["--rps", "-3", "--outage", "5s"], "--rps: it is -3"),
        (&["--rps", "1e10", "--outage", "5s"], "--rps: it is 10000000000"),
        (&["--rps", "many", "--outage", "5s"], "--rps"),
        (&["--rps", "1e8", "--clients", "2", "--outage", "5s"], "for 2 clients: with this outage one client must"),
        (&["--rps", "40", "--outage", "0s"], "--outage: it is 0ms: it must be from 100ms to 1h"),
        (&["--rps", "40", "--outage", "2h"], "--outage: it is 2h: it must be from 100ms to 1h"),
        (&["--rps", "40", "--outage", "30"], "--outage"),
        (&["--rps", "40", "--outage", "-5s"], "--outage"),
        (&["--rps", "40"], "--outage <TIME>"),
        (&["--outage", "5s"], "--rps <N>"),
        (&["--rps", "40", "--outage", "5s", "--clients", "0"], "--clients"),
        (&["--rps", "40", "--outage", "5s", "--clients", "20000000"], "--clients: it is 20000000: it must be"),
    ];
    for (flags, why) in cases {
        let output = plan(&[&["--config", EXAMPLE], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {output:?}");
        assert!(output.stdout.is_empty());
        assert!(said(&output.stderr).contains(why), "{flags:?}: {}", said(&output.stderr));
    }
    let output = plan(&LOAD);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("--config <FILE>"));
}

#[test]
fn what_is_wrong_in_a_file_is_refused_with_the_file_and_the_field() {
    let cases: [(&str, &str); 19] = [
        ("[retry]\nmax_attempts = 3", "retry: missing field `schedule`"),
        (
            "[retry]\nschedule = { kind = \"constant\", first = \"soon\" }",
            "retry.schedule: first is `soon`: it must be",
        ),
        ("[retry]\nschedule = { kind = \"constant\", first = \"1s\" }\nmax = 3", "retry.max: unknown field `max`"),
        ("[budget]\nkind = \"ratio\"\nratio = 1001", "budget: ratio is 1001: it must be a number from 0 to 1000"),
        ("[breaker]\nfailure_rate = 30", "breaker: failure_rate is 30: it must be a number above 0 and at most 1"),
        ("[hedge]\ndelays = \"at once\"", "hedge: delays is `at once`: it must be"),
        ("[service]\nlatency = \"0s\"", "service.latency: it is `0s`: it must be from 1ms to 1m"),
        ("[service]\nlatency = \"2m\"", "service.latency: it is `2m`: it must be from 1ms to 1m"),
        ("[service]\nlatency = 200", "service.latency: invalid type: integer `200`"),
        ("[service]\nlatency = \"quick\"", "service.latency: it is `quick`: it must be a duration such as \"200ms\""),
        ("[service]\nqueue = \"11m\"", "service.queue: it is `11m`: it must be from 0s to 10m"),
        ("[service]\ntimeout = \"0s\"", "service.timeout: it is `0s`: it must be from 1ms to 1h"),
        ("[service]\ncapacity_rps = 0.0", "service.capacity_rps: it is 0: it must be above 0"),
        ("[service]\ncapacity_rps = nan", "service.capacity_rps: it is NaN: it must be above 0"),
        ("[service]\nclients = 3", "service.clients: unknown field `clients`"),
        ("[[elsewhere]]\nname = \" \"\nattempts = 3", "elsewhere[0].name: it must not be empty"),
        (
            "[[elsewhere]]\nname = \"mesh\"\nattempts = 0",
            "elsewhere[0].attempts: it is 0: it must be a whole number from 1",
        ),
        ("[[elsewhere]]\nname = \"mesh\"", "elsewhere[0]: missing field `attempts`"),
        ("[throttle]\nk = 2", "throttle: unknown field `throttle`, expected one of `retry`, `budget`, `breaker`"),
    ];
    for (number, (text, why)) in cases.into_iter().enumerate() {
        let path = file(&format!("wrong-{number}"), text.as_bytes());
        let (output, name) = (with(&path), path.display().to_string());
        assert_eq!(output.status.code(), Some(2), "{text}: {output:?}");
        assert!(output.stdout.is_empty());
        let said = said(&output.stderr);
        assert!(said.starts_with(&format!("lab: {name}: {why}")), "{text}: {said}");
    }
    let many = "[[elsewhere]]\nname = \"a\"\nattempts = 1\n".repeat(17);
    let output = with(&file("many", many.as_bytes()));
    assert!(said(&output.stderr).contains("elsewhere: there are 17: it must be at most 16"), "{output:?}");
}

#[test]
fn what_is_no_configuration_at_all_is_refused() {
    let syntax = with(&file("syntax", b"[retry]\nschedule = {\n\n[budget]\nkind = = \"aws\"\n"));
    assert_eq!(syntax.status.code(), Some(2));
    assert!(said(&syntax.stderr).contains("TOML parse error at line "), "{}", said(&syntax.stderr));

    let binary = with(&file("binary", b"[retry]\n\xff\xfe"));
    assert_eq!(binary.status.code(), Some(2));
    assert!(said(&binary.stderr).contains("UTF-8"), "{}", said(&binary.stderr));

    for path in [Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new("/nowhere/policy.toml")] {
        let output = with(path);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(said(&output.stderr).starts_with(&format!("lab: {}: ", path.display())), "{output:?}");
    }
}

#[test]
fn the_chart_and_its_rows_are_where_they_were_asked_for() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan-report");
    let report = ["--report", folder.to_str().expect("a path of cargo's making"), "--json"];
    let output = plan(&[&["--config", EXAMPLE], &LOAD[..], &report].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice::<Value>(&output.stdout).expect("one object and nothing else");
    let (rows, chart) = (folder.join("plan.csv"), folder.join("plan.svg"));
    let places = format!("rows: {}\nchart: {}\n", rows.display(), chart.display());
    assert_eq!(said(&output.stderr), places);

    let rows = fs::read_to_string(rows).expect("the rows");
    assert!(rows.starts_with("policy,at_s,load,goodput\nnone,-30.0,"), "{rows}");
    assert!(["none", "naive", "yours"].iter().all(|fleet| rows.matches(fleet).count() >= 60), "{rows}");
    let chart = fs::read_to_string(chart).expect("the chart");
    assert!(chart.starts_with("<svg") && chart.contains("naive") && chart.contains("attempts (× capacity)"));

    let in_the_way = plan(&[&["--config", EXAMPLE, "--report", EXAMPLE], &LOAD[..]].concat());
    assert_eq!(in_the_way.status.code(), Some(1));
    assert!(in_the_way.stdout.is_empty());
}
