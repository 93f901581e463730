//! A result counts in its period, or not at all.

#[cfg(loom)]
use loom::sync::atomic::AtomicU64;
#[cfg(not(loom))]
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, atomic::Ordering};

use evenkeel_breaker::{Breaker, BreakerObserver, State, Transition};

use super::{SECOND, breaker, in_thread, model, thread};

#[test]
fn a_late_permit_of_an_old_period_changes_nothing() {
    model(|| {
        let (breaker, start) = breaker(|builder| builder.consecutive_failures(1));
        let late = breaker.try_acquire_owned().unwrap();
        breaker.try_acquire().unwrap().failure();
        let probe = breaker.try_acquire_owned_at(start + SECOND).unwrap();
        // While it closes, and begins to count anew.
        let other = thread::spawn(move || late.failure_at(start + SECOND));
        probe.success_at(start + SECOND);
        other.join().unwrap();
        let after = breaker.snapshot_at(start + SECOND);
        assert_eq!((after.state, after.period, after.consecutive_failures), (State::Closed, 3, 0));
    });
}

#[test]
fn a_failure_that_meets_a_reset_counts_before_it_or_not_at_all() {
    model(|| {
        let (breaker, _) = breaker(|builder| builder.consecutive_failures(2));
        breaker.try_acquire().unwrap().failure();
        let permit = breaker.try_acquire_owned().unwrap();
        let other = thread::spawn(move || permit.failure());
        breaker.reset();
        other.join().unwrap();
        // It has opened and was reset, or was late: what it never does is to count in the new period.
        let after = breaker.snapshot();
        assert_eq!((after.state, after.consecutive_failures), (State::Closed, 0));
        assert!(matches!(after.period, 1 | 2), "{}", after.period);
        assert!(breaker.try_acquire().is_ok());
    });
}

#[test]
fn two_failures_that_trip_it_at_once_open_it_once() {
    model(|| {
        let (breaker, _) = breaker(|builder| builder.consecutive_failures(1));
        let mut transitions = breaker.transitions();
        let permits = [(); 2].map(|()| breaker.try_acquire_owned().unwrap());
        let [first, second] = permits;
        let other = thread::spawn(move || second.failure());
        first.failure();
        other.join().unwrap();
        let told: Vec<Transition> = std::iter::from_fn(|| transitions.try_next()).collect();
        assert_eq!(told.len(), 1, "exactly one event");
        assert_eq!((told[0].to, told[0].period), (State::Open, 1));
        assert_eq!((breaker.state(), breaker.snapshot().period), (State::Open, 1));
    });
}

#[test]
fn a_trip_against_a_recovery_leaves_a_legal_state_and_tells_each_step_once() {
    model(|| {
        let (breaker, start) = breaker(|builder| builder.consecutive_failures(1));
        let mut transitions = breaker.transitions();
        breaker.try_acquire().unwrap().failure();
        let probe = breaker.try_acquire_owned_at(start + SECOND).unwrap();
        // It closes, and whoever gets in after that fails.
        let other = in_thread(&breaker, move |breaker| {
            breaker.try_acquire_at(start + SECOND).map(|permit| permit.failure_at(start + SECOND)).is_ok()
        });
        probe.success_at(start + SECOND);
        let got_in = other.join().unwrap();
        let told: Vec<_> = std::iter::from_fn(|| transitions.try_next()).map(|step| (step.period, step.to)).collect();
        let mut due = vec![(1, State::Open), (2, State::HalfOpen), (3, State::Closed)];
        if got_in {
            due.push((4, State::Open));
        }
        assert_eq!(told, due);
        assert_eq!(breaker.state(), due.last().unwrap().1);
    });
}

#[test]
fn who_is_rejected_is_told_a_time_of_the_state_that_rejects() {
    model(|| {
        let (breaker, start) = breaker(|builder| builder.consecutive_failures(1));
        breaker.try_acquire().unwrap().failure();
        // Half-open, and open again: its time is over at 1 s, and then at 2 s; a silent probe would open it until 3 s.
        let other = in_thread(&breaker, move |breaker| {
            breaker.try_acquire_at(start + SECOND).map(|probe| probe.failure_at(start + SECOND)).is_ok()
        });
        match breaker.try_acquire_at(start + SECOND / 2) {
            Err(rejected) => {
                let wait = (rejected.ready_at().unwrap() - start).as_secs();
                assert!(
                    matches!((rejected.state(), wait), (State::Open, 1 | 2) | (State::HalfOpen, 3)),
                    "{rejected:?}"
                );
            }
            Ok(permit) => panic!("{permit:?}"),
        }
        assert!(other.join().unwrap());
    });
}

/// The first two periods that it was told of, as decimal digits, in the order in which it was.
struct Told(AtomicU64);

impl BreakerObserver for Told {
    fn on_transition(&self, transition: &Transition) {
        let append = |told| Some(told * 10 + transition.period);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, append).unwrap();
    }
}

#[test]
fn transitions_of_two_threads_are_told_one_after_the_other() {
    model(|| {
        let told = Arc::new(Told(AtomicU64::new(0)));
        let breaker = Breaker::builder().observe(Arc::clone(&told)).build().unwrap();
        let other = {
            let breaker = breaker.clone();
            thread::spawn(move || breaker.force_open())
        };
        breaker.force_closed();
        other.join().unwrap();
        assert_eq!(told.0.load(Ordering::Acquire), 12);
    });
}
