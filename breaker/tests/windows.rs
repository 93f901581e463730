//! Which results count: the last so many, or those of so long.
#![cfg(not(loom))]

mod support;

use evenkeel_breaker::{Breaker, State};
use support::{by_hand, fail, failures_to_open, ms, secs, succeed};

/// Hazard 27: the window does not slide, and old successes hide an outage.
#[test]
fn ten_thousand_successes_do_not_hide_an_outage() {
    for warmup in [0, 1, 49, 99, 100, 101, 150, 10_000] {
        let breaker = Breaker::builder().failure_rate(0.5).count_window(100).minimum_calls(20).build().unwrap();
        assert!((0..warmup).all(|_| succeed(&breaker)));
        let results = warmup.min(100);
        // As many as make half of a window with the successes that are left in it, and no fewer than the minimum.
        let expected = results.min(50).max(20 - results.min(20)).max(1);
        assert_eq!(failures_to_open(&breaker), expected, "after {warmup} successes");
    }
}

#[test]
fn after_any_number_of_successes_a_windows_share_of_failures_in_a_row_opens() {
    for (window, rate, failures) in
        [(10, 0.5, 5), (500, 0.25, 125), (7, 0.5, 4), (1, 1.0, 1), (64, 1.0, 64), (65, 1.0, 65)]
    {
        let builder = Breaker::builder().failure_rate(rate).count_window(window).minimum_calls(window);
        for successes in [window, window + 1, 2 * window + 3, 5_000] {
            let breaker = builder.clone().build().unwrap();
            assert!((0..successes).all(|_| succeed(&breaker)));
            assert_eq!(failures_to_open(&breaker), failures, "a window of {window} after {successes} successes");
        }
    }
}

#[test]
fn a_count_window_forgets_failures_one_by_one() {
    let breaker = Breaker::builder().failure_rate(0.5).count_window(10).minimum_calls(10).build().unwrap();
    assert!((0..4).all(|_| fail(&breaker)));
    let mut failures = vec![4];
    for _ in 0..14 {
        assert!(succeed(&breaker));
        failures.push(breaker.snapshot().failures);
    }
    assert_eq!(failures, [4, 4, 4, 4, 4, 4, 4, 3, 2, 1, 0, 0, 0, 0, 0]);
    assert_eq!(breaker.snapshot().calls, 10);
}

#[test]
fn a_count_window_does_not_forget_with_time() {
    let (builder, clock) = by_hand();
    let breaker = builder.failure_rate(0.5).minimum_calls(2).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1_000_000));
    assert!(fail(&breaker));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_time_window_forgets_to_the_slot() {
    let (builder, clock) = by_hand();
    let breaker = builder.failure_rate(1.0).time_window(secs(10)).minimum_calls(100).build().unwrap();
    // One result in the middle of each of ten slots of a second.
    for slot in 0..10 {
        clock.set(secs(slot) + ms(500));
        assert!(fail(&breaker));
        assert_eq!(u64::from(breaker.snapshot().calls), slot + 1);
    }
    for slot in 10..25 {
        clock.set(secs(slot) - ms(1));
        assert_eq!(u64::from(breaker.snapshot().calls), 20 - slot.min(20), "just before the slot {slot}");
        clock.set(secs(slot));
        assert_eq!(u64::from(breaker.snapshot().calls), 19 - slot.min(19), "in the slot {slot}");
    }
}

#[test]
fn a_result_in_a_time_window_counts_for_its_span_at_most_and_nine_tenths_of_it_at_least() {
    for offset in 0..10 {
        let (builder, clock) = by_hand();
        let breaker = builder.failure_rate(1.0).time_window(secs(10)).minimum_calls(2).build().unwrap();
        clock.set(ms(100 * offset));
        assert!(fail(&breaker));
        clock.advance(secs(9));
        assert_eq!(breaker.snapshot().calls, 1);
        clock.advance(secs(1));
        assert_eq!(breaker.snapshot().calls, 0);
    }
}

#[test]
fn a_time_window_skips_slots_in_which_nothing_happened() {
    let (builder, clock) = by_hand();
    let breaker = builder.failure_rate(0.5).time_window(secs(10)).minimum_calls(4).build().unwrap();
    assert!((0..3).all(|_| fail(&breaker)));
    // To the same place of any ring, some turns later.
    for turn in [10, 20, 110, 1_000, 1_000_000] {
        clock.advance(secs(turn));
        assert!((0..3).all(|_| fail(&breaker)), "the old ones are gone");
        assert_eq!((breaker.snapshot().calls, breaker.state()), (3, State::Closed));
    }
    assert!(fail(&breaker));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn old_successes_in_a_time_window_do_not_hide_an_outage() {
    let (builder, clock) = by_hand();
    let breaker = builder.failure_rate(0.5).time_window(secs(10)).minimum_calls(20).build().unwrap();
    assert!((0..10_000).all(|_| succeed(&breaker)));
    clock.advance(secs(10));
    assert_eq!(failures_to_open(&breaker), 20);
}

#[test]
fn a_transition_empties_the_window() {
    for time in [false, true] {
        let (builder, clock) = by_hand();
        let builder = builder.failure_rate(0.5).minimum_calls(10).open_for([secs(1)]);
        let builder = if time { builder.time_window(secs(60)) } else { builder.count_window(100) };
        let breaker = builder.build().unwrap();
        assert_eq!(failures_to_open(&breaker), 10);
        clock.advance(secs(1));
        assert!(succeed(&breaker));
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.calls, snapshot.failures), (State::Closed, 0, 0));
        assert_eq!(failures_to_open(&breaker), 10);
    }
}
