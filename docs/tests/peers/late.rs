//! Answers that come after the breaker has opened, to calls that were made before.

use std::time::Duration;

use evenkeel_breaker::{Breaker, State};
use failsafe::futures::CircuitBreaker as _;
use recloser::{AsyncRecloser, Recloser};
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_resilience_circuitbreaker::CircuitState;

use crate::at_hand::{Clock, a_moment_later, now, poll, resilience, secs};

type Answer = Result<(), &'static str>;

/// A call that ends when it is told to, and with what.
fn slow() -> (Sender<Answer>, impl Future<Output = Answer>) {
    let (answer, answered): (_, Receiver<Answer>) = channel();
    (answer, async { answered.await.unwrap() })
}

/// A breaker that is open for no time at all, and for an hour when its probes fail: one call is out, one probe is out.
/// Whether it has closed is what is seen of a failure: half-open, it would open.
fn recloser_is_closed_by(late_successes: usize) -> bool {
    let breaker = Recloser::custom().closed_len(2).half_open_len(1).open_wait(Duration::ZERO);
    let breaker = AsyncRecloser::from(breaker.open_wait_strategy(|_, _| secs(3_600)).build());
    let call = || {
        let (answer, call) = slow();
        let mut call = Box::pin(breaker.call(call));
        assert!(poll(call.as_mut()).is_pending());
        (answer, call)
    };
    let fails = || assert!(now(breaker.call(async { Err::<(), _>("down") })).is_err());

    let late: Vec<_> = std::iter::repeat_with(call).take(late_successes).collect();
    (0..3).for_each(|_| fails());
    a_moment_later();
    let _probe = call();
    for (answer, call) in late {
        answer.send(Ok(())).unwrap();
        assert!(now(call).is_ok());
    }
    (0..2).for_each(|_| fails());
    now(breaker.call(async { Ok::<_, ()>(()) })).is_ok()
}

#[test]
fn recloser_1_4_late_answers_from_before_it_opened_close_it() {
    assert!(!recloser_is_closed_by(0), "two failures of probes open it again, for an hour");
    assert!(recloser_is_closed_by(2), "two late successes close it, and two failures are less than its window");
}

#[test]
fn failsafe_1_3_a_late_answer_from_before_it_opened_closes_it() {
    let policy = failsafe::failure_policy::consecutive_failures(2, failsafe::backoff::constant(Duration::ZERO));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    let (answer, call) = slow();
    let mut late = Box::pin(breaker.call(call));
    assert!(poll(late.as_mut()).is_pending());

    for _ in 0..2 {
        assert!(now(breaker.call(async { Err::<(), _>("down") })).is_err());
    }
    a_moment_later();
    let (_probe, probe) = slow();
    let mut probe = Box::pin(breaker.call(probe));
    assert!(poll(probe.as_mut()).is_pending());
    assert!(format!("{breaker:?}").contains("half_open"), "{breaker:?}");

    answer.send(Ok(())).unwrap();
    assert!(now(late).is_ok());
    assert!(format!("{breaker:?}").contains("closed"), "{breaker:?}");
}

#[test]
fn tower_resilience_circuitbreaker_0_14_a_late_answer_from_before_it_opened_closes_it() {
    let layer = resilience(|breaker| {
        breaker.consecutive_failures(1).permitted_calls_in_half_open(1).wait_duration_in_open(Duration::ZERO)
    });
    let service = layer.layer(service_fn(|call: std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>| call));
    let (answer, call) = slow();
    let mut late = Box::pin(service.clone().oneshot(Box::pin(call)));
    assert!(poll(late.as_mut()).is_pending());

    assert!(now(service.clone().oneshot(Box::pin(async { Err("down") }))).is_err());
    let (_probe, probe) = slow();
    let mut probe = Box::pin(service.clone().oneshot(Box::pin(probe)));
    assert!(poll(probe.as_mut()).is_pending());
    assert_eq!(service.state_sync(), CircuitState::HalfOpen);

    answer.send(Ok(())).unwrap();
    assert!(now(late).is_ok());
    assert_eq!(service.state_sync(), CircuitState::Closed, "the probe is still out");
}

#[test]
fn ours_a_late_answer_from_before_it_opened_changes_nothing() {
    let builder = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO; 2]);
    let breaker = builder.clock(Clock::default().reader()).build().unwrap();
    let (late_success, late_failure) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap().failure();
    let probe = breaker.try_acquire().unwrap();
    late_success.success();
    late_failure.failure();
    assert_eq!(breaker.state(), State::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}
