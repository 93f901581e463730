//! Schedules, for all inputs: beside the formulas that they stand for.
#![cfg(not(loom))]

use std::time::Duration;

use evenkeel_backoff::{
    AnySchedule, Constant, Decorrelated, Exponential, Fibonacci, Jitter, Linear, Ratio, Schedule,
    curve::{Curve, Jittered},
};
use proptest::prelude::*;

/// Lengths of every size: zero, a few nanoseconds, what services use, centuries, the largest.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
        1 => Just(Duration::from_nanos(u64::MAX)),
        2 => (0..100_u64).prop_map(Duration::from_nanos),
        6 => (1..100_000_000_000_u64).prop_map(Duration::from_nanos),
        2 => any::<u64>().prop_map(Duration::from_nanos),
        1 => (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
    ]
}

fn jitters() -> impl Strategy<Value = Jitter> {
    prop_oneof![
        Just(Jitter::None),
        Just(Jitter::Full),
        Just(Jitter::Equal),
        (0.0..=1.0).prop_map(|p| Jitter::Around(Ratio::new(p).unwrap())),
    ]
}

/// The nanoseconds of a duration as schedules hold them.
fn nanos(duration: Duration) -> u128 {
    duration.as_nanos().min(u128::from(u64::MAX))
}

/// The five of one set of parameters.
fn all(first: Duration, step: Duration, factor: f64) -> [AnySchedule; 5] {
    [
        Constant::new(first).into(),
        Linear::new(first, step).into(),
        Exponential::builder(first).factor(factor).build().unwrap().into(),
        Fibonacci::new(first).into(),
        Decorrelated::new(first).into(),
    ]
}

/// Applies one setting to whichever schedule it is.
fn with(any: AnySchedule, jitter: Jitter, cap: Duration, within: Option<Duration>, seed: Option<u64>) -> AnySchedule {
    fn bounds<C: Curve>(
        schedule: Schedule<C>,
        cap: Duration,
        within: Option<Duration>,
        seed: Option<u64>,
    ) -> Schedule<C> {
        let schedule = within.map_or(schedule, |total| schedule.within(total)).cap(cap);
        seed.map_or(schedule, |seed| schedule.seed(seed))
    }
    match any {
        AnySchedule::Constant(schedule) => bounds(schedule.jitter(jitter), cap, within, seed).into(),
        AnySchedule::Linear(schedule) => bounds(schedule.jitter(jitter), cap, within, seed).into(),
        AnySchedule::Exponential(schedule) => bounds(schedule.jitter(jitter), cap, within, seed).into(),
        AnySchedule::Fibonacci(schedule) => bounds(schedule.jitter(jitter), cap, within, seed).into(),
        AnySchedule::Decorrelated(schedule) => bounds(schedule, cap, within, seed).into(),
        new => unreachable!("a schedule that is not tested here yet: {new:?}"),
    }
}

/// `jittered` beside `exact`, the same schedule without jitter.
fn within_jitter(jitter: Jitter, jittered: Duration, exact: Duration, floor: Duration, cap: Duration) -> bool {
    let (v, drawn) = (nanos(exact), nanos(jittered));
    let (floor, cap) = (nanos(floor), nanos(cap));
    let (low, high) = match jitter {
        Jitter::None => (v, v),
        Jitter::Full => (0, v),
        Jitter::Equal => (v / 2, v),
        Jitter::Around(ratio) => {
            let spread = v * (ratio.get() * 10_000.0).round() as u128 / 10_000;
            (v - spread, v + spread)
        }
    };
    (low.max(floor)..=high.max(floor).min(cap).min(u128::from(u64::MAX))).contains(&drawn)
}

fn jittered_is_within<C: Jittered>(schedule: Schedule<C>, jitter: Jitter, floor: Duration, cap: Duration) -> bool {
    let build = |jitter| schedule.to_builder().jitter(jitter).floor(floor).cap(cap).build().unwrap();
    // Without a floor: what jitter is applied to is the curve itself.
    let exact = schedule.jitter(Jitter::None).cap(cap);
    build(jitter)
        .take(40)
        .into_iter()
        .zip(exact.take(40))
        .all(|(drawn, exact)| within_jitter(jitter, drawn, exact, floor, cap))
}

