//! Calls that are dropped before they end: by an outer timeout, a hedge that has won, a client that has gone.

use std::{
    future::{Future, pending},
    pin::pin,
    time::Duration,
};

use evenkeel_backoff::{Costs, Retry, TokenBudget};
use evenkeel_breaker::{Abandoned, Breaker, State};
use failsafe::futures::CircuitBreaker as _;
use recloser::{AsyncRecloser, Recloser};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_resilience_circuitbreaker::CircuitState;
use tower_resilience_retry::{RetryBudgetBuilder, RetryLayer};

use crate::at_hand::{Clock, now, poll, resilience, secs};

type Hangs = std::future::Pending<Result<(), &'static str>>;

/// What an outer timeout does to a call that hangs.
fn times_out<F: Future>(call: F) {
    assert!(poll(pin!(call)).is_pending());
}

#[test]
fn recloser_1_4_calls_that_a_timeout_drops_never_open_it() {
    let breaker = AsyncRecloser::from(Recloser::custom().closed_len(1).build());
    (0..1_000).for_each(|_| times_out(breaker.call::<Hangs, _, _>(pending())));
    assert!(now(breaker.call(async { Ok::<_, ()>(()) })).is_ok());
}

#[test]
fn failsafe_1_3_calls_that_a_timeout_drops_never_open_it() {
    let policy = failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(secs(60)));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    (0..1_000).for_each(|_| times_out(breaker.call::<Hangs>(pending())));
    assert!(breaker.is_call_permitted());
}

#[test]
fn tower_resilience_circuitbreaker_0_14_calls_that_a_timeout_drops_never_open_it() {
    let service = resilience(|breaker| breaker.consecutive_failures(1));
    let service = service.layer(service_fn(|(): ()| -> Hangs { pending() }));
    (0..1_000).for_each(|_| times_out(service.clone().oneshot(())));
    assert_eq!(service.state_sync(), CircuitState::Closed);
}

#[test]
fn ours_calls_that_a_timeout_drops_open_it_where_so_configured() {
    for (abandoned, then) in [(Abandoned::Ignored, State::Closed), (Abandoned::Failure, State::Open)] {
        let breaker = Breaker::builder().consecutive_failures(1_000).abandoned(abandoned).build().unwrap();
        (0..1_000).for_each(|_| times_out(breaker.call::<Hangs>(pending())));
        assert_eq!(breaker.state(), then, "{abandoned:?}");
    }
}

#[test]
fn tower_resilience_circuitbreaker_0_14_a_dropped_probe_frees_its_slot() {
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
    (0..1_000).for_each(|_| times_out(service.clone().oneshot(false)));
    assert_eq!(service.state_sync(), CircuitState::HalfOpen);
}

#[test]
fn ours_a_dropped_probe_frees_its_slot() {
    let builder = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO]);
    let breaker = builder.clock(Clock::default().reader()).build().unwrap();
    breaker.try_acquire().unwrap().failure();
    (0..1_000).for_each(|_| times_out(breaker.call::<Hangs>(pending())));
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn tower_resilience_retry_0_14_a_retry_that_is_cancelled_in_its_sleep_stays_paid() {
    let budget = RetryBudgetBuilder::new().token_bucket().tokens_per_second(0.0).max_tokens(10).build().unwrap();
    let layer = RetryLayer::builder().fixed_backoff(secs(60)).budget(budget.clone()).build();
    let service = layer.layer(service_fn(|(): ()| async { Err::<(), _>("down") }));
    (0..10).for_each(|_| times_out(service.clone().oneshot(())));
    assert_eq!(budget.balance(), 0, "and no retry was ever sent");
}

#[tokio::test(start_paused = true)]
async fn ours_a_retry_that_is_cancelled_in_its_sleep_costs_nothing() {
    let budget = TokenBudget::new(10, Costs { transient: 1, ..Costs::EARLIER });
    let retry = Retry::new([secs(60)], tokio::time::sleep).budget(budget.clone());
    (0..10).for_each(|_| times_out(retry.run(|_| async { Err::<(), _>("down") })));
    assert_eq!(budget.balance(), 10);
}
