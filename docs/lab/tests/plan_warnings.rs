//! Each warning of the policy calculator: when it is there, and when it is not.

#![allow(missing_docs)]

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use evenkeel_lab::plan::{Bounds, Load, Policy, Report, Warning};

const EXAMPLE: &str = include_str!("../../examples/policy.toml");
const CHAPTER: &str = include_str!("../../book/src/plan.md");
/// A hedge for the example.
const HEDGE: &str = "\n[hedge]\ndelays = { quantile = 0.95 }\n";

/// The example with all of these changes, each of which must be one.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(format!("{EXAMPLE}{HEDGE}"), |text, (from, to)| {
        assert!(text.contains(from), "there is no {from} to be changed");
        text.replace(from, to)
    })
}

fn load(rps: f64, clients: u32, seconds: u64) -> Load {
    let clients = NonZeroU32::new(clients).expect("some");
    Load::new(rps, clients, Duration::from_secs(seconds)).expect("a load")
}

fn warnings(text: &str, load: &Load) -> Vec<Warning> {
    let policy = Policy::parse("it", text).unwrap_or_else(|refused| panic!("{refused}\n{text}"));
    Warning::all(&policy, load, &Bounds::of(&policy, load))
}

fn ids(text: &str, load: &Load) -> Vec<&'static str> {
    warnings(text, load).iter().map(|warning| warning.id).collect()
}

type Changes = &'static [(&'static str, &'static str)];

/// What there is to change in the example.
const BUDGET: &str = "[budget] # of one client\nkind = \"aws\"\ncapacity = 28";
const NO_BUDGET: (&str, &str) = (BUDGET, "[budget]\nkind = \"unlimited\"");
const SCHEDULE: &str = "first = \"100ms\", cap = \"2s\"";
const ATTEMPTS: &str = "max_attempts = 3";
const LIMIT: &str = "attempt_timeout = \"1.5s\"";
const DEADLINE: &str = "deadline = \"5s\"";
const RULE: &str = "consecutive_failures = 5";
const OPEN: &str = "open_for = { first = \"1s\", cap = \"10s\" }";
const PROBE: &str = "probe_timeout = \"1s\"";
const OWN: &str = "timeout = \"1s\" ";
const LATENCY: &str = "latency = \"100ms\"";
const DELAYS: &str = "delays = { quantile = 0.95 }";
const LATE: (&str, &str) = (DELAYS, "delays = \"on_failure\"");

/// By its name: what makes it come, alone, and what is next to that and does not.
const CASES: [(&str, Changes, Changes); 21] = [
    ("load-above-capacity", &[(LATENCY, "capacity_rps = 999.0")], &[(LATENCY, "capacity_rps = 1000.0")]),
    (
        "retries-without-budget",
        &[NO_BUDGET, LATE, (ATTEMPTS, "max_attempts = 2")],
        &[NO_BUDGET, LATE, (ATTEMPTS, "max_attempts = 1")],
    ),
    (
        "multiplied-retries",
        &[(HEDGE, "\n[[elsewhere]]\nname = \"gateway\"\nattempts = 2")],
        &[(HEDGE, "\n[[elsewhere]]\nname = \"gateway\"\nattempts = 1")],
    ),
    ("budget-too-large-for-clients", &[("capacity = 28", "capacity = 1600")], &[("capacity = 28", "capacity = 1400")]),
    (
        "budget-too-large-for-clients",
        &[(BUDGET, "[budget]\nkind = \"ratio\"")],
        &[(BUDGET, "[budget]\nkind = \"ratio\"\nmin_per_second = 3")],
    ),
    (
        "budget-too-large-for-clients",
        &[(BUDGET, "[budget]\nkind = \"grpc\"\nmax_tokens = 300\ntoken_ratio = 0.1")],
        &[(BUDGET, "[budget]\nkind = \"grpc\"\nmax_tokens = 100\ntoken_ratio = 0.1")],
    ),
    (
        "attempts-without-limit",
        &[(ATTEMPTS, "")],
        &[(ATTEMPTS, ""), (SCHEDULE, "first = \"100ms\", cap = \"2s\", jitter = \"equal\"")],
    ),
    (
        "no-jitter",
        &[(SCHEDULE, "first = \"100ms\", cap = \"2s\", jitter = \"none\"")],
        &[(SCHEDULE, "first = \"100ms\", cap = \"2s\", jitter = { around = 0.1 }")],
    ),
    (
        "seeded-jitter",
        &[(SCHEDULE, "first = \"100ms\", cap = \"2s\", seed = 1")],
        &[(SCHEDULE, "first = \"100ms\", cap = \"2s\", seed = 1"), (ATTEMPTS, "max_attempts = 1")],
    ),
    (
        "attempt-timeout-too-short",
        &[(LATENCY, "latency = \"501ms\""), (PROBE, "probe_timeout = \"2s\"")],
        &[(LATENCY, "latency = \"499ms\"")],
    ),
    ("deadline-too-short", &[(DEADLINE, "deadline = \"1.1s\"")], &[(DEADLINE, "deadline = \"1.2s\"")]),
    ("no-deadline", &[(DEADLINE, "")], &[(DEADLINE, "max_server_delay = \"5s\"")]),
    (
        "max-server-delay-above-deadline",
        &[(DEADLINE, "deadline = \"5s\"\nmax_server_delay = \"5s\"")],
        &[(DEADLINE, "deadline = \"5s\"\nmax_server_delay = \"4s\"")],
    ),
    (
        "breaker-does-not-see-timeouts",
        &[(OWN, "")],
        &[(OWN, ""), (RULE, "consecutive_failures = 5\nabandoned = \"failure\"")],
    ),
    ("breaker-slower-than-outage", &[(RULE, "consecutive_failures = 300")], &[(RULE, "consecutive_failures = 280")]),
    (
        "minimum-calls-not-reached",
        &[(RULE, "failure_rate = 0.5\ntime_window = \"1s\"\nminimum_calls = 11")],
        &[(RULE, "failure_rate = 0.5\ntime_window = \"1s\"\nminimum_calls = 9")],
    ),
    (
        "slow-threshold-never-reached",
        &[(RULE, "consecutive_failures = 5\nslow_calls = { threshold = \"1.1s\", rate = 0.5 }")],
        &[(RULE, "consecutive_failures = 5\nslow_calls = { threshold = \"0s 900ms\", rate = 0.5 }")],
    ),
    ("open-time-longer-than-outage", &[(OPEN, "open_for = [\"61s\"]")], &[(OPEN, "open_for = [\"60s\"]")]),
    ("probe-timeout-too-short", &[(PROBE, "probe_timeout = \"199ms\"")], &[(PROBE, "probe_timeout = \"200ms\"")]),
    ("breaker-dry-run", &[(PROBE, "dry_run = true")], &[(PROBE, "dry_run = false")]),
    (
        "hedge-without-budget",
        &[NO_BUDGET, (ATTEMPTS, "max_attempts = 1")],
        &[NO_BUDGET, LATE, (ATTEMPTS, "max_attempts = 1")],
    ),
];

