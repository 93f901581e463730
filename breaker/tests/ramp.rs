//! After closing: a share of the calls that grows from a tenth to all.
#![cfg(not(loom))]

mod support;

use std::time::Instant;

use evenkeel_breaker::{Breaker, Cause, State};
use support::{Clock, Log, by_hand, fail, ms, secs, succeed};

const RAMP: u64 = 100;

fn ramping() -> (Breaker<impl Fn() -> Instant, Log>, Clock, Log) {
    let (builder, clock) = by_hand();
    let log = Log::default();
    let builder = builder.consecutive_failures(3).open_for([secs(1)]).ramp(secs(RAMP)).observe(log.clone());
    let breaker = builder.build().unwrap();
    assert!((0..3).all(|_| fail(&breaker)));
    clock.advance(secs(1));
    assert!(succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
    (breaker, clock, log)
}

#[test]
fn the_share_grows_from_a_tenth_to_all() {
    let (breaker, clock, _) = ramping();
    let from = clock.since();
    for (after, share) in [(0, 0.1), (25, 0.325), (50, 0.55), (75, 0.775), (100, 1.0), (1_000, 1.0)] {
        clock.set(from + secs(after));
        let admitted = breaker.snapshot().admitted_share;
        assert!((admitted - share).abs() < 1e-6, "{admitted} after {after} s");
    }
}

#[test]
fn so_many_are_admitted_exactly_and_evenly_spread() {
    for (after, share) in [(0, 0.1), (50, 0.55), (90, 0.91)] {
        let (breaker, clock, _) = ramping();
        clock.advance(secs(after));
        let admitted: Vec<bool> = (0..2_000).map(|_| succeed(&breaker)).collect();
        assert!(admitted[0], "the first one is admitted");
        let mut sum = 0.0;
        for (call, admitted) in admitted.iter().enumerate() {
            sum += f64::from(u8::from(*admitted));
            let due = share * (call + 1) as f64;
            assert!((due - 0.001..=due + 1.001).contains(&sum), "{sum} of {} at {share}", call + 1);
        }
    }
}

#[test]
fn over_the_whole_ramp_it_is_what_lies_under_the_line() {
    let (breaker, clock, _) = ramping();
    let calls = 20_000;
    let mut admitted = 0;
    for _ in 0..calls {
        admitted += u32::from(succeed(&breaker));
        clock.advance(secs(RAMP) / calls);
    }
    // From 0.1 to 1, so 0.55 on the whole, and one for the first.
    assert!((10_998..=11_003).contains(&admitted), "{admitted}");
    assert!((0..1_000).all(|_| succeed(&breaker)), "it is over");
}

#[test]
fn there_is_no_ramp_before_it_was_open_nor_unless_asked_for() {
    let (builder, _clock) = by_hand();
    let breaker = builder.ramp(secs(RAMP)).build().unwrap();
    assert!((0..1_000).all(|_| succeed(&breaker)));
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(1)]).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    assert!((0..1_000).all(|_| succeed(&breaker)));
}

#[test]
fn a_call_that_the_ramp_rejects_is_told_so() {
    let (breaker, clock, log) = ramping();
    assert!(succeed(&breaker));
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.state(), State::Closed);
    let wait = rejected.retry_after().unwrap();
    assert!(wait > ms(0) && wait <= secs(RAMP), "{wait:?}");
    assert_eq!(log.heard().rejected, [rejected]);
    // Just before its end, no longer than that.
    clock.advance(secs(RAMP) - ms(1));
    let rejected = (0..100_000).find_map(|_| breaker.try_acquire().err()).expect("one in a hundred thousand");
    assert_eq!(rejected.retry_after(), Some(ms(1)));
}

#[test]
fn while_it_ramps_it_is_judged_by_the_same_rules() {
    let (breaker, _, log) = ramping();
    let failures = (0..30).filter(|_| fail(&breaker)).count();
    assert_eq!(failures, 3, "of thirty calls that were offered");
    assert_eq!(log.way().last(), Some(&(State::Open, Cause::ConsecutiveFailures)));
    // Rejected calls do not count.
    let (breaker, ..) = ramping();
    assert!((0..10).filter(|_| fail(&breaker)).count() == 1);
    assert_eq!(breaker.snapshot().consecutive_failures, 1);
}

#[test]
fn a_reset_ends_a_ramp() {
    let (breaker, ..) = ramping();
    breaker.reset();
    assert!((0..1_000).all(|_| succeed(&breaker)));
}
