//! A breaker that is not closed: rejections, and probes.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, State};

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
fn rejected<'a, P: Peer + 'a>(name: &'static str, peer: &P) -> Candidate<'a> {
    let mut peer = peer.clone();
    assert!(!peer.admits(Ok(0)), "{name}");
    Candidate::new(name, move || assert!(!peer.admits(black_box(Ok(1)))))
}

fn rejections(bench: &mut Bench) {
    let start = Instant::now();
    let mut open = Breaker::builder().open_for([HOUR]).build().expect("valid");
    fail(&mut open, 10);
    let still =
        Breaker::builder().consecutive_failures(1).open_for([HOUR]).clock(move || start).build().expect("valid");
    still.try_acquire().expect("closed").failure();
    // Its time is over at once.
    let mut half_open =
        Breaker::builder().open_for([Duration::from_nanos(1)]).probe_timeout(HOUR).build().expect("valid");
    fail(&mut half_open, 10);
    let _probe = loop {
        if let Ok(probe) = half_open.try_acquire() {
            break probe;
        }
    };
    let forced = Breaker::new();
    forced.force_open();
    let states = [open.state(), still.state(), half_open.state(), forced.state()];
    assert_eq!(states, [State::Open, State::Open, State::HalfOpen, State::ForcedOpen]);

    let (mut recloser, mut failsafe, mut both) = (recloser(0.5), failsafe(5), failsafe_both(0.5, 5));
    let mut resilience = resilience(|rules| rules.consecutive_failures(5));
    // Its window of a hundred is judged with the next.
    fail(&mut recloser, 101);
    fail(&mut failsafe, 5);
    fail(&mut both, 5);
    fail(&mut resilience, 5);
    assert!(resilience.0.is_open());
    bench.compare(
        AREA,
        "a rejection",
        vec![
            rejected("`Breaker`, open, with the clock", &open),
            rejected("`Breaker`, open, its clock stands", &still),
            rejected("`Breaker`, half-open, its probe is out", &half_open),
            rejected("`Breaker`, forced open", &forced),
            rejected("recloser, `call`", &recloser),
            rejected("failsafe, failures in a row", &failsafe),
            rejected("failsafe, both policies", &both),
            rejected("tower-resilience", &resilience),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    assert_eq!(open.state(), State::Open);
}

/// From closed to open, to half-open, and back: what a service that is back costs once.
fn periods(bench: &mut Bench) {
    // A probe would have no longer than it was open.
    let short = || Breaker::builder().open_for([Duration::from_nanos(1)]).probe_timeout(HOUR);
    let one = short().consecutive_failures(1).build().expect("valid");
    let both = short().build().expect("valid");
    let forced = Breaker::new();
    bench.compare(
        AREA,
        "it opens, its probe succeeds, it closes",
        vec![
            Candidate::new("`Breaker`, after one failure", || period(&one, 1)),
            Candidate::new("`Breaker`, the default rules, after ten", || period(&both, 10)),
            Candidate::new("`Breaker`, by `force_open` and `reset`", || {
                forced.force_open();
                forced.reset();
            }),
        ],
    );
    assert_eq!(one.state(), State::Closed);
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

fn fail<P: Peer>(peer: &mut P, times: u64) {
    const FAILED: Answer = Err(0);
    (0..times).for_each(|_| assert!(peer.admits(FAILED)));
}
