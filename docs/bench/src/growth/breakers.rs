//! A breaker by the size, the span and the traffic of its window.

use std::{
    future::ready,
    hint::black_box,
    time::{Duration, Instant},
};

use evenkeel_breaker::Breaker;
use failsafe::{CircuitBreaker as _, Config, failure_policy::success_rate_over_time_window};
use recloser::Recloser;
use tower::{Layer, Service, service_fn};
use tower_resilience_circuitbreaker::{SlidingWindowType, circuit_breaker_builder};

use super::{
    grower::{At, Grower},
    hand::Hand,
};
use crate::measure::request;

pub(super) fn run(grower: &mut Grower) {
    count_windows(grower);
    traffic(grower);
    spans(grower);
    bytes(grower);
}

const HOUR: Duration = Duration::from_secs(3_600);
const SPAN: Duration = Duration::from_secs(10);
/// tower-resilience goes through all results of a time window at each call: with more, to fill it takes minutes.
const MOST_LISTED: u64 = 10_000;

fn count_windows(grower: &mut Grower) {
    let most = u64::from(Breaker::MOST_IN_COUNT_WINDOW);
    let mut points = Vec::new();
    for size in grower.sizes(&[10, 30, 100, 200, most]) {
        for (line, fails) in [(GOOD, false), (HALF, true)] {
            let breaker = Breaker::builder().failure_rate(1.0).count_window(size as u32).build().expect(RANGES);
            points.push(calls(line, size, fails, move |fails| call(&breaker, fails)));
        }
    }
    for size in grower.tens(10, 100_000) {
        let recloser = reclosed(size);
        points.push(calls(RECLOSER, size, false, move |fails| call_recloser(&recloser, fails)));
        let mut service = resilient(SlidingWindowType::CountBased, size);
        points.push(At::new(RESILIENCE, size, move || request(&mut service, 1)));
    }
    grower.time("count-window", points);
}

fn traffic(grower: &mut Grower) {
    let mut points = Vec::new();
    for results in grower.tens(10, 1_000_000) {
        for (line, fails) in [(GOOD, false), (HALF, true)] {
            points.push(in_time(line, results, results, SPAN, fails));
        }
        let window = success_rate_over_time_window(0.0, 5, HOUR, failsafe::backoff::constant(HOUR));
        let failsafe = Config::new().failure_policy(window).build();
        let op = move |fails: bool| {
            let result = failsafe.call_with(failsafe::Any, || if fails { Err(1_u64) } else { Ok(1_u64) });
            assert!(!matches!(result, Err(failsafe::Error::Rejected)));
        };
        (0..results).for_each(|_| op(false));
        points.push(calls(FAILSAFE, results, false, op));
    }
    grower.time("window-traffic", points);
    for results in grower.tens(10, MOST_LISTED) {
        // Anew each time, for with each call there is one result more.
        let filled = || {
            let mut service = resilient(SlidingWindowType::TimeBased, 1);
            (0..results).for_each(|_| drop(black_box(request(&mut service, 1))));
            service
        };
        grower.once(("window-traffic", RESILIENCE, results), filled, |service| request(service, 1));
    }
}

fn spans(grower: &mut Grower) {
    // A thousand results a second.
    let spans = grower.sizes(&[1, 10, 60, 600, 3_600]);
    let at = |seconds: &u64| {
        let span = Duration::from_secs(*seconds);
        [(GOOD, false), (HALF, true)].map(|(line, fails)| in_time(line, *seconds, seconds * 1_000, span, fails))
    };
    grower.time("window-span", spans.iter().flat_map(at).collect());
}

fn bytes(grower: &mut Grower) {
    let most = u64::from(Breaker::MOST_IN_COUNT_WINDOW);
    for size in grower.sizes(&[10, 30, 100, 200, most]) {
        let make = || Breaker::builder().failure_rate(1.0).count_window(size as u32).build().expect(RANGES);
        let (_, used) = grower.weighed(make, |breaker| (0..size).for_each(|_| call(breaker, false)));
        grower.bytes(("window-bytes", "Breaker, count window", size), used as f64);
    }
    for size in grower.tens(10, 100_000) {
        let (_, used) = grower.weighed(
            || reclosed(size),
            |recloser| {
                (0..size).for_each(|_| call_recloser(recloser, false));
            },
        );
        grower.bytes(("window-bytes", RECLOSER, size), used as f64);
    }
    for results in grower.tens(10, 1_000_000) {
        let hand = Hand::new();
        let make =
            || Breaker::builder().failure_rate(1.0).time_window(SPAN).clock(hand.reader()).build().expect(RANGES);
        let (_, used) = grower.weighed(make, |breaker| {
            (0..results).for_each(|_| {
                hand.pass(SPAN / results as u32);
                call(breaker, false);
            });
        });
        grower.bytes(("window-bytes", "Breaker, time window", results), used as f64);
    }
    for results in grower.tens(10, MOST_LISTED) {
        let (_, used) = grower.weighed(
            || resilient(SlidingWindowType::TimeBased, 1),
            |service| (0..results).for_each(|_| drop(black_box(request(&mut service.clone(), 1)))),
        );
        grower.bytes(("window-bytes", "tower-resilience, time window", results), used as f64);
    }
}

const GOOD: &str = "Breaker, calls succeed";
const HALF: &str = "Breaker, every second fails";
const RECLOSER: &str = "recloser";
const FAILSAFE: &str = "failsafe, with the clock";
const RESILIENCE: &str = "tower-resilience, with the clock";
const RANGES: &str = "settings in their ranges";

/// A time window that has so many results all the while: between two calls passes their share of its span.
fn in_time(line: &'static str, x: u64, results: u64, span: Duration, fails: bool) -> At<'static> {
    let hand = Hand::new();
    let breaker = Breaker::builder().failure_rate(1.0).time_window(span).clock(hand.reader()).build().expect(RANGES);
    let step = Duration::from_nanos(span.as_nanos() as u64 / results);
    let op = move |fails| {
        hand.pass(step);
        call(&breaker, fails);
    };
    (0..results).for_each(|n| op(fails && n % 2 == 0));
    calls(line, x, fails, op)
}

/// Each second one fails, or none.
fn calls(line: &'static str, x: u64, fails: bool, mut op: impl FnMut(bool) + 'static) -> At<'static> {
    let mut odd = false;
    At::new(line, x, move || {
        odd = !odd;
        op(black_box(odd && fails));
    })
}

#[inline(always)]
fn call<C: Fn() -> Instant>(breaker: &Breaker<C>, fails: bool) {
    let permit = breaker.try_acquire().expect("it is closed");
    if fails { permit.failure() } else { permit.success() }
}

fn reclosed(size: u64) -> Recloser {
    Recloser::custom().error_rate(1.1).closed_len(size as usize).half_open_len(10).open_wait(HOUR).build()
}

#[inline(always)]
fn call_recloser(recloser: &Recloser, fails: bool) {
    let result = recloser.call(|| if fails { Err(1_u64) } else { Ok(1_u64) });
    assert!(!matches!(result, Err(recloser::Error::Rejected)));
}

/// It has no other form than the layer.
fn resilient(window: SlidingWindowType, size: u64) -> impl Service<u64, Response = u64> + Clone {
    let rules = circuit_breaker_builder().sliding_window_type(window).sliding_window_size(size as usize);
    let rules = rules.sliding_window_duration(HOUR).failure_rate_threshold(1.0);
    rules.build().expect(RANGES).layer(service_fn(|_: u64| ready(black_box(Ok::<u64, u64>(1)))))
}
