//! What a breaker costs, beside the peers and beside the atomics that it is made of.
//!
//! `cargo bench -p evenkeel-breaker --features tower` prints the tables. Everything runs in one process, in turn; every
//! call asserts that it was made, or that it was not.
#![allow(clippy::disallowed_methods)] // A bench measures time.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, State};

#[path = "../../backoff/benches/harness/mod.rs"]
#[allow(dead_code)] // It is made for whole batches as well.
mod harness;
#[cfg(feature = "tower")]
mod layers;
mod memory;
mod peers;
mod threads;
mod windows;

use harness::{Candidate, compare};
use peers::{Answer, Atomics, HOUR, Peer, answers, failsafe, failsafe_both, ours, recloser, resilience};

fn main() {
    // First: what the peers put off freeing is not in its way.
    memory::compare_memory();
    successes_beside_the_peers();
    successes_beside_the_atomics();
    failures();
    rejections();
    #[cfg(feature = "tower")]
    layers::compare_layers();
    windows::compare_windows();
    threads::compare_threads();
}

const SPAN: Duration = Duration::from_secs(10);

/// Calls that come to what `answer` says, one after the other.
fn admitted<'a, P: Peer + 'a>(name: &'static str, mut peer: P, answer: impl Fn(u64) -> Answer + 'a) -> Candidate<'a> {
    // A window that fills is filled now.
    (0..2_000).for_each(|n| assert!(peer.admits(answer(n)), "{name}"));
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        assert!(peer.admits(black_box(answer(n))));
    })
}

