//! The worst cases of the policy calculator: what a fleet comes to never passes them, and they are no larger than need be.

#![allow(missing_docs)]

use std::{num::NonZeroU32, time::Duration};

use evenkeel_lab::{
    plan::{Bounds, Load, Policy, Report},
    rng::Rng,
};

fn load(rps: f64, clients: u32, outage: Duration) -> Load {
    Load::new(rps, NonZeroU32::new(clients).expect("some"), outage).expect("a load")
}

fn policy(text: &str) -> Policy {
    Policy::parse("it", text).unwrap_or_else(|refused| panic!("{refused}\n{text}"))
}

fn bounds(text: &str) -> Bounds {
    Bounds::of(&policy(text), &load(100.0, 10, Duration::from_secs(30)))
}

const RETRY: &str = "[retry]\nschedule = { kind = \"exponential\", first = \"100ms\", cap = \"1s\" }\n";

/// A service that is quick and has room, so that nothing is spent before the outage.
const WELL: &str = "[service]\nlatency = \"50ms\"\ntimeout = \"300ms\"\ncapacity_rps = 100\n";

/// One line of each, by chance.
fn any(rng: &mut Rng) -> String {
    let mut one_of = |lines: &[&str]| lines[(rng.unit() * lines.len() as f64) as usize].to_owned() + "\n";
    let retry = RETRY.to_owned()
        + &one_of(&["max_attempts = 2", "max_attempts = 4", "max_attempts = 8", "deadline = \"5s\"\nmax_attempts = 6"])
        + &one_of(&["", "attempt_timeout = \"700ms\"", "attempt_timeout = \"3s\""]);
    let budget = one_of(&[
        "",
        "[budget]\nkind = \"aws\"\ncapacity = 250\ncosts = { transient = 5, throttled = 5, timeout = 5, hedge = 5 }",
        "[budget]\nkind = \"aws\"\ncapacity = 40",
        "[budget]\nkind = \"ratio\"\nratio = 0.1\nmin_per_second = 0\nttl = \"1s\"",
        "[budget]\nkind = \"ratio\"\nratio = 0.5\nmin_per_second = 1\nttl = \"2s\"",
        "[budget]\nkind = \"grpc\"\nmax_tokens = 10\ntoken_ratio = 0.1",
        "[budget]\nkind = \"grpc\"\nmax_tokens = 61.5\ntoken_ratio = 0.1",
        "[budget]\nkind = \"in_flight\"",
        "[budget]\nkind = \"unlimited\"",
    ]);
    let breaker = one_of(&["", "", "[breaker]\nconsecutive_failures = 5\nopen_for = { first = \"1s\", cap = \"4s\" }"]);
    let hedge = one_of(&[
        "",
        "",
        "[hedge]\ndelays = \"400ms\"",
        "[hedge]\ndelays = [\"300ms\", \"400ms\"]",
        "[hedge]\ndelays = { quantile = 0.9 }\nmax_attempts = 3",
        "[hedge]\ndelays = \"on_failure\"\nelsewhere = true",
        "[hedge]\ndelays = \"300ms\"\ncharge_failures = false",
    ]);
    let service =
        "[service]\nlatency = \"100ms\"\n".to_owned() + &one_of(&["", "timeout = \"1s\"", "timeout = \"1s\""]);
    retry + &budget + &breaker + &hedge + &service
}

#[test]
fn what_a_fleet_comes_to_never_passes_the_worst_case() {
    let mut near = 0;
    for case in 0..30 {
        let text = any(&mut Rng::keyed(&[case]));
        let outage = Duration::from_secs(10);
        let report = Report::of(&policy(&text), &load(20.0, 4, outage), case).expect("few enough");
        let (seen, most) = (report.yours().amplification, report.bounds().amplification.expect("all are bounded"));
        let [each, some] = [report.bounds().attempts_per_request, report.bounds().amplification_if_some_fail]
            .map(|most| most.expect("all are bounded"));
        assert!(seen <= each && most <= some && some <= each, "{seen} and {most}, case {case}:\n{text}");
        // So many extra attempts, whoever shares them; what was under way when it began gets some back.
        let shared = some * (200.0 / f64::from(report.yours().begun_during)).max(1.0);
        assert!(seen <= shared * 1.01 + 0.01, "{seen} is more than {shared}, case {case}:\n{text}");
        // Those that began late are tried again when it is over, and the luck of who came when.
        assert!(seen <= most * 1.06 + 0.06, "{seen} is more than {most}, case {case}:\n{text}");
        near += u32::from(seen > 0.75 * most);
    }
    assert!(near > 8, "the worst cases are no fancy: {near} of them came to pass");
}

