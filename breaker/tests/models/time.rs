//! The time window: every result is gathered once, whatever turns meanwhile.

use std::time::Instant;

use evenkeel_breaker::State;

use super::{SECOND, Tested, breaker, in_thread, model};

/// Ten ticks of a second.
fn of(minimum: u32, rate: f64) -> (Tested, Instant) {
    breaker(|builder| builder.time_window(SECOND * 10).minimum_calls(minimum).failure_rate(rate))
}

fn call(breaker: &Tested, fails: bool, at: Instant) -> bool {
    let Ok(permit) = breaker.try_acquire_at(at) else { return false };
    if fails {
        permit.failure_at(at);
    } else {
        permit.success_at(at);
    }
    true
}

fn held(breaker: &Tested, at: Instant) -> (u32, u32) {
    let snapshot = breaker.snapshot_at(at);
    (snapshot.calls, snapshot.failures)
}

#[test]
fn concurrent_results_of_a_time_window_are_all_counted() {
    model(|| {
        let (breaker, start) = of(9, 1.0);
        let other = in_thread(&breaker, move |breaker| call(breaker, true, start));
        call(&breaker, false, start);
        assert!(other.join().unwrap());
        assert_eq!(held(&breaker, start), (2, 1));
    });
}

#[test]
fn a_result_that_meets_the_turn_of_a_tick_is_counted_once() {
    model(|| {
        let (breaker, start) = of(9, 1.0);
        call(&breaker, false, start);
        let other = in_thread(&breaker, move |breaker| call(breaker, false, start));
        call(&breaker, false, start + SECOND);
        other.join().unwrap();
        assert_eq!(held(&breaker, start + SECOND), (3, 0));
        // The first is forgotten; the one that met the turn is of either tick.
        let (left, _) = held(&breaker, start + SECOND * 10);
        assert!(matches!(left, 1 | 2), "{left}");
        assert_eq!(held(&breaker, start + SECOND * 11), (0, 0));
    });
}

#[test]
fn a_success_and_a_failure_that_reach_the_minimum_together_open_it() {
    model(|| {
        let (breaker, start) = of(2, 0.5);
        let mut transitions = breaker.transitions();
        let other = in_thread(&breaker, move |breaker| call(breaker, true, start));
        call(&breaker, false, start);
        other.join().unwrap();
        assert_eq!(breaker.state(), State::Open, "each of them missed the other");
        assert_eq!(std::iter::from_fn(|| transitions.try_next()).count(), 1);
    });
}

#[test]
fn two_failures_that_trip_a_time_window_at_once_open_it_once() {
    model(|| {
        let (breaker, start) = of(1, 0.5);
        let mut transitions = breaker.transitions();
        let permits = [(); 2].map(|()| breaker.try_acquire_owned_at(start).unwrap());
        let [first, second] = permits;
        let other = super::thread::spawn(move || second.failure_at(start));
        first.failure_at(start);
        other.join().unwrap();
        assert_eq!((breaker.state(), breaker.snapshot().period), (State::Open, 1));
        assert_eq!(std::iter::from_fn(|| transitions.try_next()).count(), 1);
    });
}

#[test]
fn a_result_that_meets_a_reset_is_not_in_the_new_window() {
    model(|| {
        let (breaker, start) = of(9, 1.0);
        let permit = breaker.try_acquire_owned_at(start).unwrap();
        let other = super::thread::spawn(move || permit.failure_at(start));
        breaker.reset();
        other.join().unwrap();
        assert_eq!(held(&breaker, start), (0, 0));
        call(&breaker, true, start);
        assert_eq!(held(&breaker, start), (1, 1));
    });
}

#[test]
fn a_look_at_the_window_loses_no_result() {
    model(|| {
        let (breaker, start) = of(9, 1.0);
        let other = in_thread(&breaker, move |breaker| call(breaker, true, start));
        let (calls, failures) = held(&breaker, start);
        assert!(calls == failures && calls <= 1);
        other.join().unwrap();
        assert_eq!(held(&breaker, start), (1, 1));
    });
}

#[test]
fn a_failure_that_meets_the_turn_of_a_tick_is_in_the_run_once() {
    model(|| {
        let (breaker, start) = breaker(|builder| {
            builder.consecutive_failures(9).time_window(SECOND * 10).minimum_calls(9).failure_rate(1.0)
        });
        let other = in_thread(&breaker, move |breaker| call(breaker, true, start));
        call(&breaker, true, start + SECOND);
        other.join().unwrap();
        assert_eq!((breaker.state(), breaker.snapshot_at(start + SECOND).consecutive_failures), (State::Closed, 2));
        assert_eq!(held(&breaker, start + SECOND), (2, 2));
    });
}

#[test]
fn a_failure_that_meets_a_look_and_reaches_the_minimum_opens_it() {
    model(|| {
        let (breaker, start) = of(2, 0.5);
        call(&breaker, false, start);
        let other = in_thread(&breaker, move |breaker| call(breaker, true, start));
        held(&breaker, start);
        other.join().unwrap();
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn a_failure_that_meets_a_turn_and_reaches_the_minimum_opens_it() {
    model(|| {
        let (breaker, start) = of(2, 0.5);
        let other = in_thread(&breaker, move |breaker| call(breaker, true, start));
        call(&breaker, false, start + SECOND);
        other.join().unwrap();
        assert_eq!(breaker.state(), State::Open);
    });
}
