//! What an estimate says, of what it was told.
#![cfg(not(loom))]

mod support;

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use evenkeel_hedging::{Delays, End, NEVER, Quantile, QuantileBuilder};

use support::{World, ms, origin};

const WINDOW: Duration = Quantile::DEFAULT_WINDOW;

/// The beginning of this half of the default window.
fn half(number: u32) -> Instant {
    origin() + WINDOW / 2 * number
}

fn still(builder: QuantileBuilder) -> Quantile<impl Fn() -> Instant> {
    builder.clock(origin).build().unwrap()
}

fn p95() -> Quantile<impl Fn() -> Instant> {
    still(Quantile::builder(0.95))
}

/// From 1 to 20 ms, but for one in 25.
fn takes(n: u64) -> Duration {
    ms(if n % 25 == 24 { 500 } else { 1 + n % 20 })
}

/// A hundred times so many.
fn record<C>(estimate: &Quantile<C>, times: u64, at: Instant) {
    (0..100 * times).for_each(|n| estimate.record_at(takes(n), at));
}

#[track_caller]
fn assert_within_2_percent(threshold: Option<Duration>, of: Duration) {
    let threshold = threshold.expect("it is warm");
    assert!(threshold.abs_diff(of) <= of / 50, "{threshold:?} for {of:?}");
}

#[test]
fn it_is_warm_with_exactly_as_many_as_it_asks_for() {
    for warm_up in [1, 2, 31, 32, 33, 100, 1_000] {
        let estimate = still(Quantile::builder(0.5).warm_up(NonZeroU32::new(warm_up).unwrap()));
        for _ in 1..warm_up {
            estimate.record(ms(10));
            assert_eq!(estimate.threshold(), None);
        }
        estimate.record(ms(10));
        assert_within_2_percent(estimate.threshold(), ms(10));
    }
}

#[test]
fn the_warm_up_counts_those_that_were_given_up_and_those_of_both_halves() {
    let estimate = p95();
    (0..40).for_each(|_| estimate.record_at(ms(10), half(0)));
    (0..30).for_each(|_| estimate.record_longer_at(ms(10), half(0)));
    (0..29).for_each(|_| estimate.record_at(ms(10), half(1)));
    assert_eq!(estimate.threshold(), None);
    estimate.record_longer_at(ms(10), half(1));
    assert!(estimate.threshold().is_some());
}

#[test]
fn with_more_samples_in_the_window_than_the_warm_up_it_stays_warm() {
    let estimate = p95();
    // 150 in each window, evenly spaced: just after a turn half of them are left.
    for n in 1..3_000 {
        estimate.record_at(takes(u64::from(n)), origin() + WINDOW / 150 * n);
        assert_eq!(estimate.threshold().is_some(), n >= 100, "after {n}");
    }
}

#[test]
fn it_stays_warm_while_half_as_many_remain_as_it_asks_for_and_is_cold_below() {
    for (in_second_half, is_warm) in [(50, true), (49, false)] {
        let estimate = p95();
        (0..100).for_each(|_| estimate.record_at(ms(10), half(0)));
        (0..in_second_half).for_each(|_| estimate.record_at(ms(10), half(1)));
        assert!(estimate.threshold().is_some());
        // This one turns the window: the first half is forgotten.
        estimate.record_at(ms(10), half(2));
        assert_eq!(estimate.threshold().is_some(), is_warm, "{in_second_half} remain");
    }
}

#[test]
fn when_it_has_become_cold_it_asks_for_all_again() {
    let estimate = p95();
    record(&estimate, 1, half(0));
    for _ in 1..100 {
        estimate.record_at(ms(10), half(2));
        assert_eq!(estimate.threshold(), None);
    }
    estimate.record_at(ms(10), half(2));
    assert_within_2_percent(estimate.threshold(), ms(10));
}