/// What is open, and stays so.
fn rejected<'a, P: Peer + 'a>(name: &'static str, mut peer: P) -> Candidate<'a> {
    assert!(!peer.admits(Ok(0)), "{name}");
    Candidate::new(name, move || assert!(!peer.admits(black_box(Ok(1)))))
}

fn successes_beside_the_peers() {
    let start = Instant::now();
    let defaults = Breaker::new();
    let run = Breaker::builder().consecutive_failures(10).build().unwrap();
    let count = Breaker::builder().failure_rate(0.5).build().unwrap();
    let large = Breaker::builder().failure_rate(0.5).count_window(500).build().unwrap();
    let timed = Breaker::builder().failure_rate(0.5).time_window(SPAN).build().unwrap();
    let still = Breaker::builder().failure_rate(0.5).time_window(SPAN).clock(move || start).build().unwrap();
    let slow = ours(0.5, 10).slow_calls(HOUR, 0.5).build().unwrap();
    let (recloser, failsafe, both) = (recloser(0.5), failsafe(5), failsafe_both(0.2, 5));
    compare(
        "Closed, a call that succeeds: beside the peers",
        vec![
            admitted("recloser, `call`", &recloser, answers::success),
            admitted("the default rules", &defaults, answers::success),
            admitted("failures in a row", &run, answers::success),
            admitted("count window, full of successes", &count, answers::success),
            admitted("count window, one call in 500 fails", &large, answers::few_fail),
            admitted("time window, with the clock", &timed, answers::success),
            admitted("time window, its clock stands", &still, answers::success),
            admitted("the default rules and a slow rule, with the clock", &slow, answers::success),
            admitted("failsafe, failures in a row", &failsafe, answers::success),
            admitted("failsafe, its default, with the clock", &both, answers::success),
            admitted("tower-resilience, its default", resilience(|rules| rules), answers::success),
            admitted(
                "tower-resilience, failures in a row",
                resilience(|r| r.consecutive_failures(5)),
                answers::success,
            ),
            admitted("one atomic load and one atomic add", Atomics::default(), answers::success),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    for state in [defaults.state(), run.state(), count.state(), timed.state(), still.state(), slow.state()] {
        assert_eq!(state, State::Closed);
    }
    let snapshot = large.snapshot();
    assert!(snapshot.calls == 500 && snapshot.failures >= 1, "{snapshot:?}");
}

/// What `try_acquire` and `success` are by themselves.
fn successes_beside_the_atomics() {
    let start = Instant::now();
    let mut atomics = Atomics::default();
    let defaults = Breaker::new();
    let run = Breaker::builder().consecutive_failures(10).build().unwrap();
    let count = Breaker::builder().failure_rate(0.5).build().unwrap();
    let timed = Breaker::builder().failure_rate(0.5).time_window(SPAN).build().unwrap();
    let still = || Breaker::builder().failure_rate(0.5).time_window(SPAN).clock(move || start).build().unwrap();
    let (clean, one) = (still(), still());
    one.try_acquire().unwrap().failure();
    let slow = ours(0.5, 10).slow_calls(HOUR, 0.5).build().unwrap();
    let slow_still = ours(0.5, 10).slow_calls(HOUR, 0.5).clock(move || start).build().unwrap();
    // A window that fills is filled now.
    for _ in 0..2_000 {
        for breaker in [&defaults, &run, &count, &timed, &slow] {
            breaker.try_acquire().unwrap().success();
        }
        clean.try_acquire().unwrap().success();
        one.try_acquire().unwrap().success();
    }
    compare(
        "Closed, `try_acquire()?.success()`: beside the atomics",
        vec![
            Candidate::new("one atomic load and one atomic add", || assert!(atomics.admits(Ok(1)))),
            Candidate::new("the default rules", || defaults.try_acquire().unwrap().success()),
            Candidate::new("the same, not inlined", || acquire_and_succeed(&defaults)),
            Candidate::new("the same, the permit owns a handle", || defaults.try_acquire_owned().unwrap().success()),
            Candidate::new("failures in a row", || run.try_acquire().unwrap().success()),
            Candidate::new("count window, full of successes", || count.try_acquire().unwrap().success()),
            Candidate::new("time window, its clock stands", || clean.try_acquire().unwrap().success()),
            Candidate::new("the same, with a failure in it", || one.try_acquire().unwrap().success()),
            Candidate::new("the default rules and a slow rule, its clock stands", || {
                slow_still.try_acquire().unwrap().success();
            }),
            Candidate::new("time window, with the clock", || timed.try_acquire().unwrap().success()),
            Candidate::new("the default rules and a slow rule, with the clock", || {
                slow.try_acquire().unwrap().success();
            }),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    assert_eq!(one.snapshot().failures, 1);
}

/// A function of its own, so that its instructions can be counted:
///
/// `valgrind --tool=callgrind --toggle-collect='*acquire_and_succeed*' <the binary>`, without `--bench`.
#[inline(never)]
fn acquire_and_succeed(breaker: &Breaker) {
    breaker.try_acquire().unwrap().success();
}

fn failures() {
    let start = Instant::now();
    let every_second = answers::every_second_fails;
    let both_rules = ours(0.9, 10).build().unwrap();
    let run = Breaker::builder().consecutive_failures(10).build().unwrap();
    let count = Breaker::builder().failure_rate(0.9).build().unwrap();
    let timed = Breaker::builder().failure_rate(0.9).time_window(SPAN).build().unwrap();
    let still = Breaker::builder().failure_rate(0.9).time_window(SPAN).clock(move || start).build().unwrap();
    let slow = ours(0.9, 10).slow_calls(HOUR, 0.5).build().unwrap();
    let (recloser, failsafe, both) = (recloser(0.9), failsafe(5), failsafe_both(0.9, 5));
    compare(
        "Closed, every second call fails: it does not open",
        vec![
            admitted("recloser, `call`", &recloser, every_second),
            admitted("the default rules, but a share of 0.9", &both_rules, every_second),
            admitted("failures in a row", &run, every_second),
            admitted("count window", &count, every_second),
            admitted("time window, with the clock", &timed, every_second),
            admitted("time window, its clock stands", &still, every_second),
            admitted("the first and a slow rule, with the clock", &slow, every_second),
            admitted("failsafe, failures in a row", &failsafe, every_second),
            admitted("failsafe, both policies, with the clock", &both, every_second),
            admitted("tower-resilience, a share of 0.9", resilience(|r| r.failure_rate_threshold(0.9)), every_second),
            admitted("tower-resilience, failures in a row", resilience(|r| r.consecutive_failures(5)), every_second),
            admitted("one atomic load and one atomic add", Atomics::default(), every_second),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    let snapshot = count.snapshot();
    assert_eq!((snapshot.state, snapshot.calls, snapshot.failures), (State::Closed, 100, 50));
}

fn rejections() {
    let start = Instant::now();
    let fail = |mut peer: &Breaker| (0..10).for_each(|_| assert!(peer.admits(Err(0))));
    let open = Breaker::builder().open_for([HOUR]).build().unwrap();
    fail(&open);
    let still = Breaker::builder().consecutive_failures(1).open_for([HOUR]).clock(move || start).build().unwrap();
    still.try_acquire().unwrap().failure();
    let half_open = Breaker::builder().open_for([Duration::from_nanos(1)]).probe_timeout(HOUR).build().unwrap();
    fail(&half_open);
    // Its time is over at once.
    let _probe = loop {
        if let Ok(probe) = half_open.try_acquire() {
            break probe;
        }
    };
    let forced = Breaker::new();
    forced.force_open();
    let states = [open.state(), still.state(), half_open.state(), forced.state()];
    assert_eq!(states, [State::Open, State::Open, State::HalfOpen, State::ForcedOpen]);

    let (recloser, failsafe, mut resilience) = (recloser(0.5), failsafe(5), resilience(|r| r.consecutive_failures(5)));
    // Its window of a hundred is judged with the next.
    (0..101).for_each(|_| assert!((&recloser).admits(Err(0))));
    (0..5).for_each(|_| assert!((&failsafe).admits(Err(0)) && resilience.admits(Err(0))));
    assert!(resilience.0.is_open());
    compare(
        "A rejection",
        vec![
            Candidate::new("the clock alone", Instant::now),
            rejected("open, with the clock", &open),
            rejected("open, its clock stands", &still),
            rejected("half-open, its probe is out", &half_open),
            rejected("forced open", &forced),
            rejected("recloser, `call`", &recloser),
            rejected("failsafe", &failsafe),
            rejected("tower-resilience", resilience),
        ],
    );
    assert_eq!(open.state(), State::Open);
}
