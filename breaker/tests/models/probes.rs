//! Half-open: a slot is one call's, and comes back.

use evenkeel_breaker::{Outcome, Permit, State};

use super::{SECOND, Tested, breaker, in_thread, model};

/// Open, with as many slots as that from a second on.
fn open(permits: u32) -> (Tested, std::time::Instant) {
    let (breaker, start) =
        breaker(|builder| builder.consecutive_failures(1).half_open_permits(permits).half_open_successes(2));
    breaker.try_acquire().unwrap().failure();
    (breaker, start)
}

#[test]
fn of_two_callers_of_one_slot_one_is_admitted() {
    model(|| {
        let (breaker, start) = open(1);
        let ask = move |breaker: &Tested| breaker.try_acquire_owned_at(start + SECOND).ok();
        let other = in_thread(&breaker, ask);
        let here = ask(&breaker);
        let there = other.join().unwrap();
        assert!(here.is_some() ^ there.is_some());
        assert_eq!(breaker.snapshot_at(start + SECOND).probes_out, 1);
        assert_eq!(breaker.snapshot_at(start + SECOND).period, 2, "it became half-open once");
    });
}

#[test]
fn a_dropped_probe_frees_its_slot() {
    model(|| {
        let (breaker, start) = open(1);
        let probe = breaker.try_acquire_owned_at(start + SECOND).unwrap();
        let other = in_thread(&breaker, move |breaker| breaker.try_acquire_owned_at(start + SECOND).ok());
        drop(probe);
        let there = other.join().unwrap();
        let here = breaker.try_acquire_at(start + SECOND);
        assert!(here.is_ok() ^ there.is_some(), "the slot is there for exactly one");
        drop((here, there));
        assert_eq!(breaker.snapshot_at(start + SECOND).probes_out, 0);
    });
}

#[test]
fn a_probe_that_ends_while_it_times_out_counts_once() {
    model(|| {
        let (breaker, start) = open(1);
        let probe = breaker.try_acquire_owned_at(start + SECOND).unwrap();
        // Its time is as long as the breaker was open.
        let other = in_thread(&breaker, move |breaker| breaker.state_at(start + SECOND * 2));
        probe.success_at(start + SECOND);
        let seen = other.join().unwrap();
        let after = breaker.snapshot_at(start + SECOND * 2);
        match after.state {
            // It was counted, and no other was out.
            State::HalfOpen => assert_eq!((after.probe_successes, after.probe_failures, seen), (1, 0, State::HalfOpen)),
            State::Open => assert_eq!((after.period, seen), (3, State::Open)),
            other => panic!("{other}"),
        }
    });
}

#[test]
fn two_successes_close_it_once() {
    model(|| {
        let (breaker, start) = open(2);
        let mut transitions = breaker.transitions();
        let probe = breaker.try_acquire_owned_at(start + SECOND).unwrap();
        let other =
            in_thread(&breaker, move |breaker| breaker.try_acquire_at(start + SECOND).map(Permit::success).is_ok());
        probe.success_at(start + SECOND);
        assert!(other.join().unwrap(), "there were two slots");
        assert_eq!(breaker.state(), State::Closed);
        let told: Vec<_> = std::iter::from_fn(|| transitions.try_next()).map(|step| step.to).collect();
        assert_eq!(told, [State::HalfOpen, State::Closed]);
    });
}

#[test]
fn a_success_and_a_failure_of_probes_leave_a_legal_state() {
    model(|| {
        let (breaker, start) = open(2);
        let probes = [(); 2].map(|()| breaker.try_acquire_owned_at(start + SECOND).unwrap());
        let [first, second] = probes;
        let other = super::thread::spawn(move || second.record_at(Outcome::Failure, start + SECOND));
        first.success_at(start + SECOND);
        other.join().unwrap();
        let after = breaker.snapshot_at(start + SECOND);
        assert_eq!((after.state, after.period, after.probes_out), (State::Open, 3, 0));
    });
}

#[test]
fn a_rejection_is_never_of_a_time_that_is_over() {
    model(|| {
        let (breaker, start) = open(1);
        let at = start + SECOND;
        let other = in_thread(&breaker, move |breaker| breaker.try_acquire_owned_at(at).ok());
        let here = breaker.try_acquire_at(at);
        if let Err(rejected) = &here {
            assert!(rejected.ready_at().unwrap() > at, "{rejected:?}");
        }
        drop(other.join().unwrap());
    });
}

#[test]
fn who_meets_the_end_of_a_trial_is_admitted_by_what_was_or_by_what_is() {
    model(|| {
        let (breaker, start) = breaker(|builder| builder.consecutive_failures(1).half_open_permits(2).ramp(SECOND));
        breaker.try_acquire().unwrap().failure();
        let at = start + SECOND;
        let probe = breaker.try_acquire_owned_at(at).unwrap();
        let other = in_thread(&breaker, move |breaker| breaker.try_acquire_owned_at(at).map(drop));
        probe.success_at(at);
        // Half-open with a free slot before, and after it the first call of a ramp.
        other.join().unwrap().unwrap();
        assert_eq!(breaker.state_at(at), State::Closed);
    });
}

#[test]
fn a_ramp_that_ends_while_results_come_loses_none() {
    model(|| {
        let (breaker, start) = breaker(|builder| builder.consecutive_failures(2).ramp(SECOND));
        (0..2).for_each(|_| breaker.try_acquire().unwrap().failure());
        breaker.try_acquire_at(start + SECOND).unwrap().success_at(start + SECOND);
        let permit = breaker.try_acquire_owned_at(start + SECOND).unwrap();
        let at = start + SECOND * 2;
        let other = in_thread(&breaker, move |breaker| breaker.try_acquire_owned_at(at).unwrap());
        permit.failure_at(at);
        other.join().unwrap().failure_at(at);
        assert_eq!(breaker.state(), State::Open);
    });
}
