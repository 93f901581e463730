//! The halves, while they take turns.

use std::sync::{Arc, atomic::Ordering};

use super::{AtomicBool, FAST, SLOW, half, in_thread, is_fast, median, model};

#[test]
fn what_is_recorded_while_the_window_turns_counts_once() {
    model(|| {
        let estimate = median(8);
        estimate.record_at(FAST, half(0));
        let other = in_thread(&estimate, |estimate| estimate.record_at(FAST, half(1)));
        // The time that it is told may be that of before.
        estimate.record_at(SLOW, half(0));
        other.join().unwrap();
        assert_eq!(estimate.snapshot().count, 3, "all in the two halves of the window");
        estimate.record_at(FAST, half(2));
        assert!((2..=3).contains(&estimate.snapshot().count), "the first is forgotten, the others as they were late");
        estimate.record_at(FAST, half(4));
        assert_eq!(estimate.snapshot().count, 1, "all are forgotten");
    });
}

#[test]
fn of_two_that_turn_one_clears() {
    model(|| {
        let estimate = median(8);
        estimate.record_at(FAST, half(0));
        estimate.record_at(FAST, half(1));
        let other = in_thread(&estimate, |estimate| estimate.record_at(SLOW, half(2)));
        estimate.record_longer_at(SLOW, half(2));
        other.join().unwrap();
        let snapshot = estimate.snapshot();
        assert_eq!((snapshot.count, snapshot.longer), (2, 1), "of half 1 and half 2; what was in their place is gone");
    });
}

#[test]
fn of_two_that_turn_to_different_halves_the_later_decides() {
    model(|| {
        let estimate = median(8);
        estimate.record_at(FAST, half(0));
        let other = in_thread(&estimate, |estimate| estimate.record_at(SLOW, half(3)));
        estimate.record_at(SLOW, half(1));
        other.join().unwrap();
        // Whoever finds the other at it records into the half that is current, and leaves the turn to the next.
        estimate.record_at(SLOW, half(3));
        let snapshot = estimate.snapshot();
        assert!((1..=3).contains(&snapshot.count), "{snapshot:?}");
        assert!(!is_fast(snapshot.p50.unwrap()), "that of half 0 is forgotten");
        estimate.record_at(SLOW, half(5));
        assert_eq!(estimate.snapshot().count, 1);
    });
}

#[test]
fn a_half_is_cleared_before_anybody_records_into_it() {
    model(|| {
        let estimate = median(8);
        estimate.record_at(FAST, half(0));
        estimate.record_longer_at(FAST, half(0));
        estimate.record_at(FAST, half(1));
        let other = in_thread(&estimate, |estimate| {
            estimate.record_at(SLOW, half(2));
            estimate.record_at(SLOW, half(2));
        });
        estimate.record_at(SLOW, half(1));
        other.join().unwrap();
        let snapshot = estimate.snapshot();
        assert_eq!((snapshot.count, snapshot.longer), (4, 0));
    });
}

#[test]
fn nobody_sees_a_half_that_is_half_cleared() {
    model(|| {
        let estimate = median(1);
        estimate.record_at(FAST, half(0));
        estimate.record_at(SLOW, half(0));
        estimate.record_at(FAST, half(1));
        // After a pause: no half but that one is in the window then.
        let other = in_thread(&estimate, |estimate| estimate.record_at(FAST, half(4)));
        let snapshot = estimate.snapshot();
        if snapshot.p99.is_some_and(|longest| !is_fast(longest)) {
            assert_eq!(snapshot.count, 3, "where the slow one is there, so is the fast one beside it");
        }
        other.join().unwrap();
        let snapshot = estimate.snapshot();
        assert!(snapshot.count == 1 && snapshot.p99.is_some_and(is_fast));
    });
}

#[test]
fn no_threshold_is_of_a_half_that_is_half_cleared() {
    model(|| {
        let estimate = median(1);
        // Of these two the median is the fast one.
        estimate.record_at(FAST, half(0));
        estimate.record_at(SLOW, half(0));
        estimate.record_at(FAST, half(1));
        let other = in_thread(&estimate, |estimate| estimate.record_at(FAST, half(2)));
        for _ in 0..2 {
            let read = estimate.threshold();
            assert!(read.is_some_and(is_fast), "{read:?}");
        }
        other.join().unwrap();
        assert!(estimate.threshold().is_some_and(is_fast));
    });
}

#[test]
fn after_a_pause_it_is_as_warm_as_what_it_has_seen_since() {
    model(|| {
        let estimate = median(2);
        estimate.record_at(SLOW, half(0));
        estimate.record_at(SLOW, half(0));
        let other = in_thread(&estimate, |estimate| estimate.record_at(FAST, half(5)));
        // Before the turn it is forgotten with the others, after it it counts.
        estimate.record_at(FAST, half(0));
        other.join().unwrap();
        // Who was to turn and found another at work has left the turn to this one.
        estimate.record_at(FAST, half(5));
        let count = estimate.snapshot().count;
        assert!((1..=3).contains(&count), "{count}");
        assert_eq!(estimate.threshold().is_some(), count >= 2);
        assert!(estimate.threshold().is_none_or(is_fast));
    });
}

#[test]
fn who_records_into_a_new_half_knows_when_it_is_due() {
    model(|| {
        let estimate = median(3);
        // Due with the sixth, at that time.
        (0..5).for_each(|_| estimate.record_at(FAST, half(0)));
        estimate.record_at(FAST, half(1));
        let turned = Arc::new(AtomicBool::new(false));
        let other = in_thread(&estimate, {
            let turned = Arc::clone(&turned);
            move |estimate| {
                estimate.record_at(FAST, half(2));
                turned.store(true, Ordering::Relaxed);
            }
        });
        // Relaxed: of the turn itself it says nothing. Two are in the window, and three make it warm.
        let is_last = turned.load(Ordering::Relaxed);
        if is_last {
            estimate.record_at(FAST, half(2));
        }
        other.join().unwrap();
        assert_eq!(estimate.threshold().is_some(), is_last);
    });
}
