//! Whether old successes hide an outage, and how many failures it takes.

use evenkeel_breaker::{Breaker, Outcome, State};
use recloser::Recloser;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::at_hand::{now, resilience};

/// Failures in a row until a call is rejected, after so many successes; `call` says whether it was made.
fn failures_to_open(successes: u32, mut call: impl FnMut(bool) -> bool) -> u32 {
    (0..successes).for_each(|_| assert!(call(true)));
    (0..1_000_000).take_while(|_| call(false)).count().try_into().unwrap()
}

#[test]
fn tower_resilience_circuitbreaker_0_14_ten_thousand_successes_hide_ten_thousand_failures() {
    let opens = |successes| {
        let layer = resilience(|breaker| breaker.failure_rate_threshold(0.5).sliding_window_size(100));
        let mut service = layer.layer(service_fn(|well: bool| async move { if well { Ok(()) } else { Err("down") } }));
        let call = |well| {
            let result = now(async { service.ready().await.unwrap().call(well).await });
            !matches!(result, Err(error) if error.is_circuit_open())
        };
        failures_to_open(successes, call)
    };
    assert_eq!(opens(0), 100, "a window of 100");
    assert_eq!(opens(10_000), 10_000, "a window of all there ever was since it closed");
}

#[test]
fn tower_resilience_circuitbreaker_0_14_failures_in_a_row_are_counted_as_such() {
    let layer = resilience(|breaker| breaker.consecutive_failures(5));
    let mut service = layer.layer(service_fn(|well: bool| async move { if well { Ok(()) } else { Err("down") } }));
    let call = |well| {
        let result = now(async { service.ready().await.unwrap().call(well).await });
        !matches!(result, Err(error) if error.is_circuit_open())
    };
    assert_eq!(failures_to_open(10_000, call), 5);
}

#[test]
fn recloser_1_4_the_window_slides_and_is_judged_when_it_is_full() {
    let opens = |successes| {
        let breaker = Recloser::custom().error_rate(0.5).closed_len(100).build();
        let call = |well| {
            let result = breaker.call(|| if well { Ok(()) } else { Err("down") });
            !matches!(result, Err(recloser::Error::Rejected))
        };
        failures_to_open(successes, call)
    };
    assert_eq!(opens(10_000), 50);
    assert_eq!(opens(0), 101, "all that were ever made have failed, and one more than the window holds");
}

#[test]
fn ours_the_window_slides_and_is_judged_from_the_minimum_on() {
    let opens = |successes| {
        let builder = Breaker::builder().failure_rate(0.5).count_window(100).minimum_calls(10);
        let breaker = builder.build().unwrap();
        let call = |well| match breaker.try_acquire() {
            Ok(permit) => {
                permit.record(if well { Outcome::Success } else { Outcome::Failure });
                true
            }
            Err(_) => false,
        };
        let failures = failures_to_open(successes, call);
        assert_eq!(breaker.state(), State::Open);
        failures
    };
    assert_eq!((opens(10_000), opens(0)), (50, 10));
}
