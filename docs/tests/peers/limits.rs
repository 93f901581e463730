//! What ends a retry, and what runs before anyone has asked for it.

use std::{cell::Cell, future::ready};

use backon::Retryable as _;
use evenkeel_backoff::Retry;
use tokio::time::{Instant, sleep};
use tokio_retry2::strategy::{FixedInterval, MaxInterval as _};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::at_hand::{ms, poll, secs};

/// Attempts, each of which takes an hour and then fails.
async fn an_hour() -> Result<(), &'static str> {
    sleep(secs(3_600)).await;
    Err("down")
}

#[tokio::test(start_paused = true)]
async fn backon_1_6_a_total_delay_counts_the_sleeps_and_not_the_attempts() {
    let began = Instant::now();
    let schedule = backon::ConstantBuilder::new().with_delay(ms(100)).with_max_times(9);
    assert!(an_hour.retry(schedule).await.is_err());
    let within = backon::ExponentialBuilder::new().with_factor(1.0).with_min_delay(ms(100)).with_max_times(9);
    assert!(an_hour.retry(within.with_total_delay(Some(secs(1)))).await.is_err());
    assert!(began.elapsed() > 20 * secs(3_600), "ten attempts and ten, the latter within a second");
}

#[tokio::test(start_paused = true)]
async fn tokio_retry2_0_6_the_limit_of_a_duration_does_not_see_virtual_time() {
    let began = Instant::now();
    let schedule = FixedInterval::from_millis(100).max_duration(secs(60)).take(9);
    let retry =
        tokio_retry2::Retry::spawn(schedule, || async { an_hour().await.map_err(tokio_retry2::RetryError::transient) });
    assert!(retry.await.is_err());
    assert!(
        began.elapsed() > 10 * secs(3_600),
        "it reads the system's clock, which a test with tokio's paused one cannot move"
    );
}

#[tokio::test(start_paused = true)]
async fn tower_resilience_retry_0_14_has_no_limit_but_attempts() {
    let began = Instant::now();
    let layer = tower_resilience_retry::RetryLayer::builder().max_attempts(10).fixed_backoff(ms(100)).build();
    assert!(layer.layer(service_fn(|(): ()| an_hour())).oneshot(()).await.is_err());
    assert!(began.elapsed() > 10 * secs(3_600));
}

#[tokio::test(start_paused = true)]
async fn ours_a_deadline_counts_attempts_and_sleeps_and_is_not_slept_for() {
    let began = Instant::now();
    let retry = Retry::new([ms(100); 9], sleep).clock(|| Instant::now().into_std()).deadline(secs(60));
    assert_eq!(retry.run(|_| an_hour()).await, Err("down"));
    assert_eq!(began.elapsed(), secs(3_600), "a deadline stops no attempt that is under way");

    let began = Instant::now();
    let limited = retry.attempt_timeout(secs(25), || "late");
    assert_eq!(limited.run(|_| an_hour()).await, Err("late"));
    assert_eq!(began.elapsed(), secs(60), "the last attempt is given what is left");
}

#[tokio::test(start_paused = true)]
async fn tokio_retry2_0_6_the_operation_is_called_before_the_first_poll() {
    let calls = Cell::new(0);
    let operation = || {
        calls.set(calls.get() + 1);
        ready(Ok::<_, tokio_retry2::RetryError<()>>(()))
    };
    drop(tokio_retry2::Retry::spawn(FixedInterval::from_millis(1), operation));
    assert_eq!(calls.get(), 1, "and nobody has asked");
}

#[tokio::test(start_paused = true)]
async fn backoff_0_4_the_operation_is_called_before_the_first_poll_and_before_the_delay() {
    let calls = Cell::new(0);
    let operation = || {
        calls.set(calls.get() + 1);
        ready(Err::<(), _>(backoff::Error::transient("down")))
    };
    let mut retry = Box::pin(backoff::future::retry(backoff::ExponentialBackoff::default(), operation));
    assert_eq!(calls.get(), 1, "nobody has asked");
    assert!(poll(retry.as_mut()).is_pending());
    assert_eq!(calls.get(), 2, "the delay has only begun");
}

#[tokio::test(start_paused = true)]
async fn ours_the_operation_is_called_when_it_is_due() {
    let calls = Cell::new(0);
    let retry = Retry::new([secs(1)], sleep);
    let mut run = Box::pin(retry.run(|_| {
        calls.set(calls.get() + 1);
        ready(Err::<(), _>("down"))
    }));
    assert_eq!(calls.get(), 0);
    assert!(poll(run.as_mut()).is_pending());
    assert_eq!(calls.get(), 1);
    assert_eq!(run.await, Err("down"));
    assert_eq!(calls.get(), 2);
}
