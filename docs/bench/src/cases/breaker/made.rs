//! What a breaker is when it is built: its own size and what it has on the heap.
//!
//! What it is after calls that fill its window is with the cases of those.

use std::time::Duration;

use evenkeel_breaker::{Abandoned, Breaker, BreakerBuilder};

use super::{
    AREA, SPAN,
    peers::{HOUR, Locked, Peer, failsafe, failsafe_both, ours, recloser, resilience},
};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    // Its first call in a thread allocates for the thread.
    assert!(recloser(0.5).admits(Ok(0)));
    bench.compare(
        AREA,
        "built and dropped",
        vec![
            built("`Breaker`, the default rules", Breaker::builder()),
            built("`Breaker`, failures in a row", Breaker::builder().consecutive_failures(10)),
            built("`Breaker`, count window of 100", Breaker::builder().failure_rate(0.5)),
            built("`Breaker`, count window of 500", Breaker::builder().failure_rate(0.5).count_window(500)),
            built("`Breaker`, time window", Breaker::builder().failure_rate(0.5).time_window(SPAN)),
            built("`Breaker`, the default rules and a slow rule", ours(0.5, 10).slow_calls(HOUR, 0.5)),
            built("`Breaker`, everything on, count window of 500", everything().count_window(500)),
            built("`Breaker`, everything on, time window", everything().time_window(SPAN)),
            kept("recloser", || recloser(0.5)),
            kept("failsafe, failures in a row", || failsafe(5)),
            kept("failsafe, both policies", || failsafe_both(0.2, 5)),
            kept("tower-resilience, with its layer", || resilience(|rules| rules)),
            kept("by hand: failures in a row, behind a lock", || Locked::new(10)),
        ],
    );
}

fn everything() -> BreakerBuilder {
    ours(0.5, 10)
        .slow_calls(HOUR, 0.5)
        .half_open_permits(10)
        .half_open_successes(5)
        .half_open_calls(10)
        .probe_timeout(HOUR)
        .ramp(Duration::from_secs(30))
        .abandoned(Abandoned::FailureAfter(HOUR))
}

fn built<'a>(name: &'static str, builder: BreakerBuilder) -> Candidate<'a> {
    kept(name, move || builder.clone().build().expect("valid"))
}

fn kept<'a, P: Peer + 'a>(name: &'static str, make: impl Fn() -> P + Clone + 'a) -> Candidate<'a> {
    Candidate::new(name, make.clone()).keeps(make)
}
