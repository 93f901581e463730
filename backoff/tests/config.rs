//! Reading schedules and policies from files: what is read, and what is refused and how.
#![cfg(all(feature = "serde", not(loom)))]

use std::{num::NonZeroU32, time::Duration};

use evenkeel_backoff::{
    AnySchedule, Constant, DEFAULT_MAX_SERVER_DELAY, Decorrelated, Exponential, Fibonacci, Jitter, Linear, Ratio,
    RetryConfig, Verdict,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn schedule(text: &str) -> Result<AnySchedule, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

fn config(text: &str) -> Result<RetryConfig, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn every_schedule_is_read() {
    let read = |text| schedule(text).unwrap();
    assert_eq!(read("kind = 'constant'\nfirst = '1s'"), Constant::new(ms(1_000)).into());
    assert_eq!(read("kind = 'linear'\nfirst = '1s'\nstep = '5ms'"), Linear::new(ms(1_000), ms(5)).into());
    assert_eq!(read("kind = 'fibonacci'\nfirst = '1s 500ms'"), Fibonacci::new(ms(1_500)).into());
    let decorrelated = Decorrelated::new(ms(20)).cap(ms(60_000)).within(ms(90_000)).seed(7);
    let text = "kind = 'decorrelated'\nfirst = '20ms'\ncap = '1m'\nwithin = '1m 30s'\nseed = 7";
    assert_eq!(read(text), decorrelated.into());
    let exponential = Exponential::builder(ms(50)).factor(1.5).floor(ms(10)).cap(ms(5_000));
    let jitter = Jitter::Around(Ratio::TENTH);
    let text =
        "kind = 'exponential'\nfirst = '50ms'\nfactor = 1.5\nfloor = '10ms'\ncap = '5s'\njitter = { around = 0.1 }";
    assert_eq!(read(text), exponential.jitter(jitter).build().unwrap().into());
    for (name, jitter) in [("none", Jitter::None), ("full", Jitter::Full), ("equal", Jitter::Equal)] {
        let text = format!("kind = 'constant'\nfirst = '1s'\njitter = '{name}'");
        assert_eq!(schedule(&text).unwrap(), Constant::new(ms(1_000)).jitter(jitter).into());
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (text, message) in [
        ("kind = 'exponential'\nfirst = '1s'\nfactor = 0.5", "factor is 0.5: it must be a number from 1 to 255"),
        ("kind = 'exponential'\nfirst = '1s'\nfactor = nan", "factor is NaN: it must be a number from 1 to 255"),
        ("kind = 'constant'\nfirst = '1s'\nfloor = '3s'\ncap = '2s'", "floor is 3s: it must be at most the cap, 2s"),
        (
            "kind = 'constant'\nfirst = '1s'\nfloor = '3s'\nwithin = '2s'",
            "floor is 3s: it must be at most the total of",
        ),
        ("kind = 'constant'\nfirst = '1s'\nstep = '3s'", "step is given: it must be left out: only a linear"),
        ("kind = 'linear'\nfirst = '1s'", "step is missing: it must be given for a linear schedule"),
        ("kind = 'linear'\nfirst = '1s'\nstep = '1s'\nfactor = 2.0", "factor is given: it must be left out"),
        ("kind = 'decorrelated'\nfirst = '1s'\njitter = 'full'", "jitter is given: it must be left out"),
        ("kind = 'decorrelated'\nfirst = '1s'\nfloor = '1ms'", "floor is given: it must be left out"),
        (
            "kind = 'constant'\nfirst = '1s'\njitter = { around = 1.5 }",
            "jitter.around is 1.5: it must be a number from 0 to 1",
        ),
        ("kind = 'constant'\nfirst = '1s'\nfactr = 2.0", "unknown field `factr`"),
        ("kind = 'quadratic'\nfirst = '1s'", "unknown variant `quadratic`"),
        ("kind = 'constant'\nfirst = 'soon'", "first is `soon`: it must be a duration such as \"250ms\""),
        ("kind = 'constant'\nfirst = 250", "a duration such as \"250ms\""),
        (
            "kind = 'constant'\nfirst = '99999999999999999999s'",
            "first is `99999999999999999999s`: it must be a duration",
        ),
        ("kind = 'constant'\nfirst = '-1s'", "first is `-1s`: it must be a duration"),
        ("kind = 'constant'", "missing field `first`"),
    ] {
        let refused = schedule(text).unwrap_err();
        assert!(refused.contains(message), "{text:?} was refused with {refused:?}");
    }
}

#[test]
fn a_policy_is_read_with_its_defaults() {
    let read = config("schedule = { kind = 'constant', first = '1s' }").unwrap();
    assert_eq!(read.max_server_delay, DEFAULT_MAX_SERVER_DELAY);
    assert_eq!((read.max_attempts, read.deadline, read.attempt_timeout), (None, None, None));
    let read = config(
        "max_attempts = 5\ndeadline = '30s'\nattempt_timeout = '8s'\nmax_server_delay = '10s'\n\
         schedule = { kind = 'constant', first = '1s' }",
    )
    .unwrap();
    assert_eq!(read.max_attempts, NonZeroU32::new(5));
    assert_eq!(read.deadline, Some(ms(30_000)));
    assert_eq!(read.attempt_timeout, Some(ms(8_000)));
    assert_eq!(read.max_server_delay, ms(10_000));
}

#[test]
fn a_policy_that_makes_no_sense_is_refused() {
    let schedule = "\nschedule = { kind = 'constant', first = '1s' }";
    for (text, message) in [
        ("max_attempts = 0", "max_attempts is 0: it must be at least 1"),
        ("deadline = '0s'", "deadline is 0: it must be longer than zero"),
        ("deadline = '1 fortnight'", "deadline is `1 fortnight`: it must be a duration"),
        ("attempt_timeout = '0s'", "attempt_timeout is 0: it must be longer than zero"),
        ("retries = 3", "unknown field `retries`"),
    ] {
        let refused = config(&format!("{text}{schedule}")).unwrap_err();
        assert!(refused.contains(message), "{text:?} was refused with {refused:?}");
    }
}

#[test]
fn a_policy_that_blocks_has_no_attempt_timeout() {
    let schedule = "schedule = { kind = 'constant', first = '0s' }";
    let read = config(&format!("attempt_timeout = '8s'\n{schedule}")).unwrap();
    let refused = read.blocking_policy(|_: Duration| ()).unwrap_err();
    assert_eq!(refused.field(), "attempt_timeout");
    let read = config(&format!("max_attempts = 4\n{schedule}")).unwrap();
    let retry = read.blocking_policy(|_: Duration| ()).unwrap();
    assert_eq!(retry.run_blocking(Err::<(), _>), Err(3));
}

#[test]
fn a_policy_from_a_file_waits_no_longer_than_it_says_for_a_server() {
    let read = config("max_server_delay = '10s'\nschedule = { kind = 'constant', first = '0s' }").unwrap();
    let attempts = |asked| {
        let hinted = move |_: &Result<(), u32>| Verdict::throttled().exactly(asked);
        read.blocking_policy(|_: Duration| ()).unwrap().when(hinted).run_blocking(Err).unwrap_err() + 1
    };
    assert_eq!((attempts(ms(10_000)), attempts(ms(10_001))), (3, 1));
}

#[test]
fn a_policy_from_a_file_keeps_its_limits() {
    let text = r#"{"max_attempts": 9, "deadline": "100ms", "attempt_timeout": "30ms",
        "schedule": {"kind": "constant", "first": "10ms", "jitter": "none"}}"#;
    let read: RetryConfig = serde_json::from_str(text).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let began = tokio::time::Instant::now();
        let retry = read.policy(tokio::time::sleep, || "late").clock(|| tokio::time::Instant::now().into_std());
        let answer = retry.run(|_| std::future::pending::<Result<(), &str>>()).await;
        // Paused time moves in whole milliseconds: 30 + 10 + 30 + 10 + what is left.
        assert_eq!((answer, began.elapsed().as_millis() / 5), (Err("late"), 100 / 5));
    });
}
