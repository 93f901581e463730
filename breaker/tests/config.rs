//! Reading breakers from files: what is read, and what is refused and how.
#![cfg(all(feature = "serde", not(loom)))]

mod support;

use std::time::{Duration, Instant};

use evenkeel_breaker::{Abandoned, Breaker, BreakerBuilder, BreakerConfig, Cause, Outcome, State, Verdict};
use support::{Clock, Log, fail, failures_to_open, ms, secs, succeed, wait};

fn toml(text: &str) -> Result<BreakerConfig, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

fn refused(table: &[(&str, &str)]) {
    for (text, message) in table {
        assert_eq!(toml(text).unwrap_err(), *message, "{text:?}");
    }
}

/// A breaker from such a file, its clock and what it does.
fn read(text: &str) -> (Breaker<impl Fn() -> Instant + use<>, Log>, Clock, Log) {
    let (clock, log) = (Clock::new(), Log::default());
    let config = toml(text).unwrap();
    let breaker = config.builder().clock(clock.reader()).observe(log.clone()).build().unwrap();
    (breaker, clock, log)
}

#[test]
fn every_field_is_read_from_toml_and_json_alike() {
    let all = "
        consecutive_failures = 7
        failure_rate = 0.25
        slow_calls = { threshold = '2s', rate = 1 }
        count_window = 40
        minimum_calls = 12
        open_for = ['1s', '1m 30s']
        max_hint = '10m'
        half_open_permits = 2
        half_open_successes = 3
        half_open_calls = 5
        probe_timeout = '4s'
        ramp = '20s'
        abandoned = { failure_after = '1500ms' }
        dry_run = true
    ";
    let json = r#"{
        "consecutive_failures": 7, "failure_rate": 0.25, "slow_calls": {"rate": 1.0, "threshold": "2000ms"},
        "count_window": 40, "minimum_calls": 12, "open_for": ["1s", "90s"], "max_hint": "600s", "half_open_permits": 2,
        "half_open_successes": 3, "half_open_calls": 5, "probe_timeout": "4s", "ramp": "20s",
        "abandoned": {"failure_after": "1s 500ms"}, "dry_run": true, "time_window": null
    }"#;
    assert_eq!(serde_json::from_str::<BreakerConfig>(json).unwrap(), toml(all).unwrap());
    assert!(toml(all).unwrap().build().snapshot().dry_run);
}

#[test]
fn each_rule_is_the_builders() {
    let (breaker, _, log) = read("consecutive_failures = 3");
    assert_eq!(failures_to_open(&breaker), 3);
    assert_eq!(log.way(), [(State::Open, Cause::ConsecutiveFailures)]);

    let (breaker, ..) = read("failure_rate = 0.25\ncount_window = 40\nminimum_calls = 12");
    assert!((0..40).all(|_| succeed(&breaker)));
    assert_eq!(failures_to_open(&breaker), 10);

    let (breaker, clock, _) = read("failure_rate = 1\ntime_window = '10s'\nminimum_calls = 2");
    assert!(succeed(&breaker));
    clock.advance(secs(11));
    assert_eq!(failures_to_open(&breaker), 2);

    let (breaker, clock, log) = read("slow_calls = { threshold = '1s', rate = 0.5 }\nminimum_calls = 1");
    let permit = breaker.try_acquire().unwrap();
    clock.advance(secs(1));
    permit.success();
    assert_eq!(log.way(), [(State::Open, Cause::SlowRate)]);
}

#[test]
fn each_open_time_is_the_builders() {
    let (breaker, clock, _) = read("consecutive_failures = 1\nopen_for = ['1s', '2s']\nmax_hint = '3s'");
    assert!(fail(&breaker));
    assert_eq!(wait(&breaker, &clock), secs(1));
    clock.advance(secs(1));
    breaker.try_acquire().unwrap().record(Verdict::failure().not_before(secs(60)));
    assert_eq!(wait(&breaker, &clock), secs(3));

    for (text, least, most) in [
        ("open_for = { first = '10s', cap = '10s' }", secs(5), secs(10)),
        ("open_for = { first = '8s' }", secs(4), secs(8)),
        ("open_for = { first = '600s' }", secs(300), secs(600)),
        ("open_for = { cap = '6s' }", ms(2_500), secs(5)),
        ("open_for = {}", ms(2_500), secs(5)),
        ("", ms(2_500), secs(5)),
    ] {
        let (breaker, clock, _) = read(&format!("consecutive_failures = 1\n{text}"));
        assert!(fail(&breaker));
        let waited = wait(&breaker, &clock);
        assert!((least..=most).contains(&waited), "{text:?} is {waited:?}");
    }
}