#[test]
fn a_budget_is_spent_in_an_outage_as_far_as_it_is_said_to_be() {
    let budgets = [
        ("kind = \"aws\"\ncapacity = 700\ncosts = { transient = 14, throttled = 14, timeout = 14, hedge = 14 }", 2.0),
        ("kind = \"grpc\"\nmax_tokens = 61.5\ntoken_ratio = 0.1", 1.6),
        ("kind = \"ratio\"\nratio = 0.5\nmin_per_second = 1\nttl = \"2s\"", 1.7),
    ];
    for (budget, most) in budgets {
        let text = format!("{RETRY}max_attempts = 8\n[budget]\n{budget}\n{WELL}");
        let report = Report::of(&policy(&text), &load(20.0, 4, Duration::from_secs(10)), 1).expect("few enough");
        assert_eq!(report.bounds().amplification, Some(most), "{budget}");
        let seen = report.yours().amplification / most;
        assert!((0.9..1.05).contains(&seen), "{budget}: {seen} of it");
    }
}

#[test]
fn the_worst_case_is_what_the_attempts_or_the_budget_leave() {
    let cases = [
        ("max_attempts = 4", "", Some(4.0)),
        ("", "", Some(3.0)),
        ("deadline = \"5s\"", "", None),
        ("max_attempts = 4", "[budget]\nkind = \"unlimited\"", Some(4.0)),
        ("max_attempts = 4", "[budget]\nkind = \"in_flight\"", Some(4.0)),
        // A hundred retries after being throttled, for the three hundred requests of one client.
        ("max_attempts = 4", "[budget]\nkind = \"aws\"", Some(1.333)),
        (
            "max_attempts = 4",
            "[budget]\nkind = \"aws\"\ncosts = { transient = 25, throttled = 50, timeout = 50, hedge = 1 }",
            Some(1.067),
        ),
        (
            "deadline = \"5s\"",
            "[budget]\nkind = \"aws\"\ncosts = { transient = 0, throttled = 5, timeout = 5, hedge = 5 }",
            None,
        ),
        ("deadline = \"5s\"", "[budget]\nkind = \"aws\"", Some(1.333)),
        ("max_attempts = 4", "[budget]\nkind = \"grpc\"\nmax_tokens = 10\ntoken_ratio = 0.1", Some(1.013)),
        ("max_attempts = 4", "[budget]\nkind = \"ratio\"", Some(2.2)),
        ("max_attempts = 2", "[budget]\nkind = \"ratio\"", Some(2.0)),
        ("max_attempts = 4", "[budget]\nkind = \"ratio\"\nmin_per_second = 0\nratio = 0.25", Some(1.25)),
        ("max_attempts = 2", "[hedge]\ndelays = [\"1s\", \"1s\"]", Some(6.0)),
        // Fifty hedges, the cheapest that there are, and no three retries.
        (
            "max_attempts = 4",
            "[hedge]\ndelays = \"1s\"\n[budget]\nkind = \"aws\"\ncapacity = 50\n\
             costs = { transient = 14, throttled = 14, timeout = 14, hedge = 1 }",
            Some(1.167),
        ),
        (
            "max_attempts = 2",
            "[hedge]\ndelays = \"on_failure\"\ncharge_failures = false\n[budget]\nkind = \"aws\"\ncapacity = 50",
            Some(2.067),
        ),
    ];
    for (retry, more, most) in cases {
        let text = format!("{RETRY}{retry}\n{more}\n");
        assert_eq!(bounds(&text).amplification, most, "{text}");
    }
    assert_eq!(bounds("").amplification, Some(1.0));
    // In fifteen seconds there are two windows of ten, of which the second is not over.
    let ratio = policy(&format!("{RETRY}max_attempts = 4\n[budget]\nkind = \"ratio\"\n"));
    assert_eq!(Bounds::of(&ratio, &load(100.0, 10, Duration::from_secs(15))).amplification, Some(2.6));
}

