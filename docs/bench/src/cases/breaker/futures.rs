//! As a combinator: a future that is ready, inside of the breaker's.

use std::{
    future::{Ready, ready},
    hint::black_box,
    time::Instant,
};

use evenkeel_breaker::Breaker;
use failsafe::futures::CircuitBreaker as _;
use recloser::AsyncRecloser;

use super::{
    AREA, SPAN,
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
    let defaults = ours(rate, 10).build().expect("valid");
    let timed = Breaker::builder().failure_rate(rate).time_window(SPAN);
    let still = timed.clone().clock(move || start).build().expect("valid");
    let timed = timed.build().expect("valid");
    let recloser = AsyncRecloser::from(unshared(rate as f32));
    let (failsafe, both) = (failsafe(5), failsafe_both(rate, 5));
    let mut atomics = Atomics::default();
    bench.compare(
        AREA,
        case,
        vec![
            made("`Breaker::call`, the default rules", answer, |future| drive(defaults.call(future))),
            made("`Breaker::call`, time window, with the clock", answer, |future| drive(timed.call(future))),
            made("`Breaker::call`, time window, its clock stands", answer, |future| drive(still.call(future))),
            made("recloser, its future", answer, |future| drive(recloser.call(future))),
            made("failsafe, its future, failures in a row", answer, |future| drive(failsafe.call(future))),
            made("failsafe, its future, both policies, with the clock", answer, |future| drive(both.call(future))),
            made("by hand: one atomic load and one atomic add", answer, |future| {
                let answer = drive(future);
                assert!(atomics.admits(answer));
                answer
            }),
            made("no breaker", answer, drive),
        ],
    );
}

fn rejections(bench: &mut Bench) {
    let forced = Breaker::new();
    forced.force_open();
    let open = Breaker::builder().consecutive_failures(1).open_for([super::peers::HOUR]).build().expect("valid");
    open.try_acquire().expect("closed").failure();
    let recloser = AsyncRecloser::from(unshared(0.5));
    // Its window of a hundred is judged with the next.
    (0..101).for_each(|_| assert!(drive(recloser.call(failed())).is_err()));
    let failsafe = failsafe(5);
    (0..5).for_each(|_| assert!(drive(failsafe.call(failed())).is_err()));
    bench.compare(
        AREA,
        "a future, a rejection",
        vec![
            rejected("`Breaker::call`, open, with the clock", |future| drive(open.call(future))),
            rejected("`Breaker::call`, forced open", |future| drive(forced.call(future))),
            rejected("recloser, its future", |future| drive(recloser.call(future))),
            rejected("failsafe, its future", |future| drive(failsafe.call(future))),
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
