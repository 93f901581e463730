//! How many callers a half-open breaker lets through, and whether it always decides.

use std::{future::pending, pin::Pin, time::Duration};

use evenkeel_breaker::Breaker;
use failsafe::futures::CircuitBreaker as _;
use recloser::{AsyncRecloser, Recloser};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_resilience_circuitbreaker::{CircuitState, SlidingWindowType};

use crate::at_hand::{Clock, a_moment_later, now, poll, resilience, secs};

type Hanging<E> = Pin<Box<dyn Future<Output = Result<(), E>>>>;

/// How many of a thousand callers that come while it is half-open are let through, and hang.
fn admitted<E>(mut call: impl FnMut() -> Hanging<E>) -> usize {
    let mut calls: Vec<_> = (0..1_000).map(|_| call()).collect();
    calls.iter_mut().map(|call| poll(call.as_mut())).filter(std::task::Poll::is_pending).count()
}

#[test]
fn recloser_1_4_half_open_admits_everyone() {
    let breaker = Recloser::custom().closed_len(1).half_open_len(1).open_wait(Duration::ZERO).build();
    let breaker = AsyncRecloser::from(breaker);
    for _ in 0..2 {
        assert!(now(breaker.call(async { Err::<(), _>("down") })).is_err());
    }
    a_moment_later();
    assert_eq!(admitted(|| Box::pin(breaker.call(pending::<Result<(), ()>>()))), 1_000);
}

#[test]
fn failsafe_1_3_half_open_admits_everyone() {
    let policy = failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(Duration::ZERO));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    assert!(now(breaker.call(async { Err::<(), _>("down") })).is_err());
    a_moment_later();
    assert_eq!(admitted(|| Box::pin(breaker.call(pending::<Result<(), ()>>()))), 1_000);
}

#[test]
fn tower_resilience_circuitbreaker_0_14_half_open_admits_as_many_as_it_says() {
    let layer = resilience(|breaker| {
        breaker.consecutive_failures(1).permitted_calls_in_half_open(3).wait_duration_in_open(Duration::ZERO)
    });
    let service = layer.layer(service_fn(|fails: bool| async move {
        if !fails {
            pending::<()>().await;
        }
        Err::<(), _>("down")
    }));
    assert!(now(service.clone().oneshot(true)).is_err());
    assert_eq!(admitted(|| Box::pin(service.clone().oneshot(false))), 3);
}

#[test]
fn ours_half_open_admits_as_many_as_it_says() {
    let builder = Breaker::builder().consecutive_failures(1).half_open_permits(3).open_for([Duration::ZERO]);
    let breaker = builder.clock(Clock::default().reader()).build().unwrap();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(admitted(|| Box::pin(breaker.call(pending::<Result<(), ()>>()))), 3);
}

#[test]
fn tower_resilience_circuitbreaker_0_14_a_probe_that_never_answers_wedges_it() {
    let layer = resilience(|breaker| {
        breaker.consecutive_failures(1).permitted_calls_in_half_open(1).wait_duration_in_open(Duration::ZERO)
    });
    let service = layer.layer(service_fn(|fails: bool| async move {
        if !fails {
            pending::<()>().await;
        }
        Err::<(), _>("down")
    }));
    assert!(now(service.clone().oneshot(true)).is_err());
    let mut hangs = Box::pin(service.clone().oneshot(false));
    assert!(poll(hangs.as_mut()).is_pending());
    for _ in 0..1_000 {
        a_moment_later();
        let rejected = now(service.clone().oneshot(true)).unwrap_err();
        assert!(
            rejected.is_circuit_open(),
            "as long as it hangs: no probe has a time limit, and the open time is over"
        );
    }
}

#[test]
fn tower_resilience_circuitbreaker_0_14_probes_wider_apart_than_its_time_window_wedge_it() {
    let layer = resilience(|breaker| {
        breaker
            .consecutive_failures(1)
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(Duration::from_nanos(1))
            .permitted_calls_in_half_open(2)
            .wait_duration_in_open(Duration::ZERO)
    });
    let mut service = layer.layer(service_fn(|well: bool| async move { if well { Ok(()) } else { Err("down") } }));
    let mut call = |well| now(async { service.ready().await.unwrap().call(well).await });
    assert!(call(false).is_err());
    for _ in 0..2 {
        a_moment_later();
        assert!(call(true).is_ok(), "a probe, and it succeeds");
    }
    for _ in 0..1_000 {
        a_moment_later();
        assert!(call(true).unwrap_err().is_circuit_open(), "no probe is left, and none is out that could decide");
    }
    assert_eq!(service.state_sync(), CircuitState::HalfOpen);
}

#[test]
fn ours_time_alone_leads_to_an_admitted_call_whatever_probes_do() {
    let clock = Clock::default();
    let builder = Breaker::builder().consecutive_failures(1).open_for([secs(1); 3]).half_open_successes(2);
    let breaker = builder.time_window(secs(1)).clock(clock.reader()).build().unwrap();
    breaker.try_acquire().unwrap().failure();
    clock.advance(secs(1));
    let hangs = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    clock.advance(secs(2));
    for _ in 0..2 {
        clock.advance(secs(3_600));
        breaker.try_acquire().expect("the probe that hangs has failed, and the open time is over").success();
    }
    drop(hangs);
    assert_eq!(breaker.state(), evenkeel_breaker::State::Closed, "after two probes an hour apart");
}
