//! What `try_acquire` and `success` are by themselves, beside the atomics.

use std::time::Instant;

use evenkeel_breaker::Breaker;

use super::{
    AREA, CALLS, SPAN,
    peers::{Atomics, HOUR, Peer, ours},
};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    let start = Instant::now();
    let mut atomics = Atomics::default();
    let defaults = Breaker::new();
    let run = Breaker::builder().consecutive_failures(10).build().expect("valid");
    let count = Breaker::builder().failure_rate(0.5).build().expect("valid");
    let timed = Breaker::builder().failure_rate(0.5).time_window(SPAN).build().expect("valid");
    let still = || Breaker::builder().failure_rate(0.5).time_window(SPAN).clock(move || start).build().expect("valid");
    let (clean, one) = (still(), still());
    one.try_acquire().expect("closed").failure();
    let slow = ours(0.5, 10).slow_calls(HOUR, 0.5).build().expect("valid");
    let slow_still = ours(0.5, 10).slow_calls(HOUR, 0.5).clock(move || start).build().expect("valid");
    // A window that fills is filled now.
    for _ in 0..CALLS {
        for breaker in [&defaults, &run, &count, &timed, &slow] {
            breaker.try_acquire().expect("closed").success();
        }
        clean.try_acquire().expect("closed").success();
        one.try_acquire().expect("closed").success();
    }
    bench.compare(
        AREA,
        "`try_acquire()?.success()`",
        vec![
            Candidate::new("the default rules", || defaults.try_acquire().expect("closed").success()),
            Candidate::new("the same, not inlined", || acquire_and_succeed(&defaults)),
            Candidate::new("the same, the permit owns a handle", || {
                defaults.try_acquire_owned().expect("closed").success();
            }),
            Candidate::new("failures in a row", || run.try_acquire().expect("closed").success()),
            Candidate::new("count window, full of successes", || count.try_acquire().expect("closed").success()),
            Candidate::new("time window, its clock stands", || clean.try_acquire().expect("closed").success()),
            Candidate::new("the same, with a failure in it", || one.try_acquire().expect("closed").success()),
            Candidate::new("time window, with the clock", || timed.try_acquire().expect("closed").success()),
            Candidate::new("the default rules and a slow rule, its clock stands", || {
                slow_still.try_acquire().expect("closed").success();
            }),
            Candidate::new("the default rules and a slow rule, with the clock", || {
                slow.try_acquire().expect("closed").success();
            }),
            Candidate::new("by hand: one atomic load and one atomic add", || assert!(atomics.admits(Ok(1)))),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    assert_eq!(one.snapshot().failures, 1);
}

/// A function of its own, so that its instructions can be counted:
///
/// `valgrind --tool=callgrind --toggle-collect='*acquire_and_succeed*' <the binary>`.
#[inline(never)]
fn acquire_and_succeed(breaker: &Breaker) {
    breaker.try_acquire().expect("closed").success();
}