#[test]
fn until_it_is_warm_there_is_no_hedge_or_one_after_a_fixed_delay() {
    assert_eq!(p95().session().next(), Some(NEVER));
    let estimate = still(Quantile::builder(0.95).until_warm(ms(300)));
    assert!(estimate.session().take(3).eq([ms(300); 3]));
    record(&estimate, 1, half(0));
    assert_eq!(estimate.session().next(), estimate.threshold());
}

/// One first attempt that ends so after this long.
fn attempt(world: &World, estimate: &Quantile<impl Fn() -> Instant>, lasts: Duration, end: End) {
    let started = estimate.start();
    world.advance(lasts);
    estimate.end(started, end);
}

#[test]
fn cancelled_losers_do_not_drag_the_quantile_down_and_the_hedging_up() {
    let world = World::new();
    let estimate = Quantile::builder(0.95).window(WINDOW * 100).clock(world.clock()).build().unwrap();
    (0..1_000).for_each(|n| attempt(&world, &estimate, takes(n), End::Succeeded));
    let before = estimate.threshold().unwrap();
    let mut lost = 0;
    for n in 0..20_000 {
        let threshold = estimate.threshold().unwrap();
        if n % 3 == 0 {
            // Its caller has gone: as if it had ended then, two thirds of all would seem to be sooner than they are.
            attempt(&world, &estimate, ms(1), End::Dropped);
            lost += 1;
        } else if takes(n) > threshold {
            attempt(&world, &estimate, threshold + ms(1), End::Dropped);
            lost += 1;
        } else {
            attempt(&world, &estimate, takes(n), End::Succeeded);
        }
        assert_within_2_percent(estimate.threshold(), before);
    }
    let snapshot = estimate.snapshot();
    assert_eq!((snapshot.count, snapshot.longer), (21_000 - lost, lost));
}

#[test]
fn losers_that_are_late_at_once_do_not_drag_it_down_either() {
    let estimate = p95();
    // Late, and lost at the same instant: 6 % of all. 95 % are not known to have ended by any time.
    for n in 0..10_000 {
        if n % 100 < 6 { estimate.record_longer(ms(20)) } else { estimate.record(ms(20)) }
    }
    assert_within_2_percent(estimate.threshold(), ms(20));
}

#[test]
fn fast_failures_do_not_drag_it_down() {
    let world = World::new();
    let estimate = Quantile::builder(0.95).clock(world.clock()).build().unwrap();
    let end = |lasts, end| attempt(&world, &estimate, lasts, end);
    (0..200).for_each(|n| end(ms(1 + n % 20), End::Succeeded));
    let (before, counts) = (estimate.threshold(), estimate.snapshot());
    // A service that is down refuses at once.
    (0..10_000).for_each(|_| end(Duration::from_micros(50), End::Failed));
    assert_eq!((estimate.threshold(), estimate.snapshot()), (before, counts), "they say nothing of how long it takes");
    // One that fails after the threshold was late as well.
    end(ms(40), End::Failed);
    assert_eq!((estimate.snapshot().count, estimate.snapshot().longer), (200, 1));
}

#[test]
fn what_is_given_up_early_changes_nothing() {
    let estimate = p95();
    record(&estimate, 20, half(0));
    let before = estimate.threshold().unwrap();
    // Callers that go away after a millisecond.
    (0..40_000).for_each(|_| estimate.record_longer(ms(1)));
    record(&estimate, 200, half(0));
    assert_within_2_percent(estimate.threshold(), before);
}

#[test]
fn the_histogram_forgets() {
    let estimate = p95();
    (0..1_000).for_each(|_| estimate.record_at(ms(800), half(0)));
    (0..1_000).for_each(|_| estimate.record_at(ms(10), half(1)));
    assert_within_2_percent(estimate.threshold(), ms(800));
    (0..1_000).for_each(|_| estimate.record_at(ms(10), half(2)));
    assert_within_2_percent(estimate.threshold(), ms(10));
    assert_eq!(estimate.snapshot().count, 2_000);
}

