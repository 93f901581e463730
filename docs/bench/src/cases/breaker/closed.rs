//! A closed breaker, beside the peers.

use std::time::Instant;

use evenkeel_breaker::{Breaker, BreakerBuilder};

use super::{
    AREA, SPAN, admitted,
    peers::{Answer, Atomics, HOUR, Locked, answers, failsafe, failsafe_both, ours, recloser, resilience},
};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    case(bench, "closed, all succeed", 0.5, answers::success);
    case(bench, "closed, one call in 500 fails", 0.5, answers::few_fail);
    case(bench, "closed, every second call fails", 0.9, answers::every_second_fails);
}

/// Rules of that share of failures do not open, nor do those of several in a row.
fn case(bench: &mut Bench, case: &str, rate: f64, answer: impl Fn(u64) -> Answer + Copy) {
    let start = Instant::now();
    let built = |builder: BreakerBuilder| move || builder.clone().build().expect("valid");
    let standing = move || start;
    let timed = || Breaker::builder().failure_rate(rate).time_window(SPAN);
    let slow = || ours(rate, 10).slow_calls(HOUR, 0.5);
    let share = move || resilience(|rules| rules.failure_rate_threshold(rate));
    let in_a_row = || resilience(|rules| rules.consecutive_failures(5));
    bench.compare(
        AREA,
        case,
        vec![
            admitted("`Breaker`, the default rules", built(ours(rate, 10)), answer),
            admitted("`Breaker`, failures in a row", built(Breaker::builder().consecutive_failures(10)), answer),
            admitted("`Breaker`, count window of 100", built(Breaker::builder().failure_rate(rate)), answer),
            admitted(
                "`Breaker`, count window of 500",
                built(Breaker::builder().failure_rate(rate).count_window(500)),
                answer,
            ),
            admitted("`Breaker`, time window, with the clock", built(timed()), answer),
            admitted(
                "`Breaker`, time window, its clock stands",
                move || timed().clock(standing).build().expect("valid"),
                answer,
            ),
            admitted("`Breaker`, the default rules and a slow rule, with the clock", built(slow()), answer),
            admitted(
                "`Breaker`, the default rules and a slow rule, its clock stands",
                move || slow().clock(standing).build().expect("valid"),
                answer,
            ),
            admitted("recloser, `call`", move || recloser(rate as f32), answer),
            admitted("failsafe, failures in a row", || failsafe(5), answer),
            admitted("failsafe, both policies, with the clock", move || failsafe_both(rate, 5), answer),
            admitted("tower-resilience, count window", share, answer),
            admitted("tower-resilience, failures in a row", in_a_row, answer),
            admitted("by hand: one atomic load and one atomic add", Atomics::default, answer),
            admitted("by hand: failures in a row, behind a lock", || Locked::new(10), answer),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}
