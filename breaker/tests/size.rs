//! How much memory a breaker takes.
#![cfg(not(loom))]

use std::time::Duration;

use allocation_counter::measure;
use evenkeel_breaker::{Abandoned, Breaker, BreakerBuilder, OpenTimes};

const SPAN: Duration = Duration::from_secs(10);

fn everything() -> BreakerBuilder {
    Breaker::builder()
        .consecutive_failures(1_000)
        .failure_rate(1.0)
        .slow_calls(SPAN, 1.0)
        .minimum_calls(500)
        .open_for(OpenTimes::default().seed(1))
        .max_hint(SPAN)
        .half_open_permits(10)
        .half_open_successes(5)
        .half_open_calls(10)
        .probe_timeout(SPAN)
        .ramp(SPAN)
        .abandoned(Abandoned::FailureAfter(SPAN))
        .dry_run(true)
}

fn all() -> [(&'static str, BreakerBuilder); 6] {
    [
        ("the default rules", Breaker::builder()),
        ("failures in a row", Breaker::builder().consecutive_failures(10)),
        ("count window of 500", Breaker::builder().failure_rate(0.9).count_window(500)),
        ("time window", Breaker::builder().failure_rate(0.9).time_window(SPAN)),
        ("everything on, count window of 500", everything().count_window(500)),
        ("everything on, time window", everything().time_window(SPAN)),
    ]
}

/// Three calls, of which one fails; often enough to fill every window there is.
fn calls(breaker: &Breaker) {
    for _ in 0..1_000 {
        breaker.try_acquire().unwrap().success();
        breaker.try_acquire().unwrap().failure();
        breaker.try_acquire().unwrap().success();
    }
}

#[test]
fn a_breaker_takes_at_most_a_kibibyte() {
    for (name, builder) in all() {
        let mut breaker = None;
        let built = measure(|| breaker = Some(builder.build().unwrap()));
        let breaker = breaker.expect("it was built");
        let used = measure(|| calls(&breaker));
        // Those are handed back that were for its making alone.
        let bytes = size_of::<Breaker>() as i64 + built.bytes_current + used.bytes_current;
        assert!((1..=1_024).contains(&bytes), "{name}: {bytes}");
    }
}
