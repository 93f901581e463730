//! All layers together around a service that is always ready: what a call pays when nothing is wrong.
//!
//! The peers have no throttle like ours, so beside our four layers there are three of theirs.

mod by_hand;
mod ours;
mod peers;
mod threads;

use std::{
    fmt,
    future::ready,
    hint::black_box,
    time::{Duration, Instant},
};

use by_hand::ByHand;
use evenkeel_backoff::{Exponential, Retry, TokenBudget};
use evenkeel_breaker::{Breaker, Call, ErrIsFailure};
use evenkeel_hedging::Hedge;
use ours::{four, four_by_reference, three, three_by_reference, warm};
use peers::{resilience, towers, towers_own};
use tower::Service;

use crate::{
    cases::forever,
    echo::Echo,
    measure::{Bench, Candidate, drive, request},
};

const FIRST: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(5);
const SCHEDULE: Exponential = Exponential::new(FIRST).cap(CAP);
/// None of the calls takes so long.
const DELAY: Duration = Duration::from_secs(10);

pub(super) fn run(bench: &mut Bench) {
    let runtime = super::runtime::with_time();
    let _entered = runtime.enter();
    four_layers(bench);
    three_layers(bench);
    combinators(bench);
    threads::run(bench, &runtime);
}

fn four_layers(bench: &mut Bench) {
    let now = Instant::now();
    let stands = move || now;
    bench.compare(
        "stack",
        "throttle, retry, hedge and breaker, a success at once",
        vec![
            layered("four layers, a fixed delay, clocks stand", || four([DELAY], stands)),
            layered("four layers, a `Quantile`, clocks stand", || four(warm(stands), stands)),
            layered("four layers, a `Quantile`, with the clock", || four(warm(Instant::now), Instant::now)),
            layered("four layers by reference, a fixed delay, clocks stand", || four_by_reference([DELAY], stands)),
            layered("four layers by reference, a `Quantile`, clocks stand", || four_by_reference(warm(stands), stands)),
            layered("tower's retry, tower-resilience's hedge and breaker", towers),
            layered("tower-resilience's retry, hedge and breaker", resilience),
            layered("no layer", || Echo),
            Candidate::new("a reading of the clock", Instant::now),
        ],
    );
}

fn three_layers(bench: &mut Bench) {
    let now = Instant::now();
    let stands = move || now;
    bench.compare(
        "stack",
        "retry, hedge and breaker, a success at once",
        vec![
            layered("three layers, a fixed delay", || three([DELAY], stands)),
            layered("three layers, a `Quantile`", || three(warm(Instant::now), Instant::now)),
            layered("three layers by reference, a fixed delay", || three_by_reference([DELAY], stands)),
            layered("three layers by reference, a `Quantile`", || three_by_reference(warm(Instant::now), Instant::now)),
            layered("tower's retry, `tower::hedge`, tower-resilience's breaker", towers_own),
            layered("tower's retry, tower-resilience's hedge and breaker", towers),
            layered("tower-resilience's retry, hedge and breaker", resilience),
            layered("by hand: a state and a count, both atomic, and a loop", ByHand::default),
            layered("no layer", || Echo),
        ],
    );
}

/// The same without tower: what is shared is borrowed, but for the breaker if it is by handle.
fn combinators(bench: &mut Bench) {
    let all = || {
        let budget = forever(TokenBudget::default());
        let retry = Retry::new(SCHEDULE.take(3), tokio::time::sleep).budget(budget);
        (retry, Hedge::after(DELAY, tokio::time::sleep).budget(budget), Breaker::new())
    };
    let (retry, hedge, breaker) = all();
    bench.compare(
        "stack",
        "retry, hedge and breaker as combinators, a success at once",
        vec![
            Candidate::new("`retry.run(hedge.run(breaker.call(…)))`", || {
                drive(retry.run(|_| hedge.run(|_| breaker.call(ready(black_box(Ok::<u64, fmt::Error>(1)))))))
            })
            .keeps(all),
            Candidate::new("`retry.run(hedge.run(Call::of(&breaker, …)))`", || {
                let answer = || ready(black_box(Ok::<u64, fmt::Error>(1)));
                drive(retry.run(|_| hedge.run(|_| Call::of(&breaker, ErrIsFailure, answer()))))
            })
            .keeps(all),
            Candidate::new("a bare await", || drive(ready(black_box(Ok::<u64, fmt::Error>(1))))),
        ],
    );
}

/// Each call is asserted to have been made.
fn layered<'a, S: Service<u64, Response = u64> + 'a>(name: &'static str, make: impl Fn() -> S + 'a) -> Candidate<'a> {
    let mut service = make();
    Candidate::new(name, move || assert!(request(&mut service, black_box(1)).is_ok())).keeps(make)
}
