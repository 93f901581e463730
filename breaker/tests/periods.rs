//! A result counts in the period in which its permit was given, and in no other.
#![cfg(not(loom))]

mod support;

use std::time::Instant;

use evenkeel_breaker::{Abandoned, Breaker, BreakerObserver, Outcome, Permit, Snapshot, State, Verdict};
use support::{Clock, Log, by_hand, fail, secs, succeed};

type Given<'a, C> = Permit<&'a Breaker<C, Log>>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Says(Outcome),
    Hints,
    Drops,
    Releases,
    Panics,
}

const ENDS: [Ends; 7] = [
    Ends::Says(Outcome::Success),
    Ends::Says(Outcome::Failure),
    Ends::Says(Outcome::Ignored),
    Ends::Hints,
    Ends::Drops,
    Ends::Releases,
    Ends::Panics,
];

fn end<C: Fn() -> Instant>(permit: Given<'_, C>, ends: Ends) {
    match ends {
        Ends::Says(outcome) => permit.record(outcome),
        Ends::Hints => permit.record(Verdict::failure().not_before(secs(3_000))),
        Ends::Drops => drop(permit),
        Ends::Releases => permit.release(),
        Ends::Panics => {
            let panics = std::panic::AssertUnwindSafe(|| {
                let _permit = permit;
                std::panic::resume_unwind(Box::new(()));
            });
            assert!(std::panic::catch_unwind(panics).is_err());
        }
    }
}

/// Brings it from wherever it is to a state, by calls and time where they lead there.
fn bring<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>, clock: &Clock, to: State) {
    breaker.reset();
    match to {
        State::Closed => {}
        State::Open => assert!(fail(breaker)),
        State::HalfOpen => {
            assert!(fail(breaker));
            clock.advance(secs(1));
            // Two must succeed.
            assert!(succeed(breaker));
        }
        State::ForcedOpen => breaker.force_open(),
        State::ForcedClosed => breaker.force_closed(),
    }
    assert_eq!(breaker.state(), to);
}

fn built(clock: &Clock, log: &Log) -> Breaker<impl Fn() -> Instant + use<>, Log> {
    let builder = Breaker::builder().consecutive_failures(1).failure_rate(0.01).minimum_calls(1).open_for([secs(1)]);
    let builder = builder.half_open_permits(2).half_open_successes(2).abandoned(Abandoned::Failure);
    builder.slow_calls(secs(10), 0.01).clock(clock.reader()).observe(log.clone()).build().unwrap()
}

fn unchanged(before: &Snapshot, after: &Snapshot, what: &str) {
    assert_eq!(before, after, "{what}");
}

/// Hazard 33.
#[test]
fn a_result_of_an_earlier_period_neither_closes_nor_opens() {
    for given_in in [State::Closed, State::HalfOpen, State::ForcedClosed] {
        for ended_in in State::ALL {
            for ends in ENDS {
                for slow in [false, true] {
                    let (clock, log) = (Clock::new(), Log::default());
                    let breaker = built(&clock, &log);
                    bring(&breaker, &clock, given_in);
                    let permit = breaker.try_acquire().unwrap();
                    clock.advance(secs(if slow { 20 } else { 0 }));
                    bring(&breaker, &clock, ended_in);
                    assert!(!permit.is_current());
                    let before = breaker.snapshot();
                    let (calls, transitions) = (log.heard().calls.len(), log.heard().transitions.len());
                    end(permit, ends);
                    let what = format!("given {given_in}, {ends:?} in {ended_in}, slow: {slow}");
                    unchanged(&before, &breaker.snapshot(), &what);
                    assert_eq!(log.heard().transitions.len(), transitions, "{what}");
                    let heard = log.heard().calls.len() - calls;
                    assert_eq!(heard, usize::from(ends != Ends::Releases), "{what}");
                    assert!(ends == Ends::Releases || log.last_call().late, "{what}");
                }
            }
        }
    }
}

#[test]
fn many_late_failures_and_successes_change_nothing() {
    let (clock, log) = (Clock::new(), Log::default());
    let breaker = built(&clock, &log);
    let mut late: Vec<_> = (0..100).map(|_| breaker.try_acquire().unwrap()).collect();
    let first = late.pop().unwrap();
    first.failure();
    assert_eq!(breaker.state(), State::Open);
    // A third of them while it is open, one while it is half-open, and one when it is closed.
    let closed = late.split_off(66);
    let half_open = late.split_off(33);
    let storm = |permits: Vec<Given<'_, _>>| {
        let before = breaker.snapshot();
        for (turn, permit) in permits.into_iter().enumerate() {
            permit.record(if turn % 2 == 0 { Outcome::Failure } else { Outcome::Success });
        }
        unchanged(&before, &breaker.snapshot(), "after a storm");
    };
    storm(late);
    clock.advance(secs(1));
    let probe = breaker.try_acquire().unwrap();
    storm(half_open);
    probe.success();
    assert!(succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
    storm(closed);
}

#[test]
fn a_half_open_period_does_not_take_the_probes_of_the_one_before() {
    let (builder, clock) = by_hand();
    let builder = builder.consecutive_failures(1).open_for([secs(1)]).half_open_permits(2);
    let breaker = builder.build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    let (early, fails) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    fails.failure();
    clock.advance(secs(1));
    // The same number of the probe, one period on.
    let (first, second) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    assert!(breaker.try_acquire().is_err());
    early.success();
    assert_eq!((breaker.state(), breaker.snapshot().probes_out), (State::HalfOpen, 2));
    assert!(breaker.try_acquire().is_err(), "its slot is not one of these");
    drop(first);
    second.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_permit_is_current_until_the_next_transition() {
    let (clock, log) = (Clock::new(), Log::default());
    let breaker = built(&clock, &log);
    let (permit, other) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    assert!(permit.is_current());
    other.failure();
    assert!(!permit.is_current());
    let owned = {
        breaker.reset();
        breaker.try_acquire_owned().unwrap()
    };
    assert!(owned.is_current());
    breaker.reset();
    assert!(!owned.is_current());
}

// The word has room for the lower bits of a period alone.
#[test]
fn a_permit_held_over_very_many_periods_is_late() {
    let builder = || Breaker::builder().consecutive_failures(1).failure_rate(0.1).minimum_calls(1);
    let run = Breaker::builder().consecutive_failures(1);
    for builder in [run, builder().count_window(4), builder().time_window(secs(10))] {
        let breaker = builder.build().unwrap();
        let permits = || [(); 3].map(|()| breaker.try_acquire().unwrap());
        let held = [(1 << 17) - 1, 1 << 17, (1 << 18) - 1, 1 << 18, 1 << 19].map(|resets| (resets, permits()));
        let mut period = 0;
        for (resets, [fails, succeeds, hints]) in held {
            (period..resets).for_each(|_| breaker.reset());
            period = resets;
            assert!(!fails.is_current());
            fails.failure();
            succeeds.success();
            hints.record(Verdict::failure().not_before(secs(9)));
            let shown = breaker.snapshot();
            assert_eq!((shown.state, shown.period), (State::Closed, resets));
            assert_eq!((shown.calls, shown.consecutive_failures), (0, 0), "after {resets} resets");
        }
        assert!(fail(&breaker));
        assert_eq!((breaker.state(), breaker.snapshot().period), (State::Open, period + 1));
    }
}
