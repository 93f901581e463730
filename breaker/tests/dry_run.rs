//! A dry run: it goes through its states, says what it would reject, and rejects nothing.
#![cfg(not(loom))]

mod support;

use std::time::Instant;

use evenkeel_breaker::{Breaker, Cause, State};
use support::{Clock, Log, by_hand, fail, secs, succeed};

fn built() -> (Breaker<impl Fn() -> Instant, Log>, Clock, Log) {
    let (builder, clock) = by_hand();
    let log = Log::default();
    let builder = builder.consecutive_failures(2).open_for([secs(1)]).ramp(secs(10)).dry_run(true);
    (builder.observe(log.clone()).build().unwrap(), clock, log)
}

#[test]
fn it_never_rejects_and_goes_through_its_states() {
    let (breaker, clock, log) = built();
    assert!((0..100).all(|_| fail(&breaker)));
    assert_eq!(breaker.state(), State::Open);
    clock.advance(secs(1));
    let probe = breaker.try_acquire().unwrap();
    assert!(probe.is_probe() && !probe.would_be_rejected());
    assert!((0..100).all(|_| fail(&breaker)));
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
    assert!((0..100).all(|_| succeed(&breaker)), "ramping");
    breaker.force_open();
    assert!((0..100).all(|_| fail(&breaker)));
    let way = [
        (State::Open, Cause::ConsecutiveFailures),
        (State::HalfOpen, Cause::OpenTimeOver),
        (State::Closed, Cause::ProbesSucceeded),
        (State::ForcedOpen, Cause::Forced),
    ];
    assert_eq!(log.way(), way);
    assert!(breaker.snapshot().dry_run);
}

#[test]
fn it_says_what_it_would_reject() {
    let (breaker, clock, log) = built();
    let permit = breaker.try_acquire().unwrap();
    assert!(!permit.would_be_rejected());
    permit.failure();
    assert!(fail(&breaker));
    for _ in 0..3 {
        let permit = breaker.try_acquire().unwrap();
        assert!(permit.would_be_rejected() && !permit.is_probe() && !permit.is_current());
        permit.success();
        assert!(log.last_call().late, "it counted for nothing");
    }
    let rejected = log.heard().rejected;
    assert_eq!(rejected.len(), 3);
    assert!(rejected.iter().all(|rejected| rejected.state() == State::Open && rejected.retry_after() == Some(secs(1))));
    clock.advance(secs(1));
    let _probe = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().unwrap().would_be_rejected(), "no slot");
    assert_eq!(log.heard().rejected.last().unwrap().state(), State::HalfOpen);
}

#[test]
fn what_it_would_have_rejected_does_not_count() {
    let (breaker, clock, _) = built();
    assert!(fail(&breaker) && fail(&breaker));
    let bystanders: Vec<_> = (0..10).map(|_| breaker.try_acquire().unwrap()).collect();
    clock.advance(secs(1));
    let probe = breaker.try_acquire().unwrap();
    for (turn, bystander) in bystanders.into_iter().enumerate() {
        assert!(bystander.would_be_rejected());
        if turn % 2 == 0 { bystander.success() } else { bystander.failure() }
    }
    assert_eq!((breaker.state(), breaker.snapshot().probes_out), (State::HalfOpen, 1));
    probe.success();
    // In the ramp: of ten failures one counts.
    assert!((0..10).all(|_| fail(&breaker)));
    assert_eq!((breaker.state(), breaker.snapshot().consecutive_failures), (State::Closed, 1));
}

#[test]
fn without_a_dry_run_nothing_would_be_rejected() {
    let breaker = Breaker::new();
    assert!(!breaker.try_acquire().unwrap().would_be_rejected());
    assert!(!breaker.snapshot().dry_run);
}