#[test]
fn recovery_is_the_builders() {
    let text = "
        consecutive_failures = 1
        open_for = ['1s']
        half_open_permits = 2
        half_open_successes = 2
        half_open_calls = 3
        probe_timeout = '5s'
        ramp = '10s'
        abandoned = 'failure'
    ";
    let (breaker, clock, log) = read(text);
    drop(breaker.try_acquire().unwrap());
    assert_eq!(breaker.state(), State::Open, "abandoned is a failure");
    clock.advance(secs(1));
    let (first, second) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), Some(secs(5 + 1)), "should both be silent");
    first.failure();
    second.success();
    assert!(succeed(&breaker));
    assert_eq!(log.way().last(), Some(&(State::Closed, Cause::ProbesSucceeded)), "two of three");
    assert!((0.09..0.11).contains(&breaker.snapshot().admitted_share), "it ramps");
}

#[test]
fn what_an_abandoned_call_counts_for_is_read() {
    for (text, abandoned) in [
        ("abandoned = 'ignored'", Abandoned::Ignored),
        ("abandoned = 'failure'", Abandoned::Failure),
        ("abandoned = { failure_after = '2s' }", Abandoned::FailureAfter(secs(2))),
    ] {
        let (breaker, clock, log) = read(text);
        for took in [secs(2) - ms(1), secs(2)] {
            let permit = breaker.try_acquire().unwrap();
            clock.advance(took);
            drop(permit);
            let fails = match abandoned {
                Abandoned::Ignored => false,
                Abandoned::Failure => true,
                Abandoned::FailureAfter(least) => took >= least,
            };
            let expected = if fails { Outcome::Failure } else { Outcome::Ignored };
            assert_eq!(log.last_call().outcome, expected, "{text:?} after {took:?}");
        }
    }
}

/// What it does with the same calls at the same times, but for its open times, which are drawn.
fn behaves(builder: BreakerBuilder) -> Vec<String> {
    let clock = Clock::new();
    let breaker = builder.clock(clock.reader()).build().unwrap();
    let mut seen = Vec::new();
    let mut look = |what: &str| {
        let shown = breaker.snapshot();
        let counts = (shown.calls, shown.failures, shown.slow, shown.consecutive_failures, shown.probes_out);
        seen.push(format!("{what}: {} {counts:?} {} {}", shown.state, shown.admitted_share, shown.dry_run));
    };
    for turn in 0..200 {
        drop(breaker.try_acquire().unwrap());
        assert!(if turn % 3 == 0 { fail(&breaker) } else { succeed(&breaker) });
        clock.advance(secs(100));
        look("a third fails");
    }
    for _ in 0..9 {
        assert!(fail(&breaker));
        look("in a row");
    }
    breaker.try_acquire().unwrap().record(Verdict::failure().not_before(Duration::MAX));
    look("the tenth");
    assert_eq!(wait(&breaker, &clock), Breaker::DEFAULT_MAX_HINT);
    clock.advance(wait(&breaker, &clock));
    drop(breaker.try_acquire().unwrap());
    look("half-open");
    let probe = breaker.try_acquire().unwrap();
    look("a probe is out");
    assert!(breaker.try_acquire().is_err());
    clock.advance(Breaker::DEFAULT_MAX_HINT - ms(1));
    look("its time is not out");
    probe.success();
    look("closed");
    for _ in 0..10 {
        assert!(succeed(&breaker) && fail(&breaker));
        look("a half fails");
    }
    seen
}