#[test]
fn after_a_pause_of_a_window_the_next_one_makes_it_cold() {
    let estimate = p95();
    record(&estimate, 2, half(0));
    assert!(estimate.threshold().is_some());
    estimate.record_at(ms(10), half(2));
    assert_eq!((estimate.threshold(), estimate.snapshot().count), (None, 1));
    // And so after any other.
    record(&estimate, 2, half(3));
    assert!(estimate.threshold().is_some());
    estimate.record_at(ms(10), half(1_000_000));
    assert_eq!((estimate.threshold(), estimate.snapshot().count), (None, 1));
}

#[test]
fn after_a_pause_of_half_a_window_it_has_what_is_left() {
    let estimate = p95();
    record(&estimate, 2, half(0));
    estimate.record_at(ms(10), half(1));
    assert_eq!(estimate.snapshot().count, 201);
    assert!(estimate.threshold().is_some());
}

#[test]
fn an_instant_of_before_is_taken_for_the_latest() {
    let estimate = p95();
    record(&estimate, 2, half(4));
    record(&estimate, 2, half(2));
    record(&estimate, 2, origin() - ms(1));
    assert_eq!(estimate.snapshot().count, 600);
    estimate.record_at(ms(10), half(6));
    assert_eq!(estimate.snapshot().count, 1);
}

#[test]
fn where_less_than_the_share_ever_ends_it_is_the_longest_that_did() {
    let estimate = p95();
    // One in ten hangs, and is given up after three seconds.
    for n in 0..1_000 {
        if n % 10 == 0 { estimate.record_longer(ms(3_000)) } else { estimate.record(ms(1 + n % 40)) }
    }
    assert_within_2_percent(estimate.threshold(), ms(40));
    let snapshot = estimate.snapshot();
    assert_eq!((snapshot.count, snapshot.longer), (900, 100));
    assert_within_2_percent(snapshot.p99, ms(40));
    assert_within_2_percent(snapshot.p50, ms(23));
}

#[test]
fn one_late_success_does_not_stand_for_all_that_hang() {
    let estimate = p95();
    // A tenth hangs, and a hedge answers for it.
    for n in 0..10_000 {
        if n % 10 == 0 { estimate.record_longer(ms(15)) } else { estimate.record(ms(1 + n % 10)) }
    }
    let before = estimate.threshold().unwrap();
    // One was not hedged.
    estimate.record(Duration::from_secs(60));
    (0..1_000).for_each(|n| estimate.record(ms(1 + n % 10)));
    assert_within_2_percent(estimate.threshold(), before);
    assert_within_2_percent(estimate.snapshot().p99, ms(10));
    // Where many are that late, they are the ones to go by.
    (0..1_000).for_each(|_| estimate.record(Duration::from_secs(60)));
    assert_within_2_percent(estimate.snapshot().p95, Duration::from_secs(60));
}

#[test]
fn where_the_first_to_end_is_one_of_the_last_few_nothing_is_known() {
    let estimate = still(Quantile::builder(0.95));
    for _ in 0..1_000 {
        estimate.record_longer(ms(1));
    }
    estimate.record(ms(10));
    assert_eq!(estimate.threshold(), None, "and no threshold of zero, by which all would be sent twice at once");
    assert_eq!(estimate.snapshot().p95, None);
}

#[test]
fn where_nothing_ends_any_more_it_stays_what_it_was() {
    let estimate = p95();
    record(&estimate, 2, half(0));
    let late = |number| (0..200).for_each(|_| estimate.record_longer_at(ms(600), half(number)));
    late(1);
    // Of those that did end.
    let before = estimate.threshold().unwrap();
    assert_within_2_percent(Some(before), ms(500));
    (2..20).for_each(late);
    assert_eq!(estimate.threshold(), Some(before));
    let snapshot = estimate.snapshot();
    assert_eq!((snapshot.p50, snapshot.p95, snapshot.p99, snapshot.count), (None, None, None, 0));
}

