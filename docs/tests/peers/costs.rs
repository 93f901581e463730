//! What a call that succeeds at once allocates.

use std::future::ready;

use allocation_counter::measure;
use backon::Retryable as _;
use evenkeel_backoff::{Exponential, Retry};
use evenkeel_breaker::{Breaker, BreakerLayer};
use evenkeel_hedging::{Hedge, Quantile};
use failsafe::futures::CircuitBreaker as _;
use recloser::{AsyncRecloser, Recloser};
use tokio_retry2::strategy::FixedInterval;
use tower::{Layer as _, Service, service_fn};

use crate::at_hand::{ms, now, resilience, secs};

type Answer = Result<u64, &'static str>;

/// How often something is allocated in a call, once the first ones have been made.
fn allocations(mut call: impl FnMut()) -> u64 {
    (0..100).for_each(|_| call());
    let of_a_hundred = measure(|| (0..100).for_each(|_| call())).count_total;
    assert_eq!(of_a_hundred % 100, 0, "not the same for each");
    of_a_hundred / 100
}

fn of_a_service<S: Service<u64>>(mut service: S) -> u64 {
    allocations(|| {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        assert!(now(service.call(1)).is_ok());
    })
}

fn well() -> impl Service<u64, Response = u64, Error = &'static str, Future = std::future::Ready<Answer>> + Clone {
    service_fn(|n| ready(Ok(n)))
}

#[tokio::test(start_paused = true)]
async fn backon_1_6_tokio_retry2_0_6_and_backoff_0_4_allocate_nothing_for_a_success() {
    let backon = backon::ExponentialBuilder::new().with_jitter();
    assert_eq!(allocations(|| assert!(now((|| ready(Answer::Ok(1))).retry(backon)).is_ok())), 0);
    let retry2 = || {
        tokio_retry2::Retry::spawn(FixedInterval::from_millis(1), || ready(Ok::<_, tokio_retry2::RetryError<()>>(1)))
    };
    assert_eq!(allocations(|| assert!(now(retry2()).is_ok())), 0);
    let policy = backoff::ExponentialBackoff::default();
    let retry = || backoff::future::retry(policy.clone(), || ready(Ok::<_, backoff::Error<()>>(1)));
    assert_eq!(allocations(|| assert!(now(retry()).is_ok())), 0);
}

#[test]
fn recloser_1_4_and_failsafe_1_3_allocate_nothing_for_a_success() {
    let breaker = AsyncRecloser::from(Recloser::custom().build());
    assert_eq!(allocations(|| assert!(now(breaker.call(ready(Answer::Ok(1)))).is_ok())), 0);
    let breaker = failsafe::Config::new().build();
    assert_eq!(allocations(|| assert!(now(breaker.call(ready(Answer::Ok(1)))).is_ok())), 0);
}

#[test]
fn tower_resilience_0_14_allocates_for_a_success() {
    // Entered and not run: tokio has tasks wait after so many steps, and here are many in one.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    let breaker = resilience(|breaker| breaker.consecutive_failures(5));
    let retry = tower_resilience_retry::RetryLayer::builder().max_attempts(3).fixed_backoff(ms(1)).build();
    let hedge = tower_resilience_hedge::HedgeLayer::new(secs(1));
    assert_eq!(of_a_service(breaker.layer(well())), 3);
    assert_eq!(of_a_service(retry.layer(well())), 2);
    assert_eq!(of_a_service(hedge.layer(well())), 6);
}

/// Never again.
#[derive(Clone)]
struct Never;

impl tower::retry::Policy<u64, u64, &'static str> for Never {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut u64, _: &mut Answer) -> Option<Self::Future> {
        None
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

impl tower::hedge::Policy<u64> for Never {
    fn clone_request(&self, request: &u64) -> Option<u64> {
        Some(*request)
    }

    fn can_retry(&self, _: &u64) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn tower_0_5_allocates_nothing_for_a_success() {
    let latencies = [1_000; 100];
    let hedge = tower::hedge::Hedge::new_with_mock_latencies(well(), Never, 100, 0.95, secs(30), &latencies);
    assert_eq!(of_a_service(tower::retry::RetryLayer::new(Never).layer(well())), 0);
    assert_eq!(of_a_service(hedge), 0);
}

#[tokio::test(start_paused = true)]
async fn ours_allocate_nothing_for_a_success() {
    let schedule = Exponential::new(ms(50)).take(4);
    let retry = Retry::new(schedule, tokio::time::sleep);
    assert_eq!(allocations(|| assert!(now(retry.run(|_| ready(Answer::Ok(1)))).is_ok())), 0);
    assert_eq!(of_a_service(retry.layer().layer(well())), 0);
    let breaker = Breaker::new();
    assert_eq!(allocations(|| assert!(now(breaker.call(ready(Answer::Ok(1)))).is_ok())), 0);
    assert_eq!(of_a_service(BreakerLayer::new(breaker).layer(well())), 0);
    let hedge = Hedge::new(Quantile::builder(0.95).build().unwrap(), tokio::time::sleep);
    assert_eq!(allocations(|| assert!(now(hedge.run(|_| ready(Answer::Ok(1)))).is_ok())), 0);
    assert_eq!(of_a_service(hedge.layer().layer(well())), 0);
}
