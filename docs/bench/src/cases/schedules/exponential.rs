//! Exponential, as everyone has it.

use std::{hint::black_box, time::Duration};

use backon::BackoffBuilder;
use evenkeel_backoff::Jitter;

use super::{CAP, FIRST, SCHEDULE, peers, ten};
use crate::{
    cases::runtime,
    measure::{Bench, Candidate},
};

pub(super) fn run(bench: &mut Bench) {
    let runtime = runtime::with_time();
    let _entered = runtime.enter();
    full_jitter(bench);
    no_jitter(bench);
}

fn full_jitter(bench: &mut Bench) {
    let now = std::time::Instant::now();
    let seeded = || black_box(SCHEDULE).seed(black_box(1)).take(10).into_iter();
    let backon = || black_box(peers::backon()).with_max_times(10).with_jitter().build();
    let tokio_retry2 = || black_box(peers::tokio_retry2()).map(tokio_retry2::strategy::jitter).take(10);
    let tokio_retry = || black_box(peers::tokio_retry()).map(tokio_retry::strategy::jitter).take(10);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let (mut maker, resilience) = (peers::tower(1.0), peers::resilience());
    bench.compare(
        "schedules",
        "ten delays, full jitter",
        vec![
            Candidate::new("`Exponential`", || ten(black_box(SCHEDULE).take(10)))
                .keeps(|| SCHEDULE.take(10).into_iter()),
            Candidate::new("`Exponential`, a constant that the compiler looks into", || ten(SCHEDULE.take(10)))
                .keeps(|| SCHEDULE.take(10).into_iter()),
            Candidate::new("`Exponential`, seeded", || ten(seeded())).keeps(seeded),
            Candidate::new("by hand", move || {
                // Xorshift, the least that a jitter can be drawn from.
                let draw = |delay: u64| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    Duration::from_nanos(((u128::from(random) * u128::from(delay)) >> 64) as u64)
                };
                ten(doubled().map(draw).take(10))
            })
            .keeps(|| (doubled(), 0_u64)),
            Candidate::new("backon", || ten(backon())).keeps(backon),
            Candidate::new("tokio-retry2", || ten(tokio_retry2())).keeps(tokio_retry2),
            Candidate::new("tokio-retry", || ten(tokio_retry())).keeps(tokio_retry),
            Candidate::new("backoff", || ten(peers::delays_of(peers::backoff(black_box(1.0))).take(10)))
                .keeps(|| peers::backoff(1.0)),
            Candidate::new("backoff, its clock stands", || {
                ten(peers::delays_of(peers::backoff_whose_clock_stands(black_box(1.0), now)).take(10))
            })
            .keeps(|| peers::backoff_whose_clock_stands(1.0, now)),
            Candidate::new("tower, which makes the sleeps", || ten_sleeps(peers::sleeps_of(&mut maker)))
                .keeps(|| tower::retry::backoff::MakeBackoff::make_backoff(&mut peers::tower(1.0))),
            Candidate::new("tower-resilience-retry", || ten(peers::intervals_of(black_box(&resilience)).take(10)))
                .keeps(peers::resilience),
        ],
    );
}

fn no_jitter(bench: &mut Bench) {
    let now = std::time::Instant::now();
    let ours = || black_box(SCHEDULE).jitter(Jitter::None).take(10).into_iter();
    let backon = || black_box(peers::backon()).with_max_times(10).build();
    let tokio_retry2 = || black_box(peers::tokio_retry2()).take(10);
    let tokio_retry = || black_box(peers::tokio_retry()).take(10);
    let mut maker = peers::tower(0.0);
    let resilience = || tower_resilience_retry::ExponentialBackoff::new(FIRST).max_interval(CAP);
    bench.compare(
        "schedules",
        "ten delays, no jitter",
        vec![
            Candidate::new("`Exponential`", || ten(ours())).keeps(ours),
            Candidate::new("by hand", || ten(doubled().map(Duration::from_nanos).take(10))).keeps(doubled),
            Candidate::new("backon", || ten(backon())).keeps(backon),
            Candidate::new("tokio-retry2", || ten(tokio_retry2())).keeps(tokio_retry2),
            Candidate::new("tokio-retry", || ten(tokio_retry())).keeps(tokio_retry),
            Candidate::new("backoff", || ten(peers::delays_of(peers::backoff(black_box(0.0))).take(10)))
                .keeps(|| peers::backoff(0.0)),
            Candidate::new("backoff, its clock stands", || {
                ten(peers::delays_of(peers::backoff_whose_clock_stands(black_box(0.0), now)).take(10))
            })
            .keeps(|| peers::backoff_whose_clock_stands(0.0, now)),
            Candidate::new("tower, which makes the sleeps", || ten_sleeps(peers::sleeps_of(&mut maker)))
                .keeps(|| tower::retry::backoff::MakeBackoff::make_backoff(&mut peers::tower(0.0))),
            Candidate::new("tower-resilience-retry", || ten(peers::intervals_of(&black_box(resilience())).take(10)))
                .keeps(resilience),
        ],
    );
}

/// Nanoseconds, doubled up to the cap.
fn doubled() -> impl Iterator<Item = u64> {
    let mut next = black_box(FIRST.as_nanos() as u64);
    std::iter::from_fn(move || {
        let delay = next;
        next = delay.saturating_mul(2).min(CAP.as_nanos() as u64);
        Some(delay)
    })
}

/// Looks at when each ends.
fn ten_sleeps(ends: impl Iterator<Item = tokio::time::Instant>) -> Option<tokio::time::Instant> {
    ends.take(10).map(black_box).max()
}
