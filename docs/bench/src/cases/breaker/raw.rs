//! What `try_acquire` and `success` are by themselves, beside the atomics.

use std::time::Instant;

use evenkeel_breaker::{Breaker, BreakerBuilder};

use super::{
    AREA, CALLS, SPAN,
    peers::{Atomics, HOUR, Peer, ours},
};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    let start = Instant::now();
    let mut atomics = Atomics::default();
    let defaults = || filled(Breaker::builder());
    let run = || filled(Breaker::builder().consecutive_failures(10));
    let count = || filled(Breaker::builder().failure_rate(0.5));
    let timed = || filled(Breaker::builder().failure_rate(0.5).time_window(SPAN));
    let clean = || filled(Breaker::builder().failure_rate(0.5).time_window(SPAN).clock(move || start));
    let one = || {
        let breaker = clean();
        breaker.try_acquire().expect("closed").failure();
        breaker
    };
    let slow = || filled(ours(0.5, 10).slow_calls(HOUR, 0.5));
    let slow_still = || filled(ours(0.5, 10).slow_calls(HOUR, 0.5).clock(move || start));
    let (defaults_1, run_1, count_1, timed_1) = (defaults(), run(), count(), timed());
    let (clean_1, one_1, slow_1, slow_still_1) = (clean(), one(), slow(), slow_still());
    bench.compare(
        AREA,
        "`try_acquire()?.success()`",
        vec![
            Candidate::new("the default rules", || defaults_1.try_acquire().expect("closed").success()).keeps(defaults),
            Candidate::new("the same, not inlined", || acquire_and_succeed(&defaults_1)).keeps(defaults),
            Candidate::new("the same, the permit owns a handle", || {
                defaults_1.try_acquire_owned().expect("closed").success();
            })
            .keeps(defaults),
            Candidate::new("failures in a row", || run_1.try_acquire().expect("closed").success()).keeps(run),
            Candidate::new("count window, full of successes", || count_1.try_acquire().expect("closed").success())
                .keeps(count),
            Candidate::new("time window, its clock stands", || clean_1.try_acquire().expect("closed").success())
                .keeps(clean),
            Candidate::new("the same, with a failure in it", || one_1.try_acquire().expect("closed").success())
                .keeps(one),
            Candidate::new("time window, with the clock", || timed_1.try_acquire().expect("closed").success())
                .keeps(timed),
            Candidate::new("the default rules and a slow rule, its clock stands", || {
                slow_still_1.try_acquire().expect("closed").success();
            })
            .keeps(slow_still),
            Candidate::new("the default rules and a slow rule, with the clock", || {
                slow_1.try_acquire().expect("closed").success();
            })
            .keeps(slow),
            Candidate::new("by hand: one atomic load and one atomic add", || assert!(atomics.admits(Ok(1))))
                .keeps(Atomics::default),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    assert_eq!(one_1.snapshot().failures, 1);
}

/// Its window is full of successes.
fn filled<C: Fn() -> Instant>(builder: BreakerBuilder<C>) -> Breaker<C> {
    let breaker = builder.build().expect("valid");
    (0..CALLS).for_each(|_| breaker.try_acquire().expect("closed").success());
    breaker
}

/// A function of its own, so that its instructions can be counted:
///
/// `valgrind --tool=callgrind --toggle-collect='*acquire_and_succeed*' <the binary>`.
#[inline(never)]
fn acquire_and_succeed(breaker: &Breaker) {
    breaker.try_acquire().expect("closed").success();
}