#[test]
fn if_some_fail_a_budget_that_is_refunded_bounds_less() {
    let aws = "[budget]\nkind = \"aws\"\nrevision = \"earlier\"\n";
    let grpc = "[budget]\nkind = \"grpc\"\nmax_tokens = 10\ntoken_ratio = 0.1\n";
    let hedge = "[hedge]\ndelays = \"1s\"\n";
    let cases = [
        ("", String::new(), Some(1.0)),
        ("max_attempts = 4", String::new(), Some(4.0)),
        // A hundred that the bucket holds, for three hundred requests, and one for each that succeeds.
        ("max_attempts = 4", aws.to_owned(), Some(2.333)),
        ("max_attempts = 2", aws.to_owned(), Some(2.0)),
        ("max_attempts = 4", format!("{aws}{hedge}"), Some(3.333)),
        // Half of the tokens, and a tenth for each success.
        ("max_attempts = 4", grpc.to_owned(), Some(1.113)),
        ("max_attempts = 4", format!("{grpc}{hedge}"), Some(8.0)),
        ("max_attempts = 4", "[budget]\nkind = \"ratio\"\nratio = 0.25\nmin_per_second = 0".to_owned(), Some(1.25)),
        ("max_attempts = 4", "[budget]\nkind = \"in_flight\"".to_owned(), Some(4.0)),
    ];
    for (retry, more, most) in cases {
        let text = if retry.is_empty() { more } else { format!("{RETRY}{retry}\n{more}") };
        assert_eq!(bounds(&text).amplification_if_some_fail, most, "{text}");
    }
}

#[test]
fn who_asks_in_an_outage_that_is_shorter_than_a_bin_is_counted_in_it() {
    // A bin is 40 requests wide, 7 s, and none begins in these 4 s.
    let policy = policy(include_str!("../../examples/policy.toml"));
    let report = Report::of(&policy, &load(5.7, 20, Duration::from_secs(4)), 1).expect("few enough");
    let naive = report.naive();
    assert!(naive.answered_during < 0.6 && naive.amplification > 1.5 && naive.begun_during > 10, "{naive:?}");
}

#[test]
fn no_attempts_pass_the_worst_case_where_answers_are_slow() {
    // What was under way when the outage began is tried again in it, and was begun before it.
    let text = "[retry]\nschedule = { kind = \"exponential\", first = \"10ms\", cap = \"1s\" }\nmax_attempts = 3\n\
                [service]\nlatency = \"2s\"\ntimeout = \"10s\"\nqueue = \"0s\"\n";
    let report = Report::of(&policy(text), &load(100.0, 10, Duration::from_secs(10)), 1).expect("few enough");
    let (yours, naive) = (report.yours(), report.naive());
    assert!(yours.amplification > 2.0 && yours.amplification <= 3.0, "{yours:?}");
    assert!(naive.amplification <= 4.0 && naive.peak_load > 1.5 * yours.peak_load.min(1.5), "{naive:?}");
}

#[test]
fn a_service_of_any_size_can_be_followed() {
    let text = "[service]\nlatency = \"1m\"\ncapacity_rps = 1e9\n";
    let report = Report::of(&policy(text), &load(5.0, 5, Duration::from_secs(1)), 1).expect("few enough");
    assert_eq!(report.yours().answered, 1.0, "{:?}", report.yours());
}

#[test]
fn attempts_end_by_their_number_or_when_the_shortest_waits_are_over() {
    let attempts = |schedule: &str, more: &str| {
        bounds(&format!("[retry]\nschedule = {{ kind = \"constant\", first = \"1s\", {schedule} }}\n{more}"))
            .attempts_per_request
    };
    assert_eq!(attempts("jitter = \"none\"", ""), Some(3.0));
    assert_eq!(attempts("jitter = \"none\", within = \"4s\"", ""), Some(5.0));
    assert_eq!(attempts("jitter = \"equal\", within = \"4s\"", ""), Some(9.0));
    assert_eq!(attempts("jitter = \"none\"", "deadline = \"4s\""), Some(4.0));
    assert_eq!(attempts("jitter = \"none\"", "deadline = \"4s\"\nmax_attempts = 2"), Some(2.0));
    assert_eq!(attempts("jitter = \"none\"", "deadline = \"4s\"\nmax_attempts = 9"), Some(4.0));
    assert_eq!(attempts("jitter = \"full\"", "deadline = \"4s\""), None);
    assert_eq!(attempts("jitter = \"full\", floor = \"500ms\"", "deadline = \"4s\""), Some(8.0));
    let others = "\n[[elsewhere]]\nname = \"mesh\"\nattempts = 2\n[[elsewhere]]\nname = \"gateway\"\nattempts = 3\n";
    let all = bounds(&format!("{RETRY}{others}"));
    assert_eq!((all.attempts_per_request, all.attempts_with_elsewhere), (Some(3.0), Some(18.0)));
}