#[test]
fn the_example_has_none() {
    for text in [EXAMPLE.to_owned(), changed(&[])] {
        assert_eq!(ids(&text, &load(1000.0, 100, 30)), [""; 0]);
    }
}

#[test]
fn each_is_there_when_it_is_true_and_not_when_it_is_not() {
    let load = load(1000.0, 100, 30);
    for (id, there, absent) in CASES {
        assert_eq!(ids(&changed(there), &load), [id], "{there:?}");
        assert_eq!(ids(&changed(absent), &load), [""; 0], "{id}: {absent:?}");
    }
}

#[test]
fn those_that_do_not_come_alone_are_there_as_well() {
    let load = load(1000.0, 100, 30);
    let cases: [(&str, Changes, Changes); 5] = [
        (
            "no-cap",
            &[(SCHEDULE, "first = \"50s\""), (DEADLINE, "")],
            &[(SCHEDULE, "first = \"50s\""), (ATTEMPTS, "max_attempts = 2"), (DEADLINE, "")],
        ),
        ("no-attempt-timeout", &[(OWN, ""), (LIMIT, "")], &[(LIMIT, "")]),
        ("hedge-multiplies-retries", &[NO_BUDGET], &[]),
        ("hedge-too-early", &[(DELAYS, "delays = \"99ms\"")], &[(DELAYS, "delays = \"101ms\"")]),
        ("hedge-never-sent", &[(DELAYS, "delays = \"1s\"")], &[(DELAYS, "delays = \"990ms\"")]),
    ];
    for (id, there, absent) in cases {
        assert!(ids(&changed(there), &load).contains(&id), "{id}: {:?}", ids(&changed(there), &load));
        assert!(!ids(&changed(absent), &load).contains(&id), "{id}: {:?}", ids(&changed(absent), &load));
    }
}

#[test]
fn what_is_enough_for_one_client_is_too_much_for_many_small_ones() {
    let sized = changed(&[]);
    assert_eq!(ids(&sized, &load(1000.0, 100, 30)), [""; 0]);
    let small = warnings(&sized, &load(1000.0, 10_000, 30));
    let fleet = small.iter().find(|warning| warning.id == "budget-too-large-for-clients").expect("it is");
    assert!(
        fleet.what.starts_with("10000 clients may send 2 extra attempts each, for the 3 requests"),
        "{}",
        fleet.what
    );
    assert!(fleet.instead.starts_with("It is as small as is of use"), "{}", fleet.instead);

    let large = changed(&[("capacity = 28", "capacity = 500")]);
    let large = warnings(&large, &load(100.0, 100, 30));
    assert!(large[0].instead.starts_with("capacity = 28, which is for a client of 1 requests"), "{}", large[0].instead);
}

