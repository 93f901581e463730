//! The counts of one half, and the warm-up.

use super::{FAST, SLOW, half, in_thread, is_fast, median, model};

#[test]
fn what_two_threads_record_is_counted_once_each() {
    model(|| {
        let estimate = median(8);
        let other = in_thread(&estimate, |estimate| {
            estimate.record_at(FAST, half(0));
            estimate.record_longer_at(FAST, half(0));
        });
        estimate.record_at(SLOW, half(0));
        other.join().unwrap();
        let snapshot = estimate.snapshot();
        assert_eq!((snapshot.count, snapshot.longer), (2, 1));
    });
}

#[test]
fn two_threads_that_complete_the_warm_up_leave_it_warm() {
    model(|| {
        let estimate = median(2);
        let other = in_thread(&estimate, |estimate| estimate.record_at(FAST, half(0)));
        estimate.record_at(FAST, half(0));
        other.join().unwrap();
        assert!(is_fast(estimate.threshold().expect("there are two")));
    });
}

#[test]
fn it_is_warm_with_the_last_that_it_takes_and_not_before() {
    model(|| {
        let estimate = median(3);
        estimate.record_at(FAST, half(0));
        let other = in_thread(&estimate, |estimate| estimate.record_longer_at(SLOW, half(0)));
        assert_eq!(estimate.threshold(), None, "there are two at most");
        estimate.record_at(FAST, half(0));
        other.join().unwrap();
        assert!(estimate.threshold().is_some());
    });
}

#[test]
fn what_is_recorded_while_another_works_out_the_threshold_is_in_it_or_in_the_next() {
    model(|| {
        // Each sample makes the upkeep due.
        let estimate = median(1);
        estimate.record_at(FAST, half(0));
        let other = in_thread(&estimate, |estimate| estimate.record_at(SLOW, half(0)));
        estimate.record_at(SLOW, half(0));
        other.join().unwrap();
        assert!(!is_fast(estimate.threshold().unwrap()), "two of three are slow");
    });
}

#[test]
fn a_threshold_is_always_one_that_was_worked_out() {
    model(|| {
        let estimate = median(1);
        let other = in_thread(&estimate, |estimate| estimate.record_at(FAST, half(0)));
        let read = estimate.threshold();
        assert!(read.is_none_or(is_fast), "{read:?}");
        let longest = estimate.snapshot().p99;
        assert!(longest.is_none_or(is_fast), "{longest:?}");
        other.join().unwrap();
        assert!(estimate.threshold().is_some_and(is_fast));
    });
}
