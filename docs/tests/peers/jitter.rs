//! Whether jitter passes the cap, is alive at it, and is another for each request.

use std::{collections::BTreeSet, time::Duration};

use backoff::backoff::Backoff as _;
use backon::BackoffBuilder as _;
use evenkeel_backoff::{Exponential, Jitter, Ratio};
use tokio::time::Instant;
use tokio_retry2::strategy::{ExponentialFactorBackoff, jitter};
use tower::{
    retry::backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _},
    util::rng::HasherRng,
};
use tower_resilience_retry::{ExponentialRandomBackoff, IntervalFunction as _};

use crate::at_hand::{ms, secs};

const FIRST: Duration = ms(100);
const CAP: Duration = secs(1);

fn backon() -> impl Iterator<Item = Duration> {
    let builder = backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP);
    builder.with_jitter().with_max_times(1_000).build()
}

fn ours() -> Exponential {
    Exponential::new(FIRST).cap(CAP).take(1_000)
}

/// The delay that a policy of tower's would sleep for.
fn towers(backoff: &mut ExponentialBackoff) -> Duration {
    backoff.next_backoff().deadline() - Instant::now()
}

fn towers_maker() -> ExponentialBackoffMaker {
    ExponentialBackoffMaker::new(FIRST, CAP, 0.99, HasherRng::default()).unwrap()
}

fn assert_passes_by_up_to(times: f64, delays: impl Iterator<Item = Duration>) {
    let longest = delays.max().unwrap();
    assert!(longest > CAP.mul_f64(1.0 + (times - 1.0) * 0.8), "{longest:?}");
    assert!(longest <= CAP.mul_f64(times) + ms(1), "{longest:?}");
}

#[test]
fn backon_1_6_jitter_passes_the_maximum_delay() {
    assert_passes_by_up_to(2.0, backon());
}

#[test]
fn tokio_retry2_0_6_jitter_passes_the_maximum_delay() {
    let delays = ExponentialFactorBackoff::from_millis(100, 2.0).max_delay(CAP);
    assert_passes_by_up_to(1.5, delays.map(jitter).take(1_000));
}

#[test]
fn backoff_0_4_jitter_passes_the_maximum_interval() {
    let mut delays = backoff::ExponentialBackoffBuilder::new()
        .with_initial_interval(FIRST)
        .with_max_interval(CAP)
        .with_max_elapsed_time(None)
        .build();
    assert_passes_by_up_to(1.5, (0..1_000).map_while(|_| delays.next_backoff()));
}

#[test]
fn tower_resilience_retry_0_14_jitter_passes_the_maximum_interval() {
    let delays = ExponentialRandomBackoff::new(FIRST, 0.5).unwrap().max_interval(CAP);
    assert_passes_by_up_to(1.5, (0..1_000).map(|attempt| delays.next_interval(attempt)));
}

#[tokio::test(start_paused = true)]
async fn tower_0_5_jitter_does_not_pass_the_maximum_and_is_gone_at_it() {
    let mut backoff = towers_maker().make_backoff();
    let delays: Vec<_> = (0..1_000).map(|_| towers(&mut backoff)).collect();
    assert!(delays.iter().all(|delay| *delay <= CAP));
    assert!(delays[4..].iter().all(|delay| *delay == CAP), "everyone waits for the same second");
}

#[test]
fn ours_jitter_does_not_pass_the_cap_and_is_alive_at_it() {
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Around(Ratio::HALF)] {
        let delays: Vec<_> = ours().jitter(jitter).into_iter().skip(4).collect();
        assert!(delays.iter().all(|delay| *delay <= CAP));
        let different: BTreeSet<_> = delays.iter().collect();
        assert!(different.len() > delays.len() * 9 / 10, "{} different ones with {jitter:?}", different.len());
    }
}

#[tokio::test(start_paused = true)]
async fn tower_0_5_two_requests_of_one_policy_draw_the_same_delays() {
    let mut maker = towers_maker();
    let (mut one, mut other) = (maker.make_backoff(), maker.make_backoff());
    assert!((0..4).all(|_| towers(&mut one) == towers(&mut other)), "made by one maker");

    let of_the_policy = maker.make_backoff();
    let (mut one, mut other) = (of_the_policy.clone(), of_the_policy.clone());
    assert!((0..4).all(|_| towers(&mut one) == towers(&mut other)), "and where the policy of each request is a clone");

    let (mut one, mut other) = (towers_maker().make_backoff(), towers_maker().make_backoff());
    assert!((0..4).any(|_| towers(&mut one) != towers(&mut other)), "of two makers they differ");
}

#[test]
fn backon_1_6_two_requests_of_one_policy_draw_different_delays() {
    assert_ne!(backon().take(8).collect::<Vec<_>>(), backon().take(8).collect::<Vec<_>>());
}

#[test]
fn ours_two_requests_of_one_policy_draw_different_delays_unless_a_seed_is_given() {
    let (schedule, replayed) = (ours(), ours().seed(7));
    assert!(!schedule.into_iter().take(8).eq(schedule.into_iter().take(8)));
    assert!(replayed.into_iter().eq(replayed));
}
