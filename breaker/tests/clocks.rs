//! Times that are given, the clock that is given, and clocks that do what clocks should not.
#![cfg(not(loom))]

mod support;

use std::time::{Duration, Instant};

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerObserver, OpenTimes, Rejected, State, Verdict};
use proptest::prelude::*;
use support::{Clock, by_hand, fail, ms, origin, secs, succeed, wait};

/// Hazard 43.
#[test]
fn given_times_are_all_that_is_looked_at() {
    let (builder, clock) = by_hand();
    let builder = builder.consecutive_failures(1).slow_calls(secs(1), 1.0).time_window(secs(10)).ramp(secs(5));
    let breaker = builder.open_for([secs(1)]).build().unwrap();
    let read = clock.reads();
    let start = clock.now();
    // The clock is somewhere else.
    clock.advance(secs(1_000_000));
    breaker.try_acquire_at(start).unwrap().failure_at(start);
    assert_eq!(breaker.try_acquire_at(start + ms(999)).unwrap_err().retry_after(), Some(ms(1)));
    assert_eq!(breaker.state_at(start + ms(999)), State::Open);
    let probe = breaker.try_acquire_owned_at(start + secs(1)).unwrap();
    assert_eq!(breaker.snapshot_at(start + secs(1)).ready_at, Some(start + secs(3)), "should it be silent");
    probe.success_at(start + secs(1));
    assert_eq!(breaker.state_at(start + secs(1)), State::Closed);
    assert!(breaker.snapshot_at(start + secs(3)).admitted_share < 1.0);
    breaker.try_acquire_at(start + secs(9)).unwrap().record_at(Verdict::success(), start + secs(9));
    breaker.try_acquire_at(start + secs(9)).unwrap().abandon_at(start + secs(9));
    breaker.force_open_at(start + secs(9));
    breaker.force_closed_at(start + secs(9));
    breaker.reset_at(start + secs(9));
    assert_eq!(breaker.snapshot_at(start + secs(9)).since, start + secs(9));
    assert_eq!(clock.reads(), read, "it was not read");
}

#[test]
fn the_clock_that_is_given_is_the_only_one() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(1)]).build().unwrap();
    assert!(fail(&breaker));
    // It stands still for as long as this takes, and then it jumps.
    assert!((0..10_000).all(|_| breaker.try_acquire().is_err()));
    clock.advance(secs(1));
    assert!(succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn under_tokios_paused_clock_time_is_virtual() {
    let clock = || tokio::time::Instant::now().into_std();
    let breaker = Breaker::builder().consecutive_failures(1).open_for([secs(3_600)]).clock(clock).build().unwrap();
    assert!(breaker.call(async { Err::<(), _>("down") }).await.is_err());
    let rejected = breaker.call(async { Ok::<_, &str>(()) }).await.unwrap_err();
    let wait = rejected.rejected().and_then(Rejected::retry_after);
    assert_eq!(wait, Some(secs(3_600)));
    tokio::time::sleep(secs(3_600)).await;
    assert!(breaker.call(async { Ok::<_, &str>(()) }).await.is_ok());
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_clock_that_goes_back_loses_no_result_and_leaves_it_working() {
    for time in [false, true] {
        let (builder, clock) = by_hand();
        let builder = builder.failure_rate(0.5).minimum_calls(10).open_for([secs(5)]).ramp(secs(2));
        let builder = if time { builder.time_window(secs(10)) } else { builder };
        let breaker = builder.build().unwrap();
        clock.set(secs(1_000));
        assert!((0..9).all(|_| fail(&breaker)));
        clock.set(secs(1));
        assert_eq!(breaker.snapshot().calls, 9);
        assert!(fail(&breaker));
        assert_eq!(breaker.state(), State::Open);
        clock.set(secs(0));
        assert_eq!(wait(&breaker, &clock), secs(6));
        clock.set(secs(6));
        let probe = breaker.try_acquire().unwrap();
        clock.set(secs(2));
        probe.success();
        assert_eq!(breaker.state(), State::Closed);
        clock.set(secs(0));
        assert!(breaker.snapshot().admitted_share > 0.0);
        clock.set(secs(60));
        assert!((0..100).all(|_| succeed(&breaker)));
    }
}

#[test]
fn a_clock_that_went_back_in_an_outage_does_not_wedge_it() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(5)]).build().unwrap();
    clock.set(secs(1_000));
    assert!(fail(&breaker));
    // Its time is as far away as the clock went back, and no farther.
    clock.set(secs(0));
    assert_eq!(wait(&breaker, &clock), secs(1_005));
    clock.set(secs(1_005));
    assert!(breaker.try_acquire().unwrap().is_probe());
}

