//! Probes that do not answer: when their time is out, and what whoever is rejected meanwhile is told.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use evenkeel_breaker::{Breaker, Cause, State, Verdict};
use proptest::prelude::*;
use support::{Clock, by_hand, due, fail, ms, secs, succeed, wait};

/// Hazard 31.
#[test]
fn a_probe_that_never_answers_does_not_wedge_it() {
    for unasked in [secs(2), secs(3), secs(86_400), secs(86_400 * 365 * 100)] {
        let (breaker, clock, _) = due(|builder| builder.probe_timeout(secs(1)));
        let silent = breaker.try_acquire().unwrap();
        clock.advance(unasked);
        let probe = breaker.try_acquire().expect("time alone leads to a probe, at the first ask");
        assert!(probe.is_probe() && !silent.is_current());
        silent.success();
        assert_eq!(breaker.state(), State::HalfOpen, "it came too late");
        probe.success();
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn probes_that_never_answer_leave_a_free_slot_where_some_may_fail() {
    let (breaker, clock, log) =
        due(|b| b.half_open_permits(2).half_open_successes(2).half_open_calls(4).probe_timeout(secs(5)));
    let silent: Vec<_> = (0..2).map(|_| breaker.try_acquire().unwrap()).collect();
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), Some(secs(5)));
    clock.advance(secs(5));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.probes_out, snapshot.probe_failures, snapshot.state), (0, 2, State::HalfOpen));
    for probe in silent {
        probe.success();
    }
    assert!(log.heard().calls[1..].iter().all(|call| call.late), "their time was out");
    assert_eq!(breaker.snapshot().probe_successes, 0);
    assert!(succeed(&breaker) && succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed, "two of four");
}

#[test]
fn the_probe_timeout_is_the_open_time_before_unless_it_is_given() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(2), secs(8)]).build().unwrap();
    assert!(fail(&breaker));
    for open_for in [secs(2), secs(8), secs(8)] {
        assert_eq!(wait(&breaker, &clock), open_for);
        clock.advance(open_for);
        let probe = breaker.try_acquire().unwrap();
        clock.advance(open_for - ms(1));
        assert_eq!(breaker.state(), State::HalfOpen);
        clock.advance(ms(1));
        assert_eq!(breaker.state(), State::Open);
        drop(probe);
    }
    let (breaker, clock, _) = due(|builder| builder.probe_timeout(ms(10)));
    let _probe = breaker.try_acquire().unwrap();
    clock.advance(ms(9));
    assert_eq!(breaker.state(), State::HalfOpen);
    clock.advance(ms(1));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_probe_that_answers_at_its_timeout_is_late_and_just_before_it_is_not() {
    for (took, late, state) in [(ms(999), false, State::Closed), (ms(1_000), true, State::Open)] {
        let (breaker, clock, log) = due(|builder| builder);
        let probe = breaker.try_acquire().unwrap();
        clock.advance(took);
        probe.success();
        assert_eq!((log.last_call().late, breaker.state()), (late, state), "after {took:?}");
    }
}

#[test]
fn a_probe_that_timed_out_opened_it_when_its_time_was_out() {
    let (breaker, clock, log) = due(|builder| builder.probe_timeout(secs(3)));
    let _probe = breaker.try_acquire().unwrap();
    clock.advance(ms(3_400));
    assert_eq!(breaker.state(), State::Open);
    let last = *log.heard().transitions.last().unwrap();
    assert_eq!(last.cause, Cause::ProbeTimeout);
    assert_eq!(clock.now() - last.at, ms(400));
    assert_eq!(wait(&breaker, &clock), ms(600), "and from then on the open time counts");
}

