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
    let [time_few, time_many, moved_few, moved_some, moved_many] = &times;
    let built = |time| {
        let rules = Breaker::builder().failure_rate(1.0).time_window(SPAN);
        rules.clock(move || Cell::get(time)).build().expect("valid")
    };
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
            emptied("its clock stands: 10 results at first", || built(time_few), answer),
            standing("its clock stands: 1,000,000 results at first", || built(time_many), answer),
            moving(
                "its clock moves: 10 results, each in a slot of its own",
                || built(moved_few),
                FEW,
                moved_few,
                answer,
            ),
            moving("its clock moves: 1,000 results", || built(moved_some), 1_000, moved_some, answer),
            moving("its clock moves: 1,000,000 results", || built(moved_many), MANY, moved_many, answer),
            admitted("tower-resilience: the results of 10 ms, as many as it has time for", short, answer),
        ],
    );
}

/// What a batch adds is gone with the next: there are never more than its own.
fn emptied<'a, C: Fn() -> Instant + 'a>(
    name: &'static str,
    make: impl Fn() -> Breaker<C> + 'a,
    answer: impl Fn(u64) -> Answer + Copy + 'a,
) -> Candidate<'a> {
    let filled = move || filled(make(), FEW, answer);
    let mut breaker = filled();
    let mut n = 0;
    Candidate::batched(name, move |times| {
        breaker.reset();
        fill(&mut breaker, FEW, answer);
        for _ in 0..times {
            n += 1;
            assert!(breaker.admits(black_box(answer(n))));
        }
    })
    .keeps(filled)
}

fn standing<'a, C: Fn() -> Instant + 'a>(
    name: &'static str,
    make: impl Fn() -> Breaker<C> + 'a,
    answer: impl Fn(u64) -> Answer + Copy + 'a,
) -> Candidate<'a> {
    let filled = move || filled(make(), MANY, answer);
    let mut breaker = filled();
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        assert!(breaker.admits(black_box(answer(n))));
    })
    .keeps(filled)
}

/// So many results in the window, to a tenth: between two calls there is their share of its span.
fn moving<'a, C: Fn() -> Instant + 'a>(
    name: &'static str,
    make: impl Fn() -> Breaker<C> + 'a,
    results: u64,
    time: &'a Cell<Instant>,
    answer: impl Fn(u64) -> Answer + Copy + 'a,
) -> Candidate<'a> {
    let step = Duration::from_nanos(SPAN.as_nanos() as u64 / results);
    let next = move |breaker: &mut Breaker<C>, n| {
        time.set(time.get() + step);
        assert!(breaker.admits(black_box(answer(n))));
    };
    let filled = move || {
        let mut breaker = make();
        (0..2 * results).for_each(|n| next(&mut breaker, n));
        let snapshot = breaker.snapshot();
        assert_eq!(snapshot.state, State::Closed);
        assert!(u64::from(snapshot.calls).abs_diff(results) <= results / 10 + 1, "{snapshot:?}");
        breaker
    };
    let mut breaker = filled();
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        next(&mut breaker, n);
    })
    .keeps(filled)
}

/// They stay: its clock stands.
fn filled<C: Fn() -> Instant>(mut breaker: Breaker<C>, results: u64, answer: impl Fn(u64) -> Answer) -> Breaker<C> {
    fill(&mut breaker, results, answer);
    assert_eq!(u64::from(breaker.snapshot().calls), results);
    breaker
}

fn fill<C: Fn() -> Instant>(breaker: &mut Breaker<C>, results: u64, answer: impl Fn(u64) -> Answer) {
    (0..results).for_each(|n| assert!(breaker.admits(answer(n))));
}
