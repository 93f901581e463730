//! Two threads on one closed breaker, beside one.
//!
//! tower-resilience waits for its lock in a future, which is polled again at once: no runtime has to be woken.

use std::time::Instant;

use evenkeel_breaker::Breaker;

use super::{
    AREA, SPAN,
    peers::{Answer, Atomics, Locked, Peer, answers, failsafe, failsafe_both, ours, recloser, resilience},
};
use crate::measure::{Bench, Shared};

pub(super) fn run(bench: &mut Bench) {
    case(bench, "two threads, all succeed", 0.5, 10, 100, answers::success);
    case(bench, "two threads, every second call fails", 0.9, 10, 100, answers::every_second_fails);
    // Of both threads there are 254 failures in a row at most, and so no window of 500 without a success.
    case(bench, "two threads, all calls but one in 128 fail", 1.0, 1_000, 500, answers::nearly_all_fail);
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
    let both_rules = ours(rate, run).count_window(window).build().expect("valid");
    let row = Breaker::builder().consecutive_failures(run).build().expect("valid");
    let count = Breaker::builder().failure_rate(rate).count_window(window).build().expect("valid");
    let timed = Breaker::builder().failure_rate(rate).time_window(SPAN).build().expect("valid");
    let still = Breaker::builder().failure_rate(rate).time_window(SPAN).clock(move || start).build().expect("valid");
    // The peers' windows are of 100 results, which may all be failures: theirs are rules that nothing can meet.
    let never = rate >= 1.0;
    let most = if never { u32::MAX } else { run };
    let recloser = recloser(if never { 1.1 } else { rate as f32 });
    let (failsafe, both) = (failsafe(most), failsafe_both(rate, most));
    let in_a_row = resilience(|rules| rules.consecutive_failures(most as usize));
    let share = resilience(|rules| rules.failure_rate_threshold(rate).sliding_window_size(window as usize));
    let candidates = [
        shared("`Breaker`, the rules of both kinds", both_rules, answer),
        shared("`Breaker`, failures in a row", row, answer),
        shared("`Breaker`, count window", count, answer),
        shared("`Breaker`, time window, its clock stands", still, answer),
        shared("`Breaker`, time window, with the clock", timed, answer),
        shared("recloser, `call`", recloser, answer),
        shared("failsafe, failures in a row", failsafe, answer),
        shared("failsafe, both policies, with the clock", both, answer),
        shared("tower-resilience, a share, with the clock", share, answer),
        shared("tower-resilience, failures in a row, with the clock", in_a_row, answer),
        shared("by hand: one atomic load and one atomic add", Atomics::default(), answer),
        shared("by hand: failures in a row, behind a lock", Locked::new(most), answer),
        shared("each thread its own atomics: what the machine has", Alone(Atomics::default()), answer),
    ];
    bench.share(AREA, case, &candidates);
}

fn shared<'a, P: Peer + Sync + 'a>(
    name: &'static str,
    peer: P,
    answer: impl Fn(u64) -> Answer + Copy + Sync + 'a,
) -> Shared<'a> {
    Shared::new(name, move || {
        let mut peer = peer.clone();
        move |n| assert!(peer.admits(answer(n)), "{name}")
    })
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
