//! As a combinator: a future that is ready, inside of the breaker's.

use std::{
    future::{Ready, ready},
    hint::black_box,
    time::Instant,
};

use evenkeel_breaker::{Breaker, Call, ErrIsFailure};
use failsafe::futures::CircuitBreaker as _;
use recloser::AsyncRecloser;

use super::{
    AREA, CALLS, SPAN,
    peers::{Answer, Atomics, Peer, answers, failsafe, failsafe_both, ours, unshared},
    services::Made,
};
use crate::measure::{Bench, Candidate, drive};

pub(super) fn run(bench: &mut Bench) {
    case(bench, "a future, closed, all succeed", 0.5, answers::success);
    case(bench, "a future, closed, every second call fails", 0.9, answers::every_second_fails);
    rejections(bench);
}

fn case(bench: &mut Bench, case: &str, rate: f64, answer: impl Fn(u64) -> Answer + Copy) {
    let start = Instant::now();
    let timed = || Breaker::builder().failure_rate(rate).time_window(SPAN);
    let defaults = || filled(ours(rate, 10).build().expect("valid"), answer);
    let clocked = || filled(timed().build().expect("valid"), answer);
    let still = || filled(timed().clock(move || start).build().expect("valid"), answer);
    let reclosed = || AsyncRecloser::from(unshared(rate as f32));
    let (in_a_row, both) = (|| failsafe(5), || failsafe_both(rate, 5));
    let (defaults_1, clocked_1, still_1) = (defaults(), clocked(), still());
    let (reclosed_1, in_a_row_1, both_1, mut atomics) = (reclosed(), in_a_row(), both(), Atomics::default());
    bench.compare(
        AREA,
        case,
        vec![
            made("`Breaker::call`, the default rules", answer, |future| drive(defaults_1.call(future))).keeps(defaults),
            made("`Call::of` a breaker by reference, the default rules", answer, |future| {
                drive(Call::of(&defaults_1, ErrIsFailure, future))
            })
            .keeps(defaults),
            made("`Breaker::call`, time window, with the clock", answer, |future| drive(clocked_1.call(future)))
                .keeps(clocked),
            made("`Breaker::call`, time window, its clock stands", answer, |future| drive(still_1.call(future)))
                .keeps(still),
            made("recloser, its future", answer, |future| drive(reclosed_1.call(future))).keeps(reclosed),
            made("failsafe, its future, failures in a row", answer, |future| drive(in_a_row_1.call(future)))
                .keeps(in_a_row),
            made("failsafe, its future, both policies, with the clock", answer, |future| drive(both_1.call(future)))
                .keeps(both),
            made("by hand: one atomic load and one atomic add", answer, |future| {
                let answer = drive(future);
                assert!(atomics.admits(answer));
                answer
            })
            .keeps(Atomics::default),
            made("no breaker", answer, drive),
        ],
    );
}

/// After calls that fill its window.
fn filled<C: Fn() -> Instant>(mut breaker: Breaker<C>, answer: impl Fn(u64) -> Answer) -> Breaker<C> {
    (0..CALLS).for_each(|n| assert!(breaker.admits(answer(n))));
    breaker
}

fn rejections(bench: &mut Bench) {
    let open = || {
        let rules = Breaker::builder().consecutive_failures(1).open_for([super::peers::HOUR]);
        let breaker = rules.build().expect("valid");
        breaker.try_acquire().expect("closed").failure();
        breaker
    };
    let forced = || {
        let breaker = Breaker::new();
        breaker.force_open();
        breaker
    };
    let reclosed = || {
        let recloser = AsyncRecloser::from(unshared(0.5));
        // Its window of a hundred is judged with the next.
        (0..101).for_each(|_| assert!(drive(recloser.call(failed())).is_err()));
        recloser
    };
    let failsafed = || {
        let failsafe = failsafe(5);
        (0..5).for_each(|_| assert!(drive(failsafe.call(failed())).is_err()));
        failsafe
    };
    let (open_1, forced_1, reclosed_1, failsafed_1) = (open(), forced(), reclosed(), failsafed());
    bench.compare(
        AREA,
        "a future, a rejection",
        vec![
            rejected("`Breaker::call`, open, with the clock", |future| drive(open_1.call(future))).keeps(open),
            rejected("`Breaker::call`, forced open", |future| drive(forced_1.call(future))).keeps(forced),
            rejected("recloser, its future", |future| drive(reclosed_1.call(future))).keeps(reclosed),
            rejected("failsafe, its future", |future| drive(failsafed_1.call(future))).keeps(failsafed),
        ],
    );
}

fn failed() -> Ready<Answer> {
    ready(Err(0))
}

/// It asserts that the call was made, by its answer.
fn made<'a, E: Made>(
    name: &'static str,
    answer: impl Fn(u64) -> Answer + 'a,
    mut call: impl FnMut(Ready<Answer>) -> Result<u64, E> + 'a,
) -> Candidate<'a> {
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        assert!(call(ready(black_box(answer(n)))).map_or_else(|error| error.made(), |_| true));
    })
}

fn rejected<'a, E: Made>(
    name: &'static str,
    mut call: impl FnMut(Ready<Answer>) -> Result<u64, E> + 'a,
) -> Candidate<'a> {
    Candidate::new(name, move || assert!(call(ready(black_box(Ok(1)))).is_err_and(|error| !error.made())))
}
