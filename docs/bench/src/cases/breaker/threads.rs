//! Two threads on one closed breaker, and through one layer, beside one.
//!
//! tower-resilience waits for its lock in a future, which is polled again at once: no runtime has to be woken.

use std::time::Instant;

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerLayer};
use tokio::runtime::Runtime;
use tower_layer::Layer;

use super::{
    AREA, CALLS, SPAN,
    peers::{Answer, Atomics, Locked, Peer, answers, failsafe, failsafe_both, ours, recloser, resilience, unshared},
    services::{Failsafed, Reclosed},
};
use crate::{
    cases::{
        forever,
        runtime::with_time,
        threads::{alone, shared as sent},
    },
    echo::Echo,
    measure::{Bench, Shared},
};

pub(super) fn run(bench: &mut Bench) {
    case(bench, "two threads, all succeed", 0.5, 10, 100, answers::success);
    case(bench, "two threads, every second call fails", 0.9, 10, 100, answers::every_second_fails);
    // Of both threads there are 254 failures in a row at most, and so no window of 500 without a success.
    case(bench, "two threads, all calls but one in 128 fail", 1.0, 1_000, 500, answers::nearly_all_fail);
    layers(bench, &with_time());
}

/// Each thread has a clone of the service.
fn layers(bench: &mut Bench, runtime: &Runtime) {
    const SENT: Answer = Ok(1);
    let breaker = || ours(0.5, 10).build().expect("valid");
    let layered = move || BreakerLayer::new(breaker()).layer(Echo);
    let lent = || BreakerLayer::of(forever(breaker())).layer(Echo);
    let reclosed = || Reclosed { inner: Echo, breaker: unshared(0.5).into() };
    let failsafed = || Failsafed { inner: Echo, breaker: failsafe(5) };
    let resilience = || resilience(|rules| rules.failure_rate_threshold(0.5)).0;
    let candidates = [
        sent("`BreakerLayer`, the default rules", runtime, SENT, layered),
        sent("`BreakerLayer`, the default rules, by reference", runtime, SENT, lent),
        sent("recloser, its future in a service", runtime, SENT, reclosed),
        sent("failsafe, its future in a service, failures in a row", runtime, SENT, failsafed),
        sent("tower-resilience, count window", runtime, SENT, resilience),
        alone("each thread its own `BreakerLayer`: what the machine has", runtime, SENT, layered),
    ];
    bench.share(AREA, "two threads, a layer, all succeed", &candidates);
}

/// With rules that do not open: from that share of failures, or after so many in a row.
fn case(
    bench: &mut Bench,
    case: &str,
    rate: f64,
    run: u32,
    window: u32,
    answer: impl Fn(u64) -> Answer + Copy + Send + Sync,
) {
    let start = Instant::now();
    let built = |builder: BreakerBuilder| move || builder.clone().build().expect("valid");
    let count = || Breaker::builder().failure_rate(rate).count_window(window);
    let timed = || Breaker::builder().failure_rate(rate).time_window(SPAN);
    let still = || timed().clock(move || start).build().expect("valid");
    // The peers' windows are of 100 results, which may all be failures: theirs are rules that nothing can meet.
    let never = rate >= 1.0;
    let most = if never { u32::MAX } else { run };
    let share = || resilience(|rules| rules.failure_rate_threshold(rate).sliding_window_size(window as usize));
    let in_a_row = || resilience(|rules| rules.consecutive_failures(most as usize));
    let candidates = [
        shared("`Breaker`, the rules of both kinds", built(ours(rate, run).count_window(window)), answer),
        shared("`Breaker`, failures in a row", built(Breaker::builder().consecutive_failures(run)), answer),
        shared("`Breaker`, count window", built(count()), answer),
        shared("`Breaker`, time window, its clock stands", still, answer),
        shared("`Breaker`, time window, with the clock", built(timed()), answer),
        shared("recloser, `call`", || recloser(if never { 1.1 } else { rate as f32 }), answer),
        shared("failsafe, failures in a row", || failsafe(most), answer),
        shared("failsafe, both policies, with the clock", || failsafe_both(rate, most), answer),
        shared("tower-resilience, a share, with the clock", share, answer),
        shared("tower-resilience, failures in a row, with the clock", in_a_row, answer),
        shared("by hand: one atomic load and one atomic add", Atomics::default, answer),
        shared("by hand: failures in a row, behind a lock", || Locked::new(most), answer),
        shared("each thread its own atomics: what the machine has", || Alone(Atomics::default()), answer),
    ];
    bench.share(AREA, case, &candidates);
}

fn shared<'a, P: Peer + Sync + 'a>(
    name: &'static str,
    make: impl Fn() -> P + 'a,
    answer: impl Fn(u64) -> Answer + Copy + Sync + 'a,
) -> Shared<'a> {
    let filled = move || {
        let mut peer = make();
        (0..CALLS).for_each(|n| assert!(peer.admits(answer(n)), "{name}"));
        peer
    };
    let peer = filled();
    Shared::new(name, move || {
        let mut peer = peer.clone();
        move |n| assert!(peer.admits(answer(n)), "{name}")
    })
    .keeps(filled)
}

/// Not shared at all.
struct Alone(Atomics);

impl Clone for Alone {
    fn clone(&self) -> Self {
        Self(Atomics::default())
    }
}

impl Peer for Alone {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        self.0.admits(answer)
    }
}