#[test]
fn a_fleet_of_one_needs_no_jitter_and_a_quiet_client_has_a_breaker_that_is_late() {
    let regular = changed(&[(SCHEDULE, "first = \"100ms\", cap = \"2s\", jitter = \"none\"")]);
    assert_eq!(ids(&regular, &load(10.0, 1, 30)), [""; 0]);
    let quiet = ids(&changed(&[]), &load(10.0, 100, 30));
    assert!(quiet.contains(&"breaker-slower-than-outage"), "{quiet:?}");
}

#[test]
fn layers_elsewhere_multiply_each_other_without_a_retry_of_ours() {
    let load = load(200.0, 20, 30);
    let layers = "[service]\ntimeout = \"1s\"\n[[elsewhere]]\nname = \"gateway\"\nattempts = 3\n\
                  [[elsewhere]]\nname = \"mesh\"\nattempts = 5\n";
    let said = warnings(layers, &load);
    assert_eq!(said[0].id, "multiplied-retries");
    assert_eq!(said[0].what, "3 × gateway, 5 × mesh: up to 15 attempts for one request");
    let once =
        changed(&[(ATTEMPTS, "max_attempts = 1"), (HEDGE, layers.trim_start_matches("[service]\ntimeout = \"1s\"\n"))]);
    assert_eq!(ids(&once, &load), ["multiplied-retries"], "fifteen attempts");
    let one = "[service]\ntimeout = \"1s\"\n[[elsewhere]]\nname = \"mesh\"\nattempts = 5\n";
    assert_eq!(ids(one, &load), [""; 0], "who retries alone multiplies nothing");
}

#[test]
fn a_budget_that_limits_nothing_is_none() {
    let retry = "[retry]\nschedule = { kind = \"exponential\", first = \"10ms\", cap = \"1s\" }\nmax_attempts = 4\n\
                 deadline = \"30s\"\n[service]\ntimeout = \"1s\"\n";
    let ids = |budget: &str| ids(&format!("{retry}[budget]\n{budget}\n"), &load(200.0, 20, 30));
    for budget in [
        "kind = \"aws\"\ncosts = { transient = 0, throttled = 0, timeout = 0, hedge = 0 }",
        "kind = \"aws\"\ncapacity = 28\ncosts = { transient = 14, throttled = 0, timeout = 14, hedge = 14 }",
        "kind = \"ratio\"\nratio = 1000\nmin_per_second = 0",
        "kind = \"in_flight\"\nshare = 1000\nmin_concurrency = 1",
        "kind = \"in_flight\"\nshare = 0.1\nmin_concurrency = 1000000",
    ] {
        assert_eq!(ids(budget), ["retries-without-budget"], "four attempts for each request: {budget}");
    }
    for budget in
        ["kind = \"aws\"\ncapacity = 28", "kind = \"ratio\"\nratio = 0.5\nmin_per_second = 0", "kind = \"in_flight\""]
    {
        assert_eq!(ids(budget), [""; 0], "{budget}");
    }
}

#[test]
fn without_a_time_limit_a_deadline_is_held_against_the_slowest_of_a_hundred() {
    let text = |deadline: &str| changed(&[(OWN, ""), (LIMIT, ""), (DEADLINE, deadline)]);
    let load = load(1000.0, 100, 30);
    // 100 ms are half of them, 320 ms the slowest of a hundred; the first delay is 100 ms.
    assert!(ids(&text("deadline = \"410ms\""), &load).contains(&"deadline-too-short"));
    assert!(!ids(&text("deadline = \"430ms\""), &load).contains(&"deadline-too-short"));
}

#[test]
fn a_service_that_is_not_well_before_the_outage_is_told() {
    let policy = Policy::parse("it", EXAMPLE).expect("it is legal");
    let report = Report::of(&policy, &load(5.0, 10, 30), 1).expect("few enough");
    assert_eq!(report.warnings().first().map(|warning| warning.id), Some("calm-is-not-well"), "{report}");
    let report = Report::of(&policy, &load(100.0, 10, 5), 1).expect("few enough");
    assert!(report.warnings().is_empty(), "{report}");
}

#[test]
fn the_chapter_lists_all_of_them() {
    let table = CHAPTER.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: BTreeSet<&str> =
        table.map(|(id, _)| id).filter(|id| id.contains('-') && !id.starts_with('-')).collect();
    let more = [
        "calm-is-not-well",
        "no-cap",
        "no-attempt-timeout",
        "hedge-multiplies-retries",
        "hedge-too-early",
        "hedge-never-sent",
    ];
    let tested: BTreeSet<&str> = CASES.iter().map(|(id, ..)| *id).chain(more).collect();
    assert_eq!(listed, tested);
}