#[test]
fn after_the_clock_went_back_results_expire_by_the_latest_time_that_was_seen() {
    let (builder, clock) = by_hand();
    let breaker = builder.time_window(secs(10)).minimum_calls(100).failure_rate(0.5).build().unwrap();
    clock.set(secs(3_600));
    let _ = breaker.snapshot();
    clock.set(secs(1));
    assert!((0..9).all(|_| fail(&breaker)));
    // What was counted meanwhile is as of the latest time: not a window older, when the clock is there again.
    for at in [600, 3_599, 3_600, 3_609] {
        clock.set(secs(at));
        assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (9, 9), "{at} s");
    }
    clock.set(secs(3_610));
    assert_eq!(breaker.snapshot().calls, 0);
    assert!(fail(&breaker));
    // Forgotten is forgotten.
    clock.set(secs(1));
    assert_eq!(breaker.snapshot().calls, 1);
}

const FAR: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_secs(86_400 * 365 * 100),
    Duration::from_nanos(u64::MAX - 1),
    Duration::from_nanos(u64::MAX),
    Duration::from_secs(u64::MAX / 4),
];

/// Goes through all states at a time that is given, twice, and looks at all that there is to be looked at.
fn walk<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>, at: Instant) {
    for _ in 0..2 {
        for _ in 0..3 {
            if let Ok(permit) = breaker.try_acquire_at(at) {
                permit.record_at(Verdict::failure().not_before(Duration::MAX), at);
            }
            let _ = (breaker.state_at(at), breaker.snapshot_at(at), breaker.ready_at());
            if let Err(rejected) = breaker.try_acquire_at(at) {
                let _ = (rejected.retry_after(), rejected.to_string());
            }
        }
        breaker.force_open_at(at);
        breaker.force_closed_at(at);
        breaker.reset_at(at);
    }
}

#[test]
fn instants_of_the_far_future_and_of_before_it_was_built_do_not_panic() {
    for time in [false, true] {
        for first in FAR {
            for second in FAR {
                let builder = Breaker::builder().consecutive_failures(2).slow_calls(secs(1), 0.5).minimum_calls(1);
                let builder = if time { builder.time_window(ms(1)) } else { builder };
                let breaker = builder.ramp(Duration::MAX).build().unwrap();
                for far in [first, second] {
                    let past = origin().checked_sub(far.min(secs(86_400))).unwrap_or(origin());
                    for at in [origin().checked_add(far), Some(past)].into_iter().flatten() {
                        walk(&breaker, at);
                    }
                }
            }
        }
    }
}

fn extreme(of: Duration) -> [BreakerBuilder; 5] {
    let builder = || Breaker::builder().consecutive_failures(1);
    [
        builder().open_for([of]),
        builder().open_for(OpenTimes::new(of, of)),
        builder().open_for([secs(1)]).probe_timeout(of.max(Duration::from_nanos(1))),
        builder().open_for([secs(1)]).ramp(of),
        builder().open_for([secs(1)]).max_hint(of),
    ]
}

#[test]
fn no_duration_makes_it_panic_or_wedge() {
    for of in FAR.into_iter().chain([Duration::MAX, Duration::MAX / 2]) {
        for builder in extreme(of) {
            let (clock, builder) = (Clock::new(), builder);
            let breaker = builder.clock(clock.reader()).build().unwrap();
            breaker.try_acquire().unwrap().record(Verdict::failure().not_before(Duration::MAX));
            for _ in 0..5 {
                let ready_at = breaker.ready_at().expect("time leads on");
                clock.set(ready_at - origin());
                let permit = breaker.try_acquire().expect("when it said");
                let _ = breaker.snapshot();
                permit.failure();
            }
        }
    }
}

#[test]
fn an_open_time_without_end_is_open_until_somebody_resets_it() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([Duration::MAX]).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(86_400 * 365 * 500));
    assert!(breaker.try_acquire().is_err());
    breaker.reset();
    assert!(succeed(&breaker));
}

proptest! {
    /// Whatever the clock does, from every state time alone leads to an admitted call, at the moment that it names.
    #[test]
    fn whatever_the_clock_did_time_leads_to_an_admitted_call(
        jumps in proptest::collection::vec((0_u64..1 << 40, any::<bool>(), any::<bool>()), 1..50),
        (permits, successes, more) in (1_u32..4, 1_u32..4, 0_u32..3),
        time in any::<bool>(),
    ) {
        let (builder, clock) = by_hand();
        let builder = builder.consecutive_failures(3).failure_rate(0.5).minimum_calls(2).open_for([1, 7, 60].map(secs));
        let builder = builder.half_open_permits(permits).half_open_successes(successes);
        let builder = builder.half_open_calls(successes + more);
        let builder = if time { builder.time_window(secs(30)) } else { builder };
        let breaker = builder.build().unwrap();
        let mut left = Vec::new();
        for (at, leaves, good) in jumps {
            clock.set(Duration::from_nanos(at));
            match breaker.try_acquire() {
                Ok(permit) if leaves => left.push(permit),
                Ok(permit) => if good { permit.success() } else { permit.failure() },
                Err(_) => {}
            }
            let ready_at = breaker.ready_at().expect("nobody forced it");
            prop_assert!(breaker.try_acquire_at(ready_at).is_ok());
        }
    }
}
