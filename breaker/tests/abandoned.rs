//! Calls that nobody says the end of: dropped, released, unwound.
#![cfg(not(loom))]

mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use evenkeel_breaker::{Abandoned, Outcome, State};
use support::{Log, by_hand, ms, secs};

/// Hazard 34.
#[test]
fn calls_that_an_outer_timeout_drops_are_counted_when_so_configured() {
    for (abandoned, took, opens) in [
        (Abandoned::Ignored, secs(60), false),
        (Abandoned::Failure, Duration::ZERO, true),
        (Abandoned::Failure, secs(60), true),
        (Abandoned::FailureAfter(secs(1)), ms(999), false),
        (Abandoned::FailureAfter(secs(1)), ms(1_000), true),
        (Abandoned::FailureAfter(secs(1)), secs(60), true),
        (Abandoned::FailureAfter(Duration::ZERO), Duration::ZERO, true),
        (Abandoned::FailureAfter(Duration::MAX), secs(86_400 * 365), false),
    ] {
        let (builder, clock) = by_hand();
        let log = Log::default();
        let breaker = builder.consecutive_failures(3).abandoned(abandoned).observe(log.clone()).build().unwrap();
        for call in 0..3 {
            assert_eq!(breaker.state(), State::Closed, "{abandoned:?} after {call} of {took:?}");
            let permit = breaker.try_acquire().unwrap();
            clock.advance(took);
            drop(permit);
            let (outcome, heard) = (if opens { Outcome::Failure } else { Outcome::Ignored }, log.last_call());
            assert_eq!((heard.outcome, heard.abandoned, heard.late), (outcome, true, false));
        }
        assert_eq!(breaker.state() == State::Open, opens, "{abandoned:?} after {took:?}");
    }
}

#[test]
fn a_permit_is_abandoned_at_the_time_that_is_given() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).abandoned(Abandoned::FailureAfter(secs(1))).build().unwrap();
    breaker.try_acquire().unwrap().abandon_at(clock.now() + ms(999));
    assert_eq!(breaker.state(), State::Closed);
    breaker.try_acquire().unwrap().abandon_at(clock.now() + secs(1));
    assert_eq!(breaker.state(), State::Open);
}

/// Hazard 35.
#[test]
fn a_call_that_panics_leaks_no_permit_and_is_a_failure_whatever_an_abandoned_one_is() {
    for abandoned in [Abandoned::Ignored, Abandoned::Failure, Abandoned::FailureAfter(secs(1))] {
        let (builder, clock) = by_hand();
        let log = Log::default();
        let builder = builder.consecutive_failures(2).open_for([secs(1)]).abandoned(abandoned).observe(log.clone());
        let breaker = builder.build().unwrap();
        let panics = || {
            let call = AssertUnwindSafe(|| {
                let _permit = breaker.try_acquire().unwrap();
                resume_unwind(Box::new("the call panicked"));
            });
            assert!(catch_unwind(call).is_err());
            assert_eq!((log.last_call().outcome, log.last_call().abandoned), (Outcome::Failure, true));
        };
        panics();
        assert_eq!(breaker.state(), State::Closed);
        panics();
        assert_eq!(breaker.state(), State::Open);
        // As a probe it gives its slot back.
        for _ in 0..10 {
            clock.advance(secs(1));
            panics();
            assert_eq!(breaker.state(), State::Open);
        }
    }
}

#[test]
fn a_permit_that_is_released_counts_for_nothing_and_is_not_heard_of() {
    let (builder, clock) = by_hand();
    let log = Log::default();
    let builder = builder.consecutive_failures(1).open_for([secs(1)]).abandoned(Abandoned::Failure);
    let breaker = builder.observe(log.clone()).build().unwrap();
    breaker.try_acquire().unwrap().release();
    assert_eq!((breaker.state(), log.heard().calls.len()), (State::Closed, 0));
    drop(breaker.try_acquire().unwrap());
    clock.advance(secs(1));
    for _ in 0..10 {
        breaker.try_acquire().expect("the slot is free").release();
    }
    assert_eq!((breaker.state(), log.heard().calls.len()), (State::HalfOpen, 1));
}

#[test]
fn a_permit_that_holds_a_handle_goes_to_another_thread() {
    let (builder, _clock) = by_hand();
    let breaker = builder.consecutive_failures(1).build().unwrap();
    let permit = breaker.try_acquire_owned().unwrap();
    std::thread::spawn(move || permit.failure()).join().unwrap();
    assert_eq!(breaker.state(), State::Open);
}
