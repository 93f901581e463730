//! Futures: three failures and a success in tokio, with its own sleep, of zero, which is what everyone has.

use std::{future::ready, time::Duration};

use backon::Retryable;
use evenkeel_backoff::Retry;
use tokio::time::sleep;
use tokio_retry2::RetryError;

use super::{Unwell, done, rich};
use crate::{
    cases::runtime::{awaited, with_time},
    measure::Bench,
};

pub(super) fn run(bench: &mut Bench) {
    let (runtime, unwell) = (&with_time(), Unwell::new());
    let retry = Retry::new([Duration::ZERO; 3], sleep);
    let budgeted = retry.budget(rich());
    let slept = Retry::new([Duration::from_nanos(1); 3], sleep);
    let nothing = || backon::ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(3);
    // A sleep of zero that is awaited ends with the timer's next millisecond: that is most of what most of these take.
    bench.compare(
        "retry",
        "future, three failures, in tokio",
        vec![
            awaited("`Retry::run`, zero delays: three yields", runtime, async || {
                done(retry.run(|_| unwell.answer()).await)
            })
            .keeps(|| retry),
            awaited("the same with a budget", runtime, async || done(budgeted.run(|_| unwell.answer()).await))
                .keeps(|| retry.budget(rich())),
            awaited("`Retry::run`, one nanosecond: three sleeps", runtime, async || {
                done(slept.run(|_| unwell.answer()).await)
            })
            .keeps(|| slept),
            awaited("by hand: a loop", runtime, async || {
                for _ in 0..3 {
                    if let Ok(answer) = unwell.answer().await {
                        return answer;
                    }
                    sleep(Duration::ZERO).await;
                }
                done(unwell.answer().await)
            }),
            awaited("backon", runtime, async || done((|| unwell.answer()).retry(nothing()).sleep(sleep).await))
                .keeps(nothing),
            awaited("tokio-retry2", runtime, async || {
                let schedule = tokio_retry2::strategy::FixedInterval::new(Duration::ZERO).take(3);
                let action = || ready(unwell.next().map_err(RetryError::transient));
                done(tokio_retry2::Retry::spawn(schedule, action).await)
            })
            .keeps(|| tokio_retry2::strategy::FixedInterval::new(Duration::ZERO)),
            awaited("tokio-retry", runtime, async || {
                let schedule = tokio_retry::strategy::FixedInterval::new(Duration::ZERO).take(3);
                done(tokio_retry::Retry::start(schedule, || unwell.answer()).await)
            })
            .keeps(|| tokio_retry::strategy::FixedInterval::new(Duration::ZERO)),
            awaited("backoff", runtime, async || {
                let action = || ready(unwell.next().map_err(backoff::Error::transient));
                done(backoff::future::retry(backoff::backoff::Zero {}, action).await)
            })
            .keeps(|| backoff::backoff::Zero {}),
        ],
    );
}
