//! As a tower service, beside the peers' layers and what one writes around their futures.

use std::{hint::black_box, time::Instant};

use evenkeel_breaker::{Breaker, BreakerLayer};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    AREA, CALLS, SPAN,
    peers::{Answer, HOUR, answers, failsafe, failsafe_both, ours, resilience, unshared},
    services::{Failsafed, Made, Reclosed},
};
use crate::{
    cases::forever,
    echo::Echo,
    measure::{Bench, Candidate, request},
};

pub(super) fn run(bench: &mut Bench) {
    case(bench, "a layer, closed, all succeed", 0.5, answers::success);
    case(bench, "a layer, closed, every second call fails", 0.9, answers::every_second_fails);
    rejections(bench);
}

fn case(bench: &mut Bench, case: &str, rate: f64, answer: impl Fn(u64) -> Answer + Copy) {
    let start = Instant::now();
    let timed = move || Breaker::builder().failure_rate(rate).time_window(SPAN);
    let layered = move || BreakerLayer::new(ours(rate, 10).build().expect("valid")).layer(Echo);
    let lent = || BreakerLayer::of(forever(ours(rate, 10).build().expect("valid"))).layer(Echo);
    let timed_layer = move || BreakerLayer::new(timed().build().expect("valid")).layer(Echo);
    let still = move || BreakerLayer::new(timed().clock(move || start).build().expect("valid")).layer(Echo);
    let reclosed = move || Reclosed { inner: Echo, breaker: unshared(rate as f32).into() };
    let failsafed = || Failsafed { inner: Echo, breaker: failsafe(5) };
    let both = move || Failsafed { inner: Echo, breaker: failsafe_both(rate, 5) };
    let share = move || resilience(|rules| rules.failure_rate_threshold(rate)).0;
    let in_a_row = || resilience(|rules| rules.consecutive_failures(5)).0;
    bench.compare(
        AREA,
        case,
        vec![
            made("`BreakerLayer`, the default rules", layered, answer),
            made("`BreakerLayer`, the default rules, by reference", lent, answer),
            made("`BreakerLayer`, time window, with the clock", timed_layer, answer),
            made("`BreakerLayer`, time window, its clock stands", still, answer),
            made("recloser, its future in a service", reclosed, answer),
            made("failsafe, its future in a service, failures in a row", failsafed, answer),
            made("failsafe, its future in a service, both policies, with the clock", both, answer),
            made("tower-resilience, count window", share, answer),
            made("tower-resilience, failures in a row", in_a_row, answer),
            made("no breaker", || Echo, answer),
        ],
    );
}

fn rejections(bench: &mut Bench) {
    let ours = || Breaker::builder().consecutive_failures(1).open_for([HOUR]).build().expect("valid");
    let reclosed = || Reclosed { inner: Echo, breaker: unshared(0.5).into() };
    let failsafed = || Failsafed { inner: Echo, breaker: failsafe(5) };
    let in_a_row = || resilience(|rules| rules.consecutive_failures(5)).0;
    bench.compare(
        AREA,
        "a layer, a rejection",
        vec![
            rejected("`BreakerLayer`, open, with the clock", || BreakerLayer::new(ours()).layer(Echo)),
            rejected("recloser, its future in a service", reclosed),
            rejected("failsafe, its future in a service", failsafed),
            rejected("tower-resilience", in_a_row),
        ],
    );
}

/// It asserts that the call was made, by its answer.
fn made<'a, S>(
    name: &'static str,
    make: impl Fn() -> S + 'a,
    answer: impl Fn(u64) -> Answer + Copy + 'a,
) -> Candidate<'a>
where
    S: Service<Answer, Response = u64, Error: Made> + 'a,
{
    let call = move |service: &mut S, n| {
        assert!(request(service, black_box(answer(n))).map_or_else(|error| error.made(), |_| true), "{name}");
    };
    let filled = move || {
        let mut service = make();
        (0..CALLS).for_each(|n| call(&mut service, n));
        service
    };
    let mut service = filled();
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        call(&mut service, n);
    })
    .keeps(filled)
}

/// What has opened after so many failures as it needs; all of them stay open.
fn rejected<'a, S>(name: &'static str, make: impl Fn() -> S + 'a) -> Candidate<'a>
where
    S: Service<Answer, Response = u64, Error: Made> + 'a,
{
    let opened = move || {
        let mut service = make();
        (0..CALLS).for_each(|_| drop(request(&mut service, Err(0))));
        service
    };
    let mut service = opened();
    Candidate::new(name, move || {
        assert!(request(&mut service, black_box(Ok(1))).is_err_and(|error| !error.made()), "{name}");
    })
    .keeps(opened)
}