#[test]
fn no_threshold_is_shorter_or_longer_than_the_limits() {
    let estimate = still(Quantile::builder(0.95).at_least(ms(50)).at_most(ms(60)));
    record(&estimate, 2, half(0));
    assert_eq!(estimate.threshold(), Some(ms(50)));
    (0..1_000).for_each(|_| estimate.record(ms(900)));
    assert_eq!(estimate.threshold(), Some(ms(60)));
    // The quantiles themselves have none.
    assert_within_2_percent(estimate.snapshot().p50, ms(900));

    let never = still(Quantile::builder(0.95).at_least(Duration::MAX));
    record(&never, 2, half(0));
    assert!(never.threshold().is_some_and(|threshold| threshold > WINDOW * 1_000_000), "warm, and as good as never");
}

#[test]
fn latencies_out_of_range_count_as_its_ends() {
    let shortest = p95();
    (0..100).for_each(|_| shortest.record(Duration::ZERO));
    assert_within_2_percent(shortest.threshold(), Duration::from_micros(1));
    let longest = p95();
    (0..100).for_each(|_| longest.record(Duration::MAX));
    assert_within_2_percent(longest.threshold(), Duration::from_secs(71 * 60));
    longest.record_longer(Duration::MAX);
    longest.record_longer(Duration::ZERO);
    assert_eq!(longest.snapshot().longer, 2);
}

#[test]
fn a_snapshot_has_the_quantiles_of_what_was_recorded_and_how_much_it_was() {
    let estimate = p95();
    for n in 1..=1_000 {
        estimate.record(ms(n));
    }
    let snapshot = estimate.snapshot();
    assert_within_2_percent(snapshot.p50, ms(500));
    assert_within_2_percent(snapshot.p95, ms(950));
    assert_within_2_percent(snapshot.p99, ms(990));
    assert_eq!((snapshot.count, snapshot.longer), (1_000, 0));
    // The threshold is of a moment ago: of a thirty-second less, at least.
    assert_within_2_percent(snapshot.threshold, ms(935));
}

#[test]
fn clones_are_one_estimate() {
    let estimate = p95();
    let clone = estimate.clone();
    record(&clone, 2, half(0));
    assert_eq!((estimate.threshold(), estimate.snapshot()), (clone.threshold(), clone.snapshot()));
    assert!(estimate.threshold().is_some());
}

#[test]
fn settings_out_of_their_range_are_refused_with_field_value_and_range() {
    let refused = |builder: QuantileBuilder| builder.build().unwrap_err().to_string();
    for share in [0.0, 1.0, -0.5, 95.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            refused(Quantile::builder(share)),
            format!("share is {share}: it must be a number above 0 and below 1")
        );
    }
    let p95 = || Quantile::builder(0.95);
    for window in [Duration::ZERO, Duration::from_nanos(1_999_999), Duration::from_secs(3_601), Duration::MAX] {
        assert_eq!(refused(p95().window(window)), format!("window is {window:?}: it must be from 2 ms to 1 h"));
    }
    assert_eq!(refused(p95().until_warm(Duration::ZERO)), "until_warm is 0ns: it must be longer than zero");
    assert_eq!(refused(p95().at_most(Duration::ZERO)), "at_most is 0ns: it must be longer than zero");
    let crossed = p95().at_least(ms(3)).at_most(ms(2));
    assert_eq!(refused(crossed), "at_least is 3ms: it must be no longer than at_most");
    assert_eq!(Quantile::new(1.5).unwrap_err().field(), "share");

    for builder in [Quantile::builder(1e-9), Quantile::builder(1.0 - 1e-9), p95().at_least(ms(2)).at_most(ms(2))] {
        assert!(builder.window(ms(2)).build().is_ok() && builder.window(Duration::from_secs(3_600)).build().is_ok());
    }
}
