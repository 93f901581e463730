//! Delays longer than a clock can tell: who panics, and when.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use backon::BackoffBuilder as _;
use evenkeel_backoff::{Exponential, Jitter};
use evenkeel_breaker::{Breaker, State};
use failsafe::CircuitBreaker as _;
use recloser::Recloser;
use tokio_retry2::strategy::FixedInterval;
use tower_resilience_retry::{ExponentialBackoff, IntervalFunction as _};

use crate::at_hand::secs;

fn panics<T>(what: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(what)).is_err()
}

#[test]
fn backon_1_6_a_delay_past_the_end_of_time_panics_under_a_total() {
    let builder = backon::ExponentialBuilder::new().with_factor(1e20).without_max_delay();
    let mut delays = builder.with_total_delay(Some(secs(10))).build();
    assert_eq!(delays.next(), Some(secs(1)));
    assert!(panics(|| delays.next()));
    assert_eq!(builder.build().nth(1), Some(Duration::MAX), "without a total it is the longest there is");
}

#[tokio::test(start_paused = true)]
async fn tokio_retry2_0_6_the_longest_delay_panics() {
    let action = || std::future::ready(tokio_retry2::RetryError::to_transient::<()>("down"));
    let retry = std::pin::pin!(tokio_retry2::Retry::spawn(FixedInterval::new(Duration::MAX), action));
    assert!(panics(|| crate::at_hand::poll(retry)));
}

#[test]
fn failsafe_1_3_to_open_for_ever_panics() {
    let policy = failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(Duration::MAX));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    assert!(panics(|| breaker.call(|| Err::<(), _>("down"))));
}

#[test]
fn recloser_1_4_to_open_for_ever_panics() {
    let breaker = Recloser::custom().closed_len(1).open_wait(Duration::MAX).build();
    assert!(breaker.call(|| Err::<(), _>("down")).is_err());
    assert!(panics(|| breaker.call(|| Err::<(), _>("down"))));
}

#[test]
fn tower_resilience_retry_0_14_saturates() {
    let delays = ExponentialBackoff::new(secs(1)).multiplier(1e300).unwrap();
    assert_eq!(delays.next_interval(usize::MAX), Duration::MAX);
}

#[test]
fn ours_saturate_and_refuse_a_factor_without_sense() {
    let builder = Exponential::builder(secs(1)).jitter(Jitter::None).cap(Duration::MAX);
    assert!(builder.factor(1e20).build().is_err());
    let longest = builder.factor(255.0).build().unwrap();
    assert_eq!(longest.into_iter().nth(1_000), Some(Duration::from_nanos(u64::MAX)), "585 years");
    assert_eq!(longest.within(secs(10)).into_iter().count(), 1, "the second would pass the total");

    let breaker = Breaker::builder().consecutive_failures(1).open_for([Duration::MAX]).build().unwrap();
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.state(), State::Open);
}
