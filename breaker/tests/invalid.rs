//! What makes no breaker: each setting that is refused, with the field, the value and the range.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use evenkeel_breaker::{Breaker, BreakerBuilder};
use proptest::prelude::*;
use support::{fail, ms, secs, succeed};

fn refused(builder: BreakerBuilder, field: &str, message: &str) {
    let refused = builder.build().unwrap_err();
    assert_eq!((refused.field(), refused.to_string().as_str()), (field, message));
}

/// Hazards 37 and 59.
#[test]
fn what_would_reject_for_ever_or_never_open_is_refused_with_field_value_and_range() {
    let of = Breaker::builder;
    let few = "it must be a whole number from 1 to 1000";
    for (value, said) in [(0, "0"), (1_001, "1001"), (u32::MAX, "4294967295")] {
        refused(
            of().consecutive_failures(value),
            "consecutive_failures",
            &format!("consecutive_failures is {said}: {few}"),
        );
        refused(of().half_open_permits(value), "half_open_permits", &format!("half_open_permits is {said}: {few}"));
        refused(
            of().half_open_successes(value),
            "half_open_successes",
            &format!("half_open_successes is {said}: {few}"),
        );
    }
    let rate = "it must be a number above 0 and at most 1";
    for (value, said) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (-0.5, "-0.5"),
        (1.5, "1.5"),
        (1.000_000_1, "1.0000001"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        refused(of().failure_rate(value), "failure_rate", &format!("failure_rate is {said}: {rate}"));
        refused(of().slow_calls(secs(1), value), "slow_calls", &format!("slow_calls is {said}: {rate}"));
    }
    refused(of().slow_calls(secs(0), 0.5), "slow_calls", "slow_calls is 0ns: it must be longer than zero");
    for (span, said) in [
        (Duration::ZERO, "0ns"),
        (ms(1) - Duration::from_nanos(1), "999.999µs"),
        (secs(86_401), "86401s"),
        (Duration::MAX, "18446744073709551615.999999999s"),
    ] {
        let message = format!("time_window is {said}: it must be from 1 ms to a day");
        refused(of().time_window(span), "time_window", &message);
    }
    let room = "it must be a whole number from 1 to what the window has room for";
    for (builder, said) in [
        (of().minimum_calls(0), 0),
        (of().minimum_calls(101), 101),
        (of().count_window(10).minimum_calls(11), 11),
        (of().time_window(secs(1)).minimum_calls(0), 0),
        (of().time_window(secs(1)).minimum_calls(1_000_001), 1_000_001),
    ] {
        refused(builder, "minimum_calls", &format!("minimum_calls is {said}: {room}"));
    }
    for (value, said) in [(0, "0"), (501, "501"), (u32::MAX, "4294967295")] {
        let must = "it must be a whole number from 1 to 500";
        refused(of().count_window(value), "count_window", &format!("count_window is {said}: {must}"));
    }
    let calls = "it must be a whole number from half_open_successes to 1000";
    for (successes, value) in [(1, 0), (3, 2), (1, 1_001)] {
        let builder = of().half_open_successes(successes).half_open_calls(value);
        refused(builder, "half_open_calls", &format!("half_open_calls is {value}: {calls}"));
    }
    refused(of().probe_timeout(secs(0)), "probe_timeout", "probe_timeout is 0ns: it must be longer than zero");
    refused(of().open_for([]), "open_for", "open_for is empty: it must be a schedule of at least one open time");
    refused(
        of().open_for(Vec::new()),
        "open_for",
        "open_for is empty: it must be a schedule of at least one open time",
    );
}

#[test]
fn the_ends_of_each_range_are_taken() {
    let of = Breaker::builder;
    for builder in [
        of().consecutive_failures(1),
        of().consecutive_failures(1_000),
        of().failure_rate(f64::MIN_POSITIVE),
        of().failure_rate(1.0),
        of().slow_calls(Duration::from_nanos(1), 1.0),
        of().slow_calls(Duration::MAX, f64::MIN_POSITIVE),
        of().count_window(1),
        of().count_window(500).minimum_calls(500),
        of().time_window(ms(1)),
        of().time_window(secs(86_400)).minimum_calls(1_000_000),
        of().open_for([Duration::ZERO]),
        of().open_for([Duration::MAX]),
        of().max_hint(Duration::ZERO),
        of().max_hint(Duration::MAX),
        of().half_open_permits(1_000).half_open_successes(1_000).half_open_calls(1_000),
        of().probe_timeout(Duration::from_nanos(1)),
        of().probe_timeout(Duration::MAX),
        of().ramp(Duration::MAX),
    ] {
        let breaker = builder.build().unwrap();
        assert!(succeed(&breaker));
    }
}

proptest! {
    /// No numbers at all make it panic; it is refused, or it is a breaker.
    #[test]
    fn any_settings_are_refused_or_make_a_breaker(
        (consecutive, window, minimum, permits) in (0_u32..1_100, 0_u32..1_100, any::<u32>(), any::<u32>()),
        (successes, calls, rate, slow) in (0_u32..1_100, any::<u32>(), any::<f64>(), 0.0..1.5_f64),
        (span, threshold, timeout) in (any::<Duration>(), any::<Duration>(), any::<Duration>()),
        by_time in any::<bool>(),
    ) {
        let builder = Breaker::builder()
            .consecutive_failures(consecutive)
            .half_open_permits(permits % 1_100)
            .half_open_successes(successes)
            .probe_timeout(timeout);
        let builder = if calls % 2 == 0 { builder.half_open_calls(calls % 1_100) } else { builder };
        let builder = if rate.to_bits() % 2 == 0 { builder.failure_rate(rate) } else { builder };
        let builder = if slow > 0.5 { builder.slow_calls(threshold, slow) } else { builder };
        let builder = if by_time { builder.time_window(span) } else { builder.count_window(window) };
        let builder = if minimum % 2 == 0 { builder.minimum_calls(minimum % 1_100) } else { builder };
        match builder.build() {
            Ok(breaker) => {
                while fail(&breaker) {}
            }
            Err(invalid) => prop_assert!(invalid.to_string().starts_with(invalid.field())),
        }
    }
}