proptest! {
    #[test]
    fn a_jittered_delay_never_passes_the_cap(
        first in durations(), step in durations(), factor in 1.0..=255.0, cap in durations(), jitter in jitters(),
    ) {
        for schedule in all(first, step, factor) {
            for delay in with(schedule, jitter, cap, None, None).into_iter().take(100) {
                prop_assert!(delay <= cap, "{schedule:?}");
            }
        }
    }

    #[test]
    fn jitter_is_drawn_around_the_curve_from_the_floor_to_the_cap(
        first in durations(), step in durations(), factor in 1.0..=255.0, a in durations(), b in durations(),
        jitter in jitters(),
    ) {
        let (floor, cap) = (a.min(b), a.max(b));
        prop_assert!(jittered_is_within(Constant::new(first), jitter, floor, cap));
        prop_assert!(jittered_is_within(Linear::new(first, step), jitter, floor, cap));
        let exponential = Exponential::builder(first).factor(factor).build().unwrap();
        prop_assert!(jittered_is_within(exponential, jitter, floor, cap));
        prop_assert!(jittered_is_within(Fibonacci::new(first), jitter, floor, cap));
    }

    #[test]
    fn the_exact_curves_are_their_formulas(first in durations(), step in durations(), cap in durations()) {
        let (b, step_nanos, c) = (nanos(first), nanos(step), nanos(cap));
        let take = |any: AnySchedule| {
            with(any, Jitter::None, cap, None, None).into_iter().take(150).map(|delay| delay.as_nanos()).collect::<Vec<_>>()
        };
        let formula = |f: &dyn Fn(u32) -> u128| (0..150).map(|n| f(n).min(c)).collect::<Vec<_>>();
        prop_assert_eq!(take(Constant::new(first).into()), formula(&|_| b));
        prop_assert_eq!(take(Linear::new(first, step).into()), formula(&|n| b + u128::from(n) * step_nanos));
        let power = |n: u32| if b == 0 { 0 } else { b.checked_shl(n).filter(|v| v >> n == b).unwrap_or(u128::MAX) };
        prop_assert_eq!(take(Exponential::new(first).into()), formula(&power));
        let fibonacci = |n| (0..n).fold((b, b), |(a, b), _| (b, a.saturating_add(b))).0;
        prop_assert_eq!(take(Fibonacci::new(first).into()), formula(&fibonacci));
    }

    #[test]
    fn a_fractional_factor_is_held_to_a_millionth(first in 0..10_000_000_000_u64, factor in 1.0..10.0_f64) {
        let schedule = Exponential::builder(Duration::from_nanos(first)).factor(factor).jitter(Jitter::None);
        for (n, delay) in schedule.build().unwrap().take(12).into_iter().enumerate() {
            let formula = (first as f64 * factor.powi(n as i32)).min(u64::MAX as f64);
            let drawn = delay.as_nanos() as f64;
            prop_assert!((drawn - formula).abs() <= 1.0 + formula * 1e-6, "{n}: {drawn} for {formula}");
        }
    }

    #[test]
    fn decorrelated_delays_lie_between_the_first_and_three_times_the_one_before(
        first in durations(), cap in durations(),
    ) {
        let mut previous = nanos(first);
        for delay in Decorrelated::new(first).cap(cap).take(100) {
            let high = (3 * previous).min(u128::from(u64::MAX)).min(nanos(cap));
            prop_assert!((nanos(first).min(nanos(cap))..=high).contains(&delay.as_nanos()));
            previous = delay.as_nanos();
        }
    }

    #[test]
    fn all_delays_together_stay_within_the_total_and_the_next_would_pass_it(
        first in durations(), step in durations(), factor in 1.0..=255.0, cap in durations(), total in durations(),
        jitter in jitters(), seed: u64,
    ) {
        for schedule in all(first, step, factor) {
            let unbounded = with(schedule, jitter, cap, None, Some(seed)).into_iter();
            let mut bounded = with(schedule, jitter, cap, Some(total), Some(seed)).into_iter();
            let mut sum = 0;
            for expected in unbounded.take(100) {
                sum += nanos(expected);
                if sum > nanos(total) && nanos(total) < u128::from(u64::MAX) {
                    prop_assert_eq!((bounded.next(), bounded.next()), (None, None));
                    prop_assert_eq!(bounded.size_hint(), (0, Some(0)));
                    break;
                }
                prop_assert_eq!(bounded.next(), Some(expected));
            }
        }
    }

    #[test]
    fn a_seeded_schedule_replays_exactly(first in durations(), cap in durations(), jitter in jitters(), seed: u64) {
        for schedule in all(first, first, 1.5) {
            let schedule = with(schedule, jitter, cap, None, Some(seed));
            prop_assert!(schedule.into_iter().take(50).eq(schedule.into_iter().take(50)));
        }
    }

    #[test]
    fn a_contradiction_is_refused_with_field_value_and_range(factor: f64, a in durations(), b in durations()) {
        let refused = Exponential::builder(a).factor(factor).build();
        prop_assert_eq!(refused.is_ok(), (1.0..=255.0).contains(&factor));
        if let Err(refused) = refused {
            prop_assert_eq!(refused.to_string(), format!("factor is {factor}: it must be a number from 1 to 255"));
        }
        let refused = Constant::builder(a).floor(a).cap(b).build();
        prop_assert_eq!(refused.is_ok(), nanos(a) <= nanos(b));
        if let Err(refused) = refused {
            prop_assert_eq!(refused.field(), "floor");
        }
        prop_assert_eq!(Ratio::new(factor).is_ok(), (0.0..=1.0).contains(&factor));
    }

    #[test]
    fn the_size_hint_tells_the_truth(first in durations(), cap in durations(), total in durations(), n in 0..20_usize) {
        for schedule in all(first, first, 2.0) {
            let bounded = with(schedule, Jitter::Full, cap, Some(total), None).into_iter().take(n);
            let (low, high) = bounded.size_hint();
            let count = bounded.count();
            prop_assert!(low <= count && high.is_none_or(|high| count <= high));
        }
    }
}
