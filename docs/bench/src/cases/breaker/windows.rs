//! Whether a time window's cost depends on what is in it.

use std::{
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, State};
use tower_resilience_circuitbreaker::SlidingWindowType;

use super::{
    AREA, SPAN, admitted,
    peers::{Answer, Peer, answers, resilience},
};
use crate::measure::{Bench, Candidate};

const FEW: u64 = 10;
const MANY: u64 = 1_000_000;

pub(super) fn run(bench: &mut Bench) {
    case(bench, "time windows by content, all succeed", answers::success);
    case(bench, "time windows by content, every second call fails", answers::every_second_fails);
    case(bench, "time windows by content, all calls but one in 128 fail", answers::nearly_all_fail);
}

fn case(bench: &mut Bench, case: &str, answer: impl Fn(u64) -> Answer + Copy) {
    // Each has a clock of its own.
    let times: [Cell<Instant>; 5] = [(); 5].map(|()| Cell::new(Instant::now()));
    let [few, many, moved_few, moved_some, moved_many] = times.each_ref().map(|time| {
        Breaker::builder().failure_rate(1.0).time_window(SPAN).clock(|| time.get()).build().expect("valid")
    });
    let [_, _, time_few, time_some, time_many] = &times;
    // A rule that nothing can meet: ten milliseconds may hold failures alone.
    let short = || {
        resilience(|rules| {
            let by_time =
                rules.sliding_window_type(SlidingWindowType::TimeBased).minimum_number_of_calls(1_000_000_000);
            by_time.sliding_window_duration(Duration::from_millis(10))
        })
    };
    bench.compare(
        AREA,
        case,
        vec![
            emptied("its clock stands: 10 results at first", few, answer),
            standing("its clock stands: 1,000,000 results at first", many.clone(), answer),
            moving("its clock moves: 10 results, each in a slot of its own", &moved_few, FEW, time_few, answer),
            moving("its clock moves: 1,000 results", &moved_some, 1_000, time_some, answer),
            moving("its clock moves: 1,000,000 results", &moved_many, MANY, time_many, answer),
            admitted("tower-resilience: the results of 10 ms, as many as it has time for", short, answer),
        ],
    );
    assert!(u64::from(many.snapshot().calls) > MANY, "they are all still there");
}

/// What a batch adds is gone with the next: there are never more than its own.
fn emptied<'a, C: Fn() -> Instant + 'a>(
    name: &'static str,
    mut breaker: Breaker<C>,
    answer: impl Fn(u64) -> Answer + 'a,
) -> Candidate<'a> {
    let mut n = 0;
    Candidate::batched(name, move |times| {
        breaker.reset();
        fill(&mut breaker, FEW, &answer);
        for _ in 0..times {
            n += 1;
            assert!(breaker.admits(black_box(answer(n))));
        }
    })
}

fn standing<'a, C: Fn() -> Instant + 'a>(
    name: &'static str,
    mut breaker: Breaker<C>,
    answer: impl Fn(u64) -> Answer + 'a,
) -> Candidate<'a> {
    fill(&mut breaker, MANY, &answer);
    assert_eq!(u64::from(breaker.snapshot().calls), MANY);
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        assert!(breaker.admits(black_box(answer(n))));
    })
}

/// So many results in the window, to a tenth: between two calls there is their share of its span.
fn moving<'a, C: Fn() -> Instant + 'a>(
    name: &'static str,
    breaker: &'a Breaker<C>,
    results: u64,
    time: &'a Cell<Instant>,
    answer: impl Fn(u64) -> Answer + 'a,
) -> Candidate<'a> {
    let mut moved = breaker.clone();
    let step = Duration::from_nanos(SPAN.as_nanos() as u64 / results);
    let mut next = move |n| {
        time.set(time.get() + step);
        assert!(moved.admits(black_box(answer(n))));
    };
    (0..2 * results).for_each(&mut next);
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.state, State::Closed);
    assert!(u64::from(snapshot.calls).abs_diff(results) <= results / 10 + 1, "{snapshot:?}");
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        next(n);
    })
}

fn fill<C: Fn() -> Instant>(breaker: &mut Breaker<C>, results: u64, answer: impl Fn(u64) -> Answer) {
    (0..results).for_each(|n| assert!(breaker.admits(answer(n))));
}
