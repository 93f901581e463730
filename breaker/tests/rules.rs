//! When it opens: failures in a row, the share of failures, the share of slow calls, any of them.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use evenkeel_breaker::{Breaker, Cause, Outcome, State};
use support::{Log, by_hand, fail, failures_to_open, ms, secs, succeed};

#[test]
fn it_opens_at_the_nth_failure_in_a_row_and_not_before() {
    for most in [1, 2, 10, 1_000] {
        let breaker = Breaker::builder().consecutive_failures(most).build().unwrap();
        assert_eq!(failures_to_open(&breaker), most);
    }
}

#[test]
fn a_success_begins_the_row_anew_and_what_is_ignored_does_not() {
    let breaker = Breaker::builder().consecutive_failures(3).build().unwrap();
    for _ in 0..100 {
        assert!(fail(&breaker) && fail(&breaker) && succeed(&breaker));
    }
    assert!(fail(&breaker) && fail(&breaker));
    for _ in 0..5 {
        breaker.try_acquire().unwrap().record(Outcome::Ignored);
        breaker.try_acquire().unwrap().release();
        drop(breaker.try_acquire().unwrap());
    }
    assert_eq!(breaker.snapshot().consecutive_failures, 2);
    assert!(fail(&breaker));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_rule_about_a_row_alone_does_not_look_at_shares() {
    let breaker = Breaker::builder().consecutive_failures(10).build().unwrap();
    for _ in 0..200 {
        assert!((0..9).all(|_| fail(&breaker)) && succeed(&breaker));
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn it_opens_when_the_share_of_failures_is_reached_exactly() {
    for (rate, window, failures) in
        [(0.5, 10, 5), (0.7, 10, 7), (0.3, 10, 3), (1.0, 10, 10), (0.35, 20, 7), (0.001, 10, 1)]
    {
        let builder = Breaker::builder().failure_rate(rate).count_window(window).minimum_calls(window);
        let breaker = builder.build().unwrap();
        // A full window, the failures last, and the last of them decides.
        assert!((0..window - failures).all(|_| succeed(&breaker)));
        assert!((0..failures - 1).all(|_| fail(&breaker)));
        assert_eq!(breaker.state(), State::Closed, "{rate}");
        assert!(fail(&breaker));
        assert_eq!(breaker.state(), State::Open, "{rate}");
    }
}

#[test]
fn no_share_is_judged_before_the_minimum_of_calls() {
    let log = Log::default();
    let builder = Breaker::builder().failure_rate(0.1).count_window(100).minimum_calls(20).observe(log.clone());
    let breaker = builder.build().unwrap();
    assert!((0..19).all(|_| fail(&breaker)));
    assert_eq!((breaker.state(), breaker.snapshot().failures), (State::Closed, 19));
    assert!(fail(&breaker));
    assert_eq!(log.way(), [(State::Open, Cause::FailureRate)]);
}

#[test]
fn a_success_that_reaches_the_minimum_opens_when_the_share_is_reached() {
    let log = Log::default();
    let breaker = Breaker::builder().failure_rate(0.5).minimum_calls(4).observe(log.clone()).build().unwrap();
    assert!(fail(&breaker) && fail(&breaker) && succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
    assert!(succeed(&breaker));
    assert_eq!(log.way(), [(State::Open, Cause::FailureRate)]);
}

#[test]
fn a_minimum_left_out_fits_a_small_window() {
    let breaker = Breaker::builder().failure_rate(1.0).count_window(5).build().unwrap();
    assert_eq!(failures_to_open(&breaker), 5);
    let breaker = Breaker::builder().failure_rate(1.0).count_window(50).build().unwrap();
    assert_eq!(failures_to_open(&breaker), Breaker::DEFAULT_MINIMUM_CALLS);
}

#[test]
fn a_call_is_slow_from_the_threshold_on_whatever_it_comes_to() {
    for outcome in [Outcome::Success, Outcome::Failure] {
        for (took, slow) in [(ms(999), 0), (ms(1_000), 1), (ms(1_001), 1), (Duration::from_secs(86_400), 1)] {
            let (builder, clock) = by_hand();
            let breaker = builder.slow_calls(secs(1), 1.0).minimum_calls(2).build().unwrap();
            let permit = breaker.try_acquire().unwrap();
            clock.advance(took);
            permit.record(outcome);
            assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow), (1, slow), "{outcome:?} after {took:?}");
        }
    }
}

#[test]
fn it_opens_at_the_share_of_slow_calls() {
    let (builder, clock) = by_hand();
    let log = Log::default();
    let builder = builder.slow_calls(secs(1), 0.5).count_window(10).minimum_calls(10).observe(log.clone());
    let breaker = builder.build().unwrap();
    for call in 0..10 {
        assert_eq!(breaker.state(), State::Closed);
        let permit = breaker.try_acquire().unwrap();
        clock.advance(if call < 5 { secs(1) } else { ms(10) });
        permit.success();
    }
    assert_eq!(log.way(), [(State::Open, Cause::SlowRate)]);
}

#[test]
fn failures_that_are_fast_do_not_open_by_the_slow_rule() {
    let (builder, _clock) = by_hand();
    let breaker = builder.slow_calls(secs(1), 0.1).build().unwrap();
    assert!((0..200).all(|_| fail(&breaker)));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn any_of_the_rules_opens_and_says_which() {
    let built = || {
        let (builder, clock) = by_hand();
        let log = Log::default();
        let builder = builder.consecutive_failures(5).failure_rate(0.5).slow_calls(secs(1), 0.5).minimum_calls(8);
        (builder.observe(log.clone()).build().unwrap(), clock, log)
    };

    let (breaker, _, log) = built();
    assert_eq!(failures_to_open(&breaker), 5);
    assert_eq!(log.way(), [(State::Open, Cause::ConsecutiveFailures)]);

    let (breaker, _, log) = built();
    assert!((0..4).all(|_| fail(&breaker) && succeed(&breaker)));
    assert_eq!(log.way(), [(State::Open, Cause::FailureRate)]);

    let (breaker, clock, log) = built();
    for _ in 0..8 {
        let permit = breaker.try_acquire().unwrap();
        clock.advance(secs(1));
        permit.success();
    }
    assert_eq!(log.way(), [(State::Open, Cause::SlowRate)]);
}

#[test]
fn with_no_rule_chosen_it_has_the_default_ones() {
    let breaker = Breaker::new();
    assert_eq!(failures_to_open(&breaker), Breaker::DEFAULT_CONSECUTIVE_FAILURES);
    let breaker = Breaker::new();
    assert!((0..10).all(|_| succeed(&breaker) && fail(&breaker)));
    assert_eq!(breaker.state(), State::Open, "half of the minimum of calls");
    let breaker = Breaker::builder().slow_calls(secs(1), 1.0).build().unwrap();
    assert!((0..100).all(|_| fail(&breaker)), "a rule that is chosen stands alone");
}