#[test]
fn with_an_open_time_of_zero_a_probe_has_a_second() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(0)]).build().unwrap();
    assert!(fail(&breaker));
    let probe = breaker.try_acquire().expect("at once");
    assert_eq!(wait(&breaker, &clock), secs(1));
    clock.advance(ms(999));
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn when_to_come_back_counts_the_open_time_that_follows_a_silent_probe() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([2, 8, 30].map(secs)).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(2));
    let _silent = breaker.try_acquire().unwrap();
    // At its timeout it opens, so that is not when to come back.
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!((rejected.state(), rejected.retry_after()), (State::HalfOpen, Some(secs(2 + 8))));
    clock.advance(secs(2));
    assert_eq!(wait(&breaker, &clock), secs(8), "as it was said");
    clock.advance(secs(8));
    assert!(breaker.try_acquire().unwrap().is_probe());
}

#[test]
fn when_to_come_back_is_a_timeout_where_a_slot_is_free_then() {
    let (breaker, clock, _) = due(|b| b.half_open_permits(2).half_open_calls(2).probe_timeout(secs(4)));
    let _first = breaker.try_acquire().unwrap();
    clock.advance(secs(1));
    let _second = breaker.try_acquire().unwrap();
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), Some(secs(3)));
    clock.advance(secs(3));
    let _third = breaker.try_acquire().expect("one may fail");
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after(), Some(secs(1 + 1)), "and the second one opens it");
    clock.advance(secs(2));
    assert!(breaker.try_acquire().unwrap().is_probe());
    // Two at the same moment are two failures.
    let (breaker, clock, _) = due(|b| b.half_open_permits(2).half_open_calls(2).probe_timeout(secs(4)));
    let _both = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    assert_eq!(wait(&breaker, &clock), secs(4 + 1));
}

#[test]
fn a_silent_probe_does_not_hide_what_another_one_was_asked_for() {
    let (breaker, clock, _) = due(|b| b.half_open_permits(2).half_open_calls(2).probe_timeout(secs(4)));
    let asked = breaker.try_acquire().unwrap();
    let _silent = (breaker.try_acquire().unwrap(), asked.record(Verdict::failure().not_before(secs(60))));
    let _other = breaker.try_acquire().unwrap();
    assert_eq!(wait(&breaker, &clock), secs(60));
    clock.advance(secs(60));
    assert!(breaker.try_acquire().unwrap().is_probe());
}

proptest! {
    /// Whatever was left behind, it admits when it said that it would, and not a nanosecond before.
    #[test]
    fn it_admits_when_it_says_and_not_before(
        does in proptest::collection::vec((0_u64..4_000, 0_u8..4), 1..60),
        (permits, successes, more) in (1_u32..4, 1_u32..4, 0_u32..4),
        timeout in proptest::option::of(1_u64..5_000),
    ) {
        let (clock, builder) = (Clock::new(), Breaker::builder().consecutive_failures(1).open_for([1, 3, 9].map(secs)));
        let builder = builder.half_open_permits(permits).half_open_successes(successes);
        let builder = builder.half_open_calls(successes + more);
        let builder = if let Some(timeout) = timeout { builder.probe_timeout(ms(timeout)) } else { builder };
        let breaker = builder.clock(clock.reader()).build().unwrap();
        let mut left = Vec::new();
        for (after, ends) in does {
            match (breaker.try_acquire(), ends) {
                (Ok(permit), 0) => permit.success(),
                (Ok(permit), 1) => permit.record(Verdict::failure().not_before(ms(after))),
                (Ok(permit), _) => left.push(permit),
                (Err(rejected), _) => {
                    let ready_at = rejected.ready_at().unwrap();
                    prop_assert_eq!(Some(ready_at), breaker.ready_at());
                    if clock.now() + ms(after) >= ready_at {
                        let before = ready_at - Duration::from_nanos(1);
                        prop_assert!(breaker.try_acquire_at(before).is_err());
                        prop_assert!(breaker.try_acquire_at(ready_at).is_ok());
                    }
                }
            }
            clock.advance(ms(after));
        }
        clock.set(breaker.ready_at().unwrap() - support::origin());
        prop_assert!(breaker.try_acquire().is_ok());
    }
}
