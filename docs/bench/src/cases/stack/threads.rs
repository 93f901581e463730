//! Two threads that send through one stack, beside one.
//!
//! Each has a clone of the service, as tower wants it: by handle the two count the references to what they share, by reference
//! there is nothing to count. `tower::hedge` cannot be cloned.

use std::time::Instant;

use tokio::runtime::Runtime;

use super::{
    DELAY,
    by_hand::ByHand,
    ours::{four, four_by_reference, warm},
    peers::{resilience, towers},
};
use crate::{
    cases::threads::{alone, shared},
    measure::Bench,
};

pub(super) fn run(bench: &mut Bench, runtime: &Runtime) {
    let now = Instant::now();
    let stands = move || now;
    let timed = || four(warm(Instant::now), Instant::now);
    let timed_of = || four_by_reference(warm(Instant::now), Instant::now);
    let candidates = [
        shared("four layers, a fixed delay, clocks stand", runtime, 1_u64, || four([DELAY], stands)),
        shared("four layers, a `Quantile`, with the clock", runtime, 1, timed),
        shared("four layers by reference, a fixed delay, clocks stand", runtime, 1, || {
            four_by_reference([DELAY], stands)
        }),
        shared("four layers by reference, a `Quantile`, with the clock", runtime, 1, timed_of),
        shared("tower's retry, tower-resilience's hedge and breaker", runtime, 1, towers),
        shared("tower-resilience's retry, hedge and breaker", runtime, 1, resilience),
        shared("by hand: a state and a count, both atomic, and a loop", runtime, 1, ByHand::default),
        alone("each thread its own four layers, clocks stand: what the machine has", runtime, 1, || {
            four([DELAY], stands)
        }),
    ];
    bench.share("stack", "two threads, the four layers, a success at once", &candidates);
}
