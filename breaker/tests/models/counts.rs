//! The word and the count window: every result counts once, in one place.

use evenkeel_breaker::State;

use super::{Tested, breaker, in_thread, model};

/// Counted, failed.
fn held(breaker: &Tested) -> (u32, u32) {
    let snapshot = breaker.snapshot();
    (snapshot.calls, snapshot.failures)
}

/// One call. Whether it was admitted.
fn call(breaker: &Tested, fails: bool) -> bool {
    let Ok(permit) = breaker.try_acquire() else { return false };
    if fails {
        permit.failure();
    } else {
        permit.success();
    }
    true
}

fn of(size: u32, minimum: u32) -> Tested {
    breaker(|builder| builder.count_window(size).minimum_calls(minimum).failure_rate(1.0)).0
}

#[test]
fn concurrent_results_of_a_count_window_are_all_counted() {
    model(|| {
        let breaker = of(8, 8);
        let other = in_thread(&breaker, |breaker| call(breaker, true));
        call(&breaker, false);
        call(&breaker, true);
        assert!(other.join().unwrap());
        assert_eq!(held(&breaker), (3, 2));
    });
}

#[test]
fn in_a_full_window_each_result_takes_the_place_of_one() {
    model(|| {
        let breaker = of(2, 2);
        call(&breaker, false);
        call(&breaker, true);
        call(&breaker, false);
        assert_eq!(held(&breaker), (2, 1));
        let other = in_thread(&breaker, |breaker| call(breaker, false));
        call(&breaker, false);
        other.join().unwrap();
        assert_eq!(held(&breaker), (2, 0), "the failure has fallen out");
        call(&breaker, true);
        assert_eq!(held(&breaker), (2, 1), "and what is in the ring is what was counted");
        call(&breaker, true);
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn a_failure_that_meets_a_look_at_a_full_window_opens_it() {
    model(|| {
        let breaker = breaker(|builder| builder.count_window(4).minimum_calls(4).failure_rate(0.75)).0;
        // Two of four, of which the last has taken the place of a success and is not in the sums yet.
        for fails in [false, false, false, true, true] {
            call(&breaker, fails);
        }
        let other = in_thread(&breaker, |breaker| {
            let _ = breaker.snapshot();
        });
        call(&breaker, true);
        other.join().unwrap();
        assert_eq!(breaker.state(), State::Open, "three of four");
    });
}

#[test]
fn a_window_of_one_that_two_share_is_the_last_result() {
    model(|| {
        let breaker = breaker(|builder| builder.count_window(1).consecutive_failures(3).failure_rate(1.0)).0;
        call(&breaker, false);
        let other = in_thread(&breaker, |breaker| call(breaker, false));
        call(&breaker, true);
        other.join().unwrap();
        // A failure is all of a window of one.
        assert_eq!((breaker.state(), breaker.snapshot().period), (State::Open, 1));
    });
}

#[test]
fn the_results_that_open_it_open_it_whoever_comes_first() {
    model(|| {
        let breaker = breaker(|builder| builder.count_window(4).minimum_calls(3).failure_rate(0.6)).0;
        call(&breaker, true);
        let other = in_thread(&breaker, |breaker| call(breaker, false));
        call(&breaker, true);
        other.join().unwrap();
        // Two of three, in whatever order.
        assert_eq!((breaker.state(), breaker.snapshot().period), (State::Open, 1));
    });
}

#[test]
fn a_success_between_two_failures_breaks_the_run_or_is_before_or_after_both() {
    model(|| {
        let breaker = breaker(|builder| builder.consecutive_failures(2)).0;
        let mut transitions = breaker.transitions();
        let other = in_thread(&breaker, |breaker| call(breaker, false));
        call(&breaker, true);
        call(&breaker, true);
        other.join().unwrap();
        let opened = transitions.try_next().is_some();
        let run = breaker.snapshot().consecutive_failures;
        assert!(opened && run == 0 || !opened && run == 1, "{opened} {run}");
    });
}

#[test]
fn a_success_that_changes_nothing_hides_no_failure() {
    model(|| {
        let breaker = of(2, 2);
        // More than the window: one more success writes nothing.
        (0..3).for_each(|_| assert!(call(&breaker, false)));
        let other = in_thread(&breaker, |breaker| call(breaker, true));
        call(&breaker, false);
        other.join().unwrap();
        assert_eq!(held(&breaker), (2, 1));
        let (first, second) = (call(&breaker, true), call(&breaker, true));
        assert!(first);
        // The success was before the failure, or between it and the second one.
        assert!(!second || breaker.state() == State::Open);
    });
}

#[test]
fn the_ring_of_a_window_of_two_is_what_its_sums_say() {
    model(|| {
        let breaker = of(2, 2);
        call(&breaker, false);
        call(&breaker, true);
        let other = in_thread(&breaker, |breaker| call(breaker, false) && call(breaker, false));
        call(&breaker, false);
        other.join().unwrap();
        assert_eq!(held(&breaker), (2, 0));
        call(&breaker, true);
        call(&breaker, false);
        assert_eq!(held(&breaker), (2, 1));
        call(&breaker, false);
        assert_eq!(held(&breaker), (2, 0));
    });
}

#[test]
fn a_result_that_meets_a_reset_is_in_the_new_window_or_not_and_nothing_old_is() {
    model(|| {
        let breaker = of(2, 2);
        call(&breaker, true);
        call(&breaker, false);
        // It asks before the reset or after it.
        let other = in_thread(&breaker, |breaker| call(breaker, true));
        breaker.reset();
        other.join().unwrap();
        let (calls, failures) = held(&breaker);
        assert!(calls == failures && calls <= 1, "{failures} of {calls}");
        (calls..2).for_each(|_| assert!(call(&breaker, false)));
        assert_eq!(held(&breaker), (2, calls));
        (0..2).for_each(|_| assert!(call(&breaker, false)));
        assert_eq!(held(&breaker), (2, 0));
        call(&breaker, true);
        assert_eq!(held(&breaker), (2, 1));
    });
}
