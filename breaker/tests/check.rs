//! Looking whether it is of use to ask: the answer of `try_acquire`, without what comes of it.
#![cfg(not(loom))]

mod map_support;
mod support;

use std::time::{Duration, Instant};

use evenkeel_breaker::{Breaker, BreakerObserver, Permit, Rejected, Snapshot, State};
use support::{Log, by_hand, due, fail, ms, secs, succeed};

/// All that can be seen of it but the time.
fn seen<C: Fn() -> Instant>(breaker: &Breaker<C, Log>, log: &Log) -> (State, Snapshot, usize, usize, usize) {
    let heard = log.heard();
    (breaker.state(), breaker.snapshot(), heard.transitions.len(), heard.calls.len(), heard.rejected.len())
}

/// Looks often, and sees that it changes nothing.
fn look<C: Fn() -> Instant>(breaker: &Breaker<C, Log>, log: &Log) -> Result<(), Rejected> {
    let before = seen(breaker, log);
    let answer = breaker.check();
    for _ in 0..100 {
        assert_eq!(breaker.check(), answer);
    }
    assert_eq!(seen(breaker, log), before);
    answer
}

/// What asking would have been answered, which ends as if nobody had asked.
fn asked<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>) -> Result<(), Rejected> {
    breaker.try_acquire().map(Permit::release)
}

#[test]
fn while_it_is_closed_it_is_of_use_and_the_clock_is_not_read() {
    let (builder, clock) = by_hand();
    let log = Log::default();
    let breaker = builder.consecutive_failures(3).time_window(secs(1)).observe(log.clone()).build().unwrap();
    assert!(fail(&breaker) && fail(&breaker));
    assert_eq!(look(&breaker, &log), Ok(()));
    let reads = clock.reads();
    assert_eq!(breaker.check(), Ok(()));
    assert_eq!(clock.reads(), reads);
}

#[test]
fn while_it_is_open_it_says_when_to_come_back() {
    let (breaker, clock, log) = due(|builder| builder);
    for (since, wait) in [(secs(0), secs(1)), (ms(400), ms(600)), (secs(1) - NANO, NANO)] {
        clock.set(since);
        let rejected = look(&breaker, &log).unwrap_err();
        assert_eq!((rejected.state(), rejected.retry_after()), (State::Open, Some(wait)));
        assert_eq!(Err(rejected), asked(&breaker), "as one who asks is told");
    }
}

#[test]
fn when_a_probe_would_be_admitted_it_is_of_use_and_the_slot_stays_free() {
    let (breaker, _, log) = due(|builder| builder);
    assert_eq!(look(&breaker, &log), Ok(()));
    assert_eq!(breaker.state(), State::Open, "nobody has asked");
    assert!(breaker.try_acquire().unwrap().is_probe());
}

#[test]
fn while_all_probes_are_out_it_is_of_no_use() {
    let (breaker, _, log) = due(|builder| builder.half_open_permits(2).probe_timeout(secs(10)));
    let first = breaker.try_acquire().unwrap();
    assert_eq!(look(&breaker, &log), Ok(()), "there is another slot");
    let second = breaker.try_acquire().unwrap();
    let rejected = look(&breaker, &log).unwrap_err();
    assert_eq!(rejected.state(), State::HalfOpen);
    assert_eq!(Err(rejected), asked(&breaker));
    drop(first);
    assert_eq!(look(&breaker, &log), Ok(()), "one is free again");
    second.success();
    assert_eq!(look(&breaker, &log), Ok(()), "it has closed");
}

#[test]
fn a_probe_that_is_out_for_too_long_has_failed_when_somebody_looks() {
    let (breaker, clock, _) = due(|builder| builder.probe_timeout(secs(10)));
    let probe = breaker.try_acquire().unwrap();
    clock.advance(secs(10));
    assert_eq!(breaker.check().unwrap_err().state(), State::Open);
    drop(probe);
}

#[test]
fn what_is_forced_is_as_it_was_forced() {
    let (breaker, _, log) = due(|builder| builder);
    breaker.force_open();
    let rejected = look(&breaker, &log).unwrap_err();
    assert_eq!((rejected.state(), rejected.retry_after()), (State::ForcedOpen, None));
    breaker.force_closed();
    assert_eq!(look(&breaker, &log), Ok(()));
    breaker.reset();
    assert_eq!(look(&breaker, &log), Ok(()));
}

#[test]
fn a_dry_run_rejects_nobody_and_so_it_is_always_of_use() {
    let (breaker, clock, log) = due(|builder| builder.dry_run(true));
    for since in [0, 1, 60].map(secs) {
        clock.set(since);
        assert_eq!(look(&breaker, &log), Ok(()));
    }
    breaker.force_open();
    assert_eq!(look(&breaker, &log), Ok(()));
}

#[test]
fn while_it_is_ramping_it_is_of_use() {
    let (breaker, _, log) = due(|builder| builder.ramp(secs(10)));
    assert!(succeed(&breaker));
    assert_eq!(look(&breaker, &log), Ok(()));
    assert!((0..100).any(|_| asked(&breaker).is_err()), "but it may reject all the same");
}

#[test]
fn it_goes_by_the_time_that_it_is_given() {
    let (breaker, clock, _) = due(|builder| builder);
    let since = clock.now();
    let reads = clock.reads();
    assert_eq!(breaker.check_at(since), Ok(()));
    assert_eq!(breaker.check_at(since - NANO).unwrap_err().retry_after(), Some(NANO));
    assert_eq!(clock.reads(), reads);
}

#[test]
fn a_map_looks_at_the_breaker_of_the_key_and_makes_none() {
    let (map, now) = map_support::map(10);
    assert_eq!(map.check_at("acme", now), Ok(()));
    assert_eq!(map.check("acme"), Ok(()));
    assert!(map.is_empty(), "a key that nobody has asked for");

    map_support::fail(&map.breaker_at("acme", now), now);
    assert_eq!(map.check_at("acme", now).unwrap_err().state(), State::Open);
    assert_eq!(map.check_at("umbrella", now), Ok(()));
    assert_eq!(map.check_at("acme", now + map_support::OPEN), Ok(()), "a probe would be admitted");
    assert_eq!((map.len(), map.get("acme").unwrap().state_at(now)), (1, State::Open));
}

const NANO: Duration = Duration::from_nanos(1);
