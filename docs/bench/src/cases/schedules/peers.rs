//! The same schedule from the peers: 50 ms, doubled up to 5 s, each with the jitter that it has.

use std::time::{Duration, Instant};

use backoff::{
    SystemClock,
    exponential::{ExponentialBackoff, ExponentialBackoffBuilder},
};
use tower::{
    retry::backoff::{Backoff as _, ExponentialBackoffMaker, MakeBackoff},
    util::rng::HasherRng,
};
use tower_resilience_retry::{ExponentialRandomBackoff, IntervalFunction};

use super::{CAP, FIRST};

pub(crate) const fn backon() -> backon::ExponentialBuilder {
    backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP)
}

/// Its base is its factor: 2ⁿ of 25 ms.
pub(crate) const fn tokio_retry2() -> tokio_retry2::strategy::ExponentialBackoff {
    tokio_retry2::strategy::ExponentialBackoff::from_millis(2).factor(25).max_delay(CAP)
}

/// Its base is its factor as well.
pub(crate) fn tokio_retry() -> tokio_retry::strategy::ExponentialBackoff {
    tokio_retry::strategy::ExponentialBackoff::from_millis(2).factor(25).max_delay(CAP)
}

/// As its users make it. It reads its clock once when it is made and once for each delay. Its jitter is `jitter` to either side,
/// so all of it makes what is called full jitter elsewhere, of twice the delay.
pub(crate) fn backoff(jitter: f64) -> ExponentialBackoff<SystemClock> {
    ExponentialBackoffBuilder::new()
        .with_initial_interval(around(FIRST, jitter))
        .with_max_interval(around(CAP, jitter))
        .with_multiplier(2.0)
        .with_randomization_factor(jitter)
        .with_max_elapsed_time(None)
        .build()
}

/// What is left of it without the clock.
pub(crate) fn backoff_whose_clock_stands(jitter: f64, now: Instant) -> ExponentialBackoff<Stands> {
    ExponentialBackoff {
        current_interval: around(FIRST, jitter),
        initial_interval: around(FIRST, jitter),
        randomization_factor: jitter,
        multiplier: 2.0,
        max_interval: around(CAP, jitter),
        start_time: now,
        max_elapsed_time: None,
        clock: Stands(now),
    }
}

/// Halves what is drawn from zero to twice of.
fn around(delay: Duration, jitter: f64) -> Duration {
    if jitter > 0.0 { delay / 2 } else { delay }
}

/// A clock for `backoff`.
#[derive(Clone, Debug)]
pub(crate) struct Stands(Instant);

impl backoff::Clock for Stands {
    fn now(&self) -> Instant {
        self.0
    }
}

/// What it says, as an iterator.
pub(super) fn delays_of(mut backoff: impl backoff::backoff::Backoff) -> impl Iterator<Item = Duration> {
    std::iter::from_fn(move || backoff.next_backoff())
}

/// It adds its jitter.
pub(crate) fn tower(jitter: f64) -> ExponentialBackoffMaker {
    ExponentialBackoffMaker::new(FIRST, CAP, jitter, HasherRng::default()).expect("the first is less than the cap")
}

/// It hands out sleeps, which hold when they end. A runtime must have been entered.
pub(super) fn sleeps_of(maker: &mut ExponentialBackoffMaker) -> impl Iterator<Item = tokio::time::Instant> {
    let mut backoff = maker.make_backoff();
    std::iter::from_fn(move || Some(backoff.next_backoff().deadline()))
}

/// Its jitter is to either side.
pub(crate) fn resilience() -> ExponentialRandomBackoff {
    ExponentialRandomBackoff::new(FIRST / 2, 1.0).expect("all of the delay is a share of it").max_interval(CAP / 2)
}

/// It keeps no place: the number of the attempt is its caller's.
pub(super) fn intervals_of(function: &impl IntervalFunction) -> impl Iterator<Item = Duration> {
    (0..).map(|attempt| function.next_interval(attempt))
}
