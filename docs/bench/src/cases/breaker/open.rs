//! A breaker that is not closed: rejections, and probes.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder, State};

use super::{
    AREA,
    peers::{Answer, HOUR, Peer, failsafe, failsafe_both, recloser, resilience},
};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    rejections(bench);
    periods(bench);
}

/// What is open, and stays so.
fn rejected<'a, P: Peer + 'a>(name: &'static str, make: impl Fn() -> P + 'a) -> Candidate<'a> {
    let mut peer = make();
    assert!(!peer.admits(Ok(0)), "{name}");
    Candidate::new(name, move || assert!(!peer.admits(black_box(Ok(1))))).keeps(make)
}

fn rejections(bench: &mut Bench) {
    let start = Instant::now();
    let one = || Breaker::builder().consecutive_failures(1).open_for([HOUR]).clock(move || start);
    let forced = || {
        let breaker = Breaker::new();
        breaker.force_open();
        breaker
    };
    bench.compare(
        AREA,
        "a rejection",
        vec![
            rejected("`Breaker`, open, with the clock", || {
                let open = failed(Breaker::builder().open_for([HOUR]).build().expect("valid"), 10);
                assert_eq!(open.state(), State::Open);
                open
            }),
            rejected("`Breaker`, open, its clock stands", || failed(one().build().expect("valid"), 1)),
            rejected("`Breaker`, half-open, its probe is out", half_open),
            rejected("`Breaker`, forced open", forced),
            // Its window of a hundred is judged with the next.
            rejected("recloser, `call`", || failed(recloser(0.5), 101)),
            rejected("failsafe, failures in a row", || failed(failsafe(5), 5)),
            rejected("failsafe, both policies", || failed(failsafe_both(0.5, 5), 5)),
            rejected("tower-resilience", || {
                let resilience = failed(resilience(|rules| rules.consecutive_failures(5)), 5);
                assert!(resilience.0.is_open());
                resilience
            }),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}

/// The time that it was open for is over, and its probe does not come back.
fn half_open() -> Breaker {
    let short = Breaker::builder().open_for([Duration::from_nanos(1)]).probe_timeout(HOUR);
    let breaker = failed(short.build().expect("valid"), 10);
    let probe = loop {
        if let Ok(probe) = breaker.try_acquire() {
            break probe;
        }
    };
    std::mem::forget(probe);
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker
}

/// From closed to open, to half-open, and back: what a service that is back costs once.
fn periods(bench: &mut Bench) {
    // A probe would have no longer than it was open.
    let short = || Breaker::builder().open_for([Duration::from_nanos(1)]).probe_timeout(HOUR);
    let after = |failures, builder: BreakerBuilder| {
        let breaker = builder.build().expect("valid");
        period(&breaker, failures);
        breaker
    };
    let one = || after(1, short().consecutive_failures(1));
    let both = || after(10, short());
    let (one_1, both_1, forced) = (one(), both(), Breaker::new());
    bench.compare(
        AREA,
        "it opens, its probe succeeds, it closes",
        vec![
            Candidate::new("`Breaker`, after one failure", || period(&one_1, 1)).keeps(one),
            Candidate::new("`Breaker`, the default rules, after ten", || period(&both_1, 10)).keeps(both),
            Candidate::new("`Breaker`, by `force_open` and `reset`", || {
                forced.force_open();
                forced.reset();
            })
            .keeps(Breaker::new),
        ],
    );
    assert_eq!(one_1.state(), State::Closed);
}

fn period(breaker: &Breaker, failures: u32) {
    (0..failures).for_each(|_| breaker.try_acquire().expect("closed").failure());
    loop {
        // Its time of one nanosecond may not be over.
        if let Ok(probe) = breaker.try_acquire() {
            probe.success();
            if breaker.state() == State::Closed {
                return;
            }
        }
    }
}

fn failed<P: Peer>(mut peer: P, times: u64) -> P {
    const FAILED: Answer = Err(0);
    (0..times).for_each(|_| assert!(peer.admits(FAILED)));
    peer
}