#[test]
fn a_caller_waits_for_attempts_and_delays_and_no_longer_than_the_deadline() {
    let waits = |text: &str| {
        let bounds = bounds(text);
        [bounds.longest_wait_ms, bounds.longest_wait_with_server_delays_ms]
    };
    let attempts = "max_attempts = 3\nattempt_timeout = \"2s\"\n";
    assert_eq!(waits(&format!("{RETRY}{attempts}")), [6_300.0, 126_300.0].map(Some));
    assert_eq!(waits(&format!("{RETRY}{attempts}max_server_delay = \"1s\"\n")), [6_300.0, 8_300.0].map(Some));
    assert_eq!(waits(&format!("{RETRY}{attempts}deadline = \"7s\"\n")), [6_300.0, 7_000.0].map(Some));
    // The client's own limit does not know of the deadline, and each hedge has it for itself.
    let own = "max_attempts = 3\ndeadline = \"3s\"\n[service]\ntimeout = \"2s\"\n";
    assert_eq!(waits(&format!("{RETRY}{own}")), [5_000.0, 5_000.0].map(Some));
    assert_eq!(waits(&format!("{RETRY}{own}[hedge]\ndelays = \"1s\"\n")), [7_000.0, 7_000.0].map(Some));
    assert_eq!(waits(RETRY), [None, None]);
    assert_eq!(waits("[service]\ntimeout = \"2s\"\n"), [2_000.0, 2_000.0].map(Some));
}

#[test]
fn the_breaker_opens_by_its_rule_and_the_rate_of_one_client() {
    let opening = |breaker: &str, rate: f64| {
        let policy = policy(&format!("[service]\ntimeout = \"1s\"\n[breaker]\n{breaker}"));
        let bounds = Bounds::of(&policy, &load(rate * 10.0, 10, Duration::from_secs(30)));
        (bounds.time_to_open_ms, bounds.failures_to_open)
    };
    assert_eq!(opening("consecutive_failures = 10", 10.0), (Some(2_000.0), Some(10)));
    assert_eq!(opening("consecutive_failures = 10", 1000.0), (Some(1_010.0), Some(10)));
    assert_eq!(opening("consecutive_failures = 10", 0.345), (Some(29_985.507), Some(10)));
    assert_eq!(opening("consecutive_failures = 10", 0.34), (None, None));
    // The window is full of successes.
    assert_eq!(opening("failure_rate = 0.5\ncount_window = 40", 10.0), (Some(3_000.0), Some(20)));
    assert_eq!(opening("failure_rate = 1.0\ncount_window = 40\nminimum_calls = 5", 10.0), (Some(5_000.0), Some(40)));
    assert_eq!(bounds("[breaker]\n").time_to_open_ms, None, "nothing ends what hangs");
    // What the policy's limit cuts off is dropped, and counts only where that is said.
    let dropped = |more: &str| {
        bounds(&format!("{RETRY}attempt_timeout = \"1s\"\n[breaker]\nconsecutive_failures = 10\n{more}"))
            .time_to_open_ms
    };
    assert_eq!(dropped(""), None);
    assert_eq!(dropped("abandoned = \"failure\""), Some(2_000.0));
    assert_eq!(dropped("abandoned = { failure_after = \"2s\" }"), None);
}

#[test]
fn the_open_time_at_the_end_is_the_longest_that_can_have_begun() {
    let longest = |breaker: &str| bounds(&format!("[breaker]\n{breaker}")).longest_open_ms;
    // 2.5 + 5 + 10 s have passed at least when that of up to 40 s begins, and 20 s more when that of 80 s would.
    assert_eq!(longest(""), Some(40_000.0));
    assert_eq!(longest("open_for = { first = \"1s\", cap = \"10s\" }"), Some(10_000.0));
    assert_eq!(longest("open_for = [\"1s\", \"45s\", \"90s\"]"), Some(45_000.0));
    assert_eq!(longest("open_for = [\"0s\"]"), Some(0.0));
}