#[test]
fn what_is_left_out_is_the_builders_default() {
    assert_eq!(toml(""), Ok(BreakerConfig::default()));
    assert_eq!(serde_json::from_str::<BreakerConfig>("{}").unwrap(), BreakerConfig::default());
    let own = behaves(Breaker::builder());
    assert!(own.last().unwrap().contains("open"), "{own:?}");
    assert_eq!(behaves(BreakerConfig::default().builder()), own);
    let said = toml(&format!(
        "consecutive_failures = {}\nfailure_rate = {}\ncount_window = {}\nminimum_calls = {}\nhalf_open_permits = {}\n\
         half_open_successes = {}\nmax_hint = '{}s'\nopen_for = {{ first = '{}s', cap = '{}s' }}\nramp = '0s'\n\
         abandoned = 'ignored'\ndry_run = false",
        Breaker::DEFAULT_CONSECUTIVE_FAILURES,
        Breaker::DEFAULT_FAILURE_RATE,
        Breaker::DEFAULT_COUNT_WINDOW,
        Breaker::DEFAULT_MINIMUM_CALLS,
        Breaker::DEFAULT_HALF_OPEN_PERMITS,
        Breaker::DEFAULT_HALF_OPEN_SUCCESSES,
        Breaker::DEFAULT_MAX_HINT.as_secs(),
        Breaker::DEFAULT_FIRST_OPEN.as_secs(),
        Breaker::DEFAULT_LONGEST_OPEN.as_secs(),
    ));
    assert_eq!(behaves(said.unwrap().builder()), own, "as it is documented");
}

#[test]
fn each_call_of_build_makes_a_breaker_of_its_own() {
    let config = toml("consecutive_failures = 1").unwrap();
    let [open, closed] = [config.build(), config.build()];
    assert!(fail(&open));
    assert_eq!([open.state(), closed.state()], [State::Open, State::Closed]);
}

#[test]
fn a_value_out_of_its_range_is_refused_as_the_builder_does() {
    let few = "it must be a whole number from 1 to 1000";
    let rate = "it must be a number above 0 and at most 1";
    refused(&[
        ("consecutive_failures = 0", &format!("consecutive_failures is 0: {few}")),
        ("consecutive_failures = 1001", &format!("consecutive_failures is 1001: {few}")),
        ("failure_rate = 0", &format!("failure_rate is 0: {rate}")),
        ("failure_rate = nan", &format!("failure_rate is NaN: {rate}")),
        ("failure_rate = 1.5", &format!("failure_rate is 1.5: {rate}")),
        ("slow_calls = { threshold = '1s', rate = -0.1 }", &format!("slow_calls is -0.1: {rate}")),
        ("slow_calls = { threshold = '0s', rate = 0.1 }", "slow_calls is 0ns: it must be longer than zero"),
        ("count_window = 0", "count_window is 0: it must be a whole number from 1 to 500"),
        ("time_window = '0s'", "time_window is 0ns: it must be from 1 ms to a day"),
        ("time_window = '2days'", "time_window is 172800s: it must be from 1 ms to a day"),
        (
            "count_window = 10\nminimum_calls = 11",
            "minimum_calls is 11: it must be a whole number from 1 to what the window has room for",
        ),
        ("open_for = []", "open_for is empty: it must be a schedule of at least one open time"),
        ("open_for = { first = '2s', cap = '1s' }", "open_for.cap is 1s: it must be no shorter than open_for.first"),
        ("half_open_permits = 0", &format!("half_open_permits is 0: {few}")),
        ("half_open_successes = 1001", &format!("half_open_successes is 1001: {few}")),
        (
            "half_open_successes = 3\nhalf_open_calls = 2",
            "half_open_calls is 2: it must be a whole number from half_open_successes to 1000",
        ),
        ("probe_timeout = '0ms'", "probe_timeout is 0ns: it must be longer than zero"),
    ]);
}

