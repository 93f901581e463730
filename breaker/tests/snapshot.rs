//! What it shows of itself: `snapshot`, `state`, `ready_at`, and what a rejection says.
#![cfg(not(loom))]

mod support;

use std::{error::Error as _, io};

use evenkeel_breaker::{Breaker, Error, State};
use support::{by_hand, fail, ms, secs, succeed};

#[test]
fn each_state_shows_what_it_holds() {
    let (builder, clock) = by_hand();
    let builder = builder
        .consecutive_failures(4)
        .failure_rate(0.5)
        .slow_calls(secs(1), 0.9)
        .minimum_calls(6)
        .open_for([secs(10)]);
    let builder = builder.half_open_permits(2).half_open_successes(2).half_open_calls(3);
    let breaker = builder.build().unwrap();
    let built = clock.now();

    let shown = breaker.snapshot();
    assert_eq!((shown.state, shown.period, shown.since, shown.ready_at), (State::Closed, 0, built, Some(built)));
    assert_eq!((shown.calls, shown.failures, shown.slow, shown.consecutive_failures), (0, 0, 0, 0));
    assert_eq!((shown.admitted_share, shown.dry_run), (1.0, false));

    let permit = breaker.try_acquire().unwrap();
    clock.advance(secs(2));
    permit.success();
    assert!(succeed(&breaker) && succeed(&breaker) && fail(&breaker) && fail(&breaker));
    let shown = breaker.snapshot();
    assert_eq!((shown.calls, shown.failures, shown.slow, shown.consecutive_failures), (5, 2, 1, 2));
    assert_eq!((shown.since, shown.ready_at), (built, Some(clock.now())));

    assert!(fail(&breaker));
    let opened = clock.now();
    clock.advance(secs(3));
    let shown = breaker.snapshot();
    assert_eq!((shown.state, shown.period, shown.since), (State::Open, 1, opened));
    assert_eq!((shown.ready_at, shown.admitted_share), (Some(opened + secs(10)), 0.0));
    assert_eq!((shown.calls, shown.failures, shown.slow, shown.consecutive_failures), (0, 0, 0, 0));

    clock.advance(secs(7));
    let first = breaker.try_acquire().unwrap();
    let shown = breaker.snapshot();
    assert_eq!((shown.state, shown.period, shown.since), (State::HalfOpen, 2, clock.now()));
    assert_eq!((shown.probes_out, shown.probe_successes, shown.probe_failures), (1, 0, 0));
    assert_eq!((shown.ready_at, shown.admitted_share), (Some(clock.now()), 1.0), "there is a slot");
    clock.advance(ms(500));
    let second = breaker.try_acquire().unwrap();
    let shown = breaker.snapshot();
    assert_eq!(shown.probes_out, 2);
    assert_eq!((shown.ready_at, shown.admitted_share), (Some(clock.now() + ms(9_500)), 0.0), "the first one's timeout");
    first.success();
    second.failure();
    let shown = breaker.snapshot();
    assert_eq!((shown.probes_out, shown.probe_successes, shown.probe_failures), (0, 1, 1));

    assert!(succeed(&breaker));
    let shown = breaker.snapshot();
    assert_eq!((shown.state, shown.period, shown.probe_successes), (State::Closed, 3, 0));

    breaker.force_open();
    let shown = breaker.snapshot();
    assert_eq!((shown.state, shown.ready_at, shown.admitted_share), (State::ForcedOpen, None, 0.0));
    breaker.force_closed();
    assert!(fail(&breaker));
    let shown = breaker.snapshot();
    assert_eq!((shown.state, shown.admitted_share), (State::ForcedClosed, 1.0));
    assert_eq!((shown.ready_at, shown.calls, shown.consecutive_failures), (Some(clock.now()), 0, 0));
}

#[test]
fn without_a_rule_about_a_share_there_is_no_window_to_show() {
    let breaker = Breaker::builder().consecutive_failures(10).build().unwrap();
    assert!(succeed(&breaker) && fail(&breaker));
    let shown = breaker.snapshot();
    assert_eq!((shown.calls, shown.failures, shown.consecutive_failures), (0, 0, 1));
}

#[test]
fn failures_in_a_row_are_shown_where_there_is_a_rule_about_them() {
    let builder = Breaker::builder().failure_rate(1.0).time_window(secs(86_400)).minimum_calls(10_000);
    let breaker = builder.clone().consecutive_failures(1_000).build().unwrap();
    assert!((0..999).all(|_| fail(&breaker)));
    assert_eq!((breaker.snapshot().consecutive_failures, breaker.snapshot().failures), (999, 999));
    let breaker = builder.build().unwrap();
    assert!((0..999).all(|_| fail(&breaker)));
    assert_eq!(
        (breaker.snapshot().consecutive_failures, breaker.snapshot().failures),
        (0, 999),
        "where there is a rule"
    );
}

#[test]
fn looking_changes_nothing_but_what_time_has_changed_already() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(1)]).build().unwrap();
    assert!(fail(&breaker));
    let opened = clock.now();
    clock.advance(secs(5));
    for _ in 0..3 {
        assert_eq!((breaker.state(), breaker.snapshot().period), (State::Open, 1));
        assert_eq!(breaker.ready_at(), Some(clock.now()), "at once, though the state is open until somebody asks");
    }
    assert_eq!(breaker.snapshot_at(opened).ready_at, Some(opened + secs(1)));
    let _probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state_at(clock.now() + ms(999)), State::HalfOpen);
    assert_eq!(breaker.state_at(clock.now() + secs(1)), State::Open);
}

#[test]
fn a_rejection_says_what_it_was_and_when_to_come_back() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([ms(12_340)]).build().unwrap();
    assert!(fail(&breaker));
    let ready_at = clock.now() + ms(12_340);
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.to_string(), "not called: the circuit breaker is open (come back in 12.3s)");
    assert_eq!((rejected.state(), rejected.ready_at()), (State::Open, Some(ready_at)));
    clock.advance(secs(10));
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!((rejected.retry_after(), rejected.ready_at()), (Some(ms(2_340)), Some(ready_at)));
    clock.advance(ms(2_340));
    let _probe = breaker.try_acquire().unwrap();
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.to_string(), "not called: the circuit breaker is half-open (come back in 24.7s)");
    breaker.force_open();
    let rejected = breaker.try_acquire_owned().unwrap_err();
    assert_eq!(rejected.to_string(), "not called: the circuit breaker is forced open");
    assert_eq!((rejected.ready_at(), rejected.retry_after()), (None, None));
}

#[test]
fn an_error_is_the_rejection_or_the_calls_own_and_says_nothing_twice() {
    let breaker = Breaker::new();
    breaker.force_open();
    let rejected = breaker.try_acquire().unwrap_err();
    let open: Error<io::Error> = rejected.into();
    assert!(open.is_open() && open.rejected() == Some(&rejected) && open.source().is_none());
    assert_eq!(open.to_string(), rejected.to_string());
    assert!(open.into_inner().is_none());
    let inner = Error::Inner(io::Error::other("reset by peer"));
    assert!(!inner.is_open() && inner.rejected().is_none());
    assert_eq!(inner.to_string(), "the call through the circuit breaker failed");
    assert_eq!(inner.source().unwrap().to_string(), "reset by peer");
    assert_eq!(inner.into_inner().unwrap().to_string(), "reset by peer");
}
