//! What becomes of a delay that the server asks for.

use std::{
    future::ready,
    sync::atomic::{AtomicU32, Ordering},
};

use backon::Retryable as _;
use evenkeel_backoff::{Retry, Verdict};
use tokio::time::Instant;
use tokio_retry2::strategy::FixedInterval;

use crate::at_hand::{ms, secs};

#[tokio::test(start_paused = true)]
async fn tokio_retry2_0_6_a_retry_after_is_not_waited_for() {
    let began = Instant::now();
    let (attempts, action) =
        (AtomicU32::new(0), || ready(tokio_retry2::RetryError::to_retry_after::<()>("busy", secs(60))));
    let counted = || {
        attempts.fetch_add(1, Ordering::Relaxed);
        action()
    };
    let told = |_: &&str, delay| assert_eq!(delay, secs(60), "though it is what the callback is told");
    let schedule = FixedInterval::from_millis(10).take(2);
    let failed = tokio_retry2::RetryIf::spawn(schedule, counted, |_: &&str| true, told).await;
    assert_eq!((failed, attempts.into_inner()), (Err("busy"), 3));
    assert_eq!(began.elapsed(), ms(20), "and not two minutes");
}

#[tokio::test(start_paused = true)]
async fn backoff_0_4_a_retry_after_passes_every_time_limit() {
    let began = Instant::now();
    let attempts = AtomicU32::new(0);
    let policy = backoff::ExponentialBackoffBuilder::new().with_max_elapsed_time(Some(secs(1))).build();
    let answer = backoff::future::retry(policy, || async {
        match attempts.fetch_add(1, Ordering::Relaxed) {
            1_000 => Ok("at last"),
            _ => Err(backoff::Error::retry_after("busy", secs(3_600))),
        }
    });
    assert_eq!(answer.await, Ok("at last"));
    assert_eq!(
        began.elapsed(),
        1_000 * secs(3_600),
        "with a limit of one second: a server that says so is asked for ever"
    );
}

#[tokio::test(start_paused = true)]
async fn backon_1_6_waits_for_as_long_as_a_function_reads_off_the_error() {
    let began = Instant::now();
    let schedule = backon::ConstantBuilder::new().with_delay(ms(10)).with_max_times(2);
    let failed = (|| async { Err::<(), _>(secs(60)) })
        .retry(schedule)
        .adjust(|asked, of_the_schedule| of_the_schedule.map(|delay| delay.max(*asked)));
    assert_eq!(failed.await, Err(secs(60)));
    assert_eq!(began.elapsed(), secs(120));
}

#[tokio::test(start_paused = true)]
async fn ours_a_servers_delay_is_a_floor_and_passes_no_limit() {
    let busy = |asked| move |_: &Result<(), &str>| Verdict::throttled().not_before(asked);
    let retry = Retry::new([ms(10); 2], tokio::time::sleep).clock(|| Instant::now().into_std());

    let began = Instant::now();
    assert_eq!(retry.when(busy(secs(20))).run(|_| ready(Err("busy"))).await, Err("busy"));
    assert_eq!(began.elapsed(), 2 * (secs(20) + ms(10)), "the schedule's own delay, and so its jitter, is on top");

    let began = Instant::now();
    let limited = retry.when(busy(secs(20))).deadline(secs(30));
    assert_eq!(limited.run(|_| ready(Err("busy"))).await, Err("busy"));
    assert_eq!(began.elapsed(), secs(20) + ms(10), "a second one would begin after the deadline: it is not slept for");
}
