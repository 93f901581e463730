//! Calls of a thread: what is let through, what counts, and that a panic leaks nothing.
#![cfg(not(loom))]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use evenkeel_breaker::{Breaker, Error, Outcome, Rejected, State, Verdict};
use support::{Log, by_hand, due, ms, secs, wait};

type Answer = Result<u16, &'static str>;

#[test]
fn a_result_counts_and_comes_back_as_it_was() {
    let log = Log::default();
    let breaker = Breaker::builder().consecutive_failures(2).observe(log.clone()).build().unwrap();
    assert_eq!(breaker.call_blocking(|| Err::<(), _>("down")), Err(Error::Inner("down")));
    assert_eq!(breaker.call_blocking(|| Ok::<_, &str>(1)), Ok(1), "and the row is broken");
    for _ in 0..2 {
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.call_blocking(|| Err::<(), _>("down")), Err(Error::Inner("down")));
    }
    assert_eq!(breaker.state(), State::Open);
    let ended: Vec<_> = log.heard().calls.iter().map(|call| call.outcome).collect();
    assert_eq!(ended, [Outcome::Failure, Outcome::Success, Outcome::Failure, Outcome::Failure]);
}

#[test]
fn what_is_rejected_is_not_called() {
    let breaker = Breaker::new();
    breaker.force_open();
    let answer = breaker.call_blocking(|| -> Answer { panic!("it was called") });
    assert_eq!(answer.unwrap_err().rejected().map(Rejected::state), Some(State::ForcedOpen));
}

#[test]
fn it_is_in_flight_while_it_runs_and_a_probe_holds_its_slot() {
    let (breaker, ..) = due(|builder| builder);
    let answer = breaker.call_blocking(|| {
        let beside = breaker.call_blocking(|| Ok::<_, &str>("there is one slot"));
        beside.map_err(|error| error.rejected().expect("it is not called").state())
    });
    assert_eq!(answer, Err(Error::Inner(State::HalfOpen)));
    assert_eq!(breaker.state(), State::Open, "the probe has failed");
}

#[test]
fn the_classifier_judges_and_may_pass_on_what_the_service_asks_for() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(5)]).build().unwrap();
    let health = |answer: &Answer| match answer {
        Ok(503) => Verdict::failure().not_before(secs(60)),
        Ok(_) => Verdict::success(),
        Err(_) => Verdict::ignored(),
    };
    assert_eq!(breaker.call_blocking_with(health, || Err("mine")), Err(Error::Inner("mine")));
    assert_eq!(breaker.call_blocking_with(health, || Ok(404)), Ok(404));
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.call_blocking_with(health, || Ok(503)), Ok(503));
    assert_eq!(wait(&breaker, &clock), secs(60));
}

#[test]
fn a_panic_of_the_operation_or_the_classifier_is_a_failure_and_leaks_no_slot() {
    let broken = |_: &Answer| -> Verdict { panic!("broken") };
    let (breaker, clock, _) = due(|builder| builder.probe_timeout(secs(3600)));
    for classifier_too in [false, true, false] {
        let call = || match classifier_too {
            false => breaker.call_blocking(|| -> Answer { panic!("broken") }),
            true => breaker.call_blocking_with(broken, || Ok(200)),
        };
        // Each is a probe: it would be rejected if the one before had kept the slot.
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        assert_eq!(breaker.snapshot().state, State::Open);
        clock.advance(secs(1));
    }
}

#[test]
fn a_slow_call_is_timed() {
    let (builder, clock) = by_hand();
    let breaker = builder.slow_calls(secs(1), 1.0).count_window(1).minimum_calls(1).build().unwrap();
    let take = |time| {
        breaker.call_blocking(|| {
            clock.advance(time);
            Ok::<_, &str>(())
        })
    };
    assert_eq!((take(ms(999)), breaker.state()), (Ok(()), State::Closed));
    assert_eq!((take(ms(1_000)), breaker.state()), (Ok(()), State::Open));
}
