//! How it recovers: the probes, how many, and what they decide.
#![cfg(not(loom))]

mod support;

use evenkeel_breaker::{Abandoned, Cause, Outcome, Permit, State};
use proptest::prelude::*;
use support::{Log, due, fail, ms, secs, succeed};

fn ends(log: &Log) -> (State, Cause) {
    *log.way().last().unwrap()
}

#[test]
fn it_is_open_to_the_nanosecond_and_half_open_at_the_next_ask() {
    let (breaker, clock, log) = due(|builder| builder);
    clock.set(secs(1) - std::time::Duration::from_nanos(1));
    assert_eq!(breaker.try_acquire().unwrap_err().state(), State::Open);
    clock.set(secs(1));
    assert_eq!(breaker.state(), State::Open, "looking changes nothing");
    assert!(breaker.try_acquire().unwrap().is_probe());
    assert_eq!(ends(&log), (State::HalfOpen, Cause::OpenTimeOver));
}

/// Hazard 29.
#[test]
fn half_open_never_admits_more_than_its_permits() {
    for permits in [1, 2, 7, 1_000] {
        let (breaker, ..) = due(|builder| builder.half_open_permits(permits).half_open_successes(1_000));
        let mut out: Vec<_> = (0..2_000).filter_map(|_| breaker.try_acquire().ok()).collect();
        assert_eq!(out.len(), permits as usize);
        assert!(out.iter().all(Permit::is_probe));
        // One ends, one begins.
        for _ in 0..10 {
            out.remove(0).success();
            out.extend((0..10).filter_map(|_| breaker.try_acquire().ok()));
            assert_eq!(out.len(), permits as usize);
        }
    }
}

/// Hazard 30.
#[test]
fn a_dropped_probe_frees_its_slot() {
    let (breaker, ..) = due(|builder| builder);
    for _ in 0..1_000 {
        let probe = breaker.try_acquire().expect("the slot is free");
        assert!(probe.is_probe());
        assert!(breaker.try_acquire().is_err());
        drop(probe);
    }
    breaker.try_acquire().unwrap().release();
    breaker.try_acquire().unwrap().record(Outcome::Ignored);
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.probes_out, snapshot.probe_failures), (State::HalfOpen, 0, 0));
    assert!(succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_dropped_probe_that_counts_as_a_failure_opens() {
    let (breaker, _, log) = due(|builder| builder.abandoned(Abandoned::Failure));
    drop(breaker.try_acquire().unwrap());
    assert_eq!(ends(&log), (State::Open, Cause::ProbesFailed));
}

/// Hazard 32.
#[test]
fn probes_spaced_arbitrarily_wide_decide() {
    for apart in [ms(1), secs(60), secs(86_400), secs(86_400 * 365 * 10)] {
        let (breaker, clock, _) = due(|b| b.time_window(ms(1)).half_open_successes(5));
        for probe in 1..=5 {
            assert_eq!(breaker.state(), if probe == 1 { State::Open } else { State::HalfOpen });
            assert!(succeed(&breaker));
            clock.advance(apart);
        }
        assert_eq!(breaker.state(), State::Closed);

        let (breaker, clock, _) = due(|b| b.time_window(ms(1)).half_open_successes(3).half_open_calls(5));
        for outcome in [false, true, false, true] {
            assert!(if outcome { succeed(&breaker) } else { fail(&breaker) });
            clock.advance(apart);
            assert_eq!(breaker.state(), State::HalfOpen);
        }
        assert!(fail(&breaker));
        assert_eq!(breaker.state(), State::Open);
    }
}

/// Hazard 44.
#[test]
fn a_slow_probe_does_not_close_it() {
    for (took, state) in [(ms(999), State::Closed), (ms(1_000), State::Open), (ms(5_000), State::Open)] {
        let (breaker, clock, log) = due(|b| b.slow_calls(secs(1), 1.0).probe_timeout(secs(60)));
        let probe = breaker.try_acquire().unwrap();
        clock.advance(took);
        probe.success();
        assert_eq!(breaker.state(), state, "after {took:?}");
        assert_eq!(log.last_call().slow, state == State::Open);
    }
}

#[test]
fn by_default_one_probe_and_one_success_close_it_and_one_failure_opens_it() {
    let (breaker, _, log) = due(|builder| builder);
    let probe = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    probe.success();
    assert_eq!(ends(&log), (State::Closed, Cause::ProbesSucceeded));

    let (breaker, _, log) = due(|builder| builder);
    assert!(fail(&breaker));
    assert_eq!(ends(&log), (State::Open, Cause::ProbesFailed));
}

#[test]
fn with_several_successes_to_reach_the_first_failure_opens() {
    let (breaker, ..) = due(|builder| builder.half_open_successes(3));
    assert!(succeed(&breaker) && succeed(&breaker) && fail(&breaker));
    assert_eq!(breaker.state(), State::Open);
    let (breaker, ..) = due(|builder| builder.half_open_successes(3));
    assert!(succeed(&breaker) && succeed(&breaker) && succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn the_results_of_the_other_probes_come_too_late_when_one_has_decided() {
    for decides in [Outcome::Success, Outcome::Failure] {
        let (breaker, _, log) = due(|builder| builder.half_open_permits(3));
        let mut probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
        probes.remove(0).record(decides);
        let state = breaker.state();
        assert_eq!(state, if decides == Outcome::Success { State::Closed } else { State::Open });
        assert!(!log.last_call().late);
        for (probe, outcome) in probes.into_iter().zip([Outcome::Failure, Outcome::Success]) {
            probe.record(outcome);
            assert!(log.last_call().late);
            assert_eq!(breaker.state(), state);
        }
    }
}

proptest! {
    /// For all numbers of successes and calls and all orders: it closes at the n-th success, and opens when so many failed
    /// that there cannot be as many any more.
    #[test]
    fn n_of_m_decides_as_soon_as_it_can(
        (n, more) in (1_u32..8, 0_u32..8), results in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let (breaker, ..) = due(|builder| builder.half_open_successes(n).half_open_calls(n + more));
        let (mut succeeded, mut failed) = (0, 0);
        for good in results {
            let admitted = if good { succeed(&breaker) } else { fail(&breaker) };
            prop_assert!(admitted);
            if good { succeeded += 1 } else { failed += 1 }
            let expected = match (succeeded == n, failed > more) {
                (true, _) => State::Closed,
                (_, true) => State::Open,
                _ => State::HalfOpen,
            };
            prop_assert_eq!(breaker.state(), expected);
            if expected != State::HalfOpen {
                break;
            }
        }
    }
}