#[test]
fn what_has_the_wrong_type_is_refused_by_name() {
    let few = "it must be a whole number from 1 to 1000";
    let time = "it must be a duration such as \"10s\" or \"1m 30s\"";
    refused(&[
        ("consecutive_failures = -1", &format!("consecutive_failures is -1: {few}")),
        ("half_open_permits = 1.5", &format!("half_open_permits is 1.5: {few}")),
        ("half_open_successes = 4294967296", &format!("half_open_successes is 4294967296: {few}")),
        ("count_window = '5'", "count_window is `5`: it must be a whole number from 1 to 500"),
        (
            "minimum_calls = true",
            "minimum_calls is true: it must be a whole number from 1 to what the window has room for",
        ),
        (
            "half_open_calls = [1]",
            "half_open_calls is a list: it must be a whole number from half_open_successes to 1000",
        ),
        ("failure_rate = '0.5'", "failure_rate is `0.5`: it must be a number above 0 and at most 1"),
        ("failure_rate = { of = 1 }", "failure_rate is a table: it must be a number above 0 and at most 1"),
        ("ramp = 10", &format!("ramp is 10: {time}")),
        ("max_hint = 1.0", &format!("max_hint is 1: {time}")),
        ("time_window = ['1s']", &format!("time_window is a list: {time}")),
        ("open_for = [5]", &format!("open_for is 5: {time}")),
        ("open_for = '5s'", "open_for is `5s`: it must be a list of durations, or a table of `first` and `cap`"),
        ("open_for = { first = 5 }", &format!("open_for.first is 5: {time}")),
        ("slow_calls = 0.5", "slow_calls is 0.5: it must be a table of `threshold` and `rate`"),
        ("slow_calls = ['1s', 0.5]", "slow_calls is a list: it must be a table of `threshold` and `rate`"),
        ("slow_calls = { threshold = 1, rate = 0.5 }", &format!("slow_calls.threshold is 1: {time}")),
        (
            "slow_calls = { threshold = '1s', rate = 'half' }",
            "slow_calls.rate is `half`: it must be a number above 0 and at most 1",
        ),
        ("dry_run = 'yes'", "dry_run is `yes`: it must be true or false"),
        ("dry_run = 1", "dry_run is 1: it must be true or false"),
        ("abandoned = '2s'", "abandoned is `2s`: it must be \"ignored\", \"failure\", or a table of `failure_after`"),
        ("abandoned = { failure_after = 2 }", &format!("abandoned.failure_after is 2: {time}")),
    ]);
    for text in ["soon", "-1s", "99999999999999999999s", ""] {
        let refused = toml(&format!("probe_timeout = '{text}'")).unwrap_err();
        assert!(refused.starts_with(&format!("probe_timeout is `{text}`: {time} (")), "{refused}");
    }
}

#[test]
fn what_is_unknown_missing_or_said_twice_is_refused() {
    refused(&[
        (
            "count_window = 10\ntime_window = '1s'",
            "time_window is given: it must be left out: count_window is given as well",
        ),
        ("slow_calls = { rate = 0.5 }", "threshold is missing: it must be given for slow_calls"),
        ("slow_calls = { threshold = '1s' }", "rate is missing: it must be given for slow_calls"),
        (
            "slow_calls = { threshold = '1s', rate = 0.5, of = 1 }",
            "unknown field `of` in slow_calls, expected one of `threshold`, `rate`",
        ),
        ("open_for = { initial = '1s' }", "unknown field `initial` in open_for, expected one of `first`, `cap`"),
        ("abandoned = {}", "failure_after is missing: it must be given for a table of abandoned"),
        ("abandoned = { after = '1s' }", "unknown field `after` in abandoned, expected one of `failure_after`"),
    ]);
    let unknown = toml("failures = 3").unwrap_err();
    assert!(unknown.starts_with("unknown field `failures`, expected one of `consecutive_failures`"), "{unknown}");
    for twice in [r#"{"ramp": "1s", "ramp": "2s"}"#, r#"{"open_for": {"first": "1s", "first": "2s"}}"#] {
        let refused = serde_json::from_str::<BreakerConfig>(twice).unwrap_err().to_string();
        assert!(refused.starts_with("duplicate field `"), "{refused}");
    }
}

#[test]
fn a_list_is_no_breaker() {
    for json in [r#"[10, 0.5]"#, "[]", "null", "3", r#""default""#] {
        let refused = serde_json::from_str::<BreakerConfig>(json).unwrap_err().to_string();
        assert!(refused.contains("expected a table"), "{refused}");
    }
}
