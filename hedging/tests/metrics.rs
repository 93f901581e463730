//! What the counting observer counts.
#![cfg(all(feature = "metrics", not(loom)))]

mod metrics_support;
mod support;

use std::{
    cell::Cell,
    future::pending,
    num::{NonZeroU32, NonZeroUsize},
    time::{Duration, Instant},
};

use evenkeel_hedging::{
    AtOnce, BudgetMap, Cause, Costs, Hedge, HedgeMetrics, Observer, PolicyFor, Quantile, TokenBudget, Unlimited,
    Verdict,
};
use metrics_support::{counted, series_of};
use support::{World, ms};

type Attempt = (Duration, Result<(), Verdict>);

fn judge(result: &Result<(), Verdict>) -> Verdict {
    result.err().unwrap_or_else(Verdict::success)
}

/// Runs one request whose attempts take so long and come to that.
fn run(world: &World, policy: &impl PolicyFor<(), Verdict>, attempts: &[Attempt]) -> Result<(), Verdict> {
    world.run(policy.run(|attempt| {
        let (takes, result) = attempts[attempt as usize];
        let sleep = world.sleep(takes);
        async move {
            sleep.await;
            result
        }
    }))
}

fn metered(world: &World, delays: &[u64], name: &'static str) -> impl PolicyFor<(), Verdict> + use<> {
    let delays: Vec<Duration> = delays.iter().copied().map(ms).collect();
    Hedge::new(delays, world.sleeper()).when(judge).budget(Unlimited).observe(HedgeMetrics::new(name))
}

#[test]
fn a_request_that_is_answered_at_once_is_one_attempt_and_one_success() {
    let series = series_of(|| {
        let world = World::new();
        assert_eq!(run(&world, &metered(&world, &[10], "api"), &[(ms(1), Ok(()))]), Ok(()));
    });
    let expected = [
        ("answers_total name=api outcome=success", 1.0),
        ("attempts_total name=api cause=first", 1.0),
        ("requests_total name=api", 1.0),
        ("verdicts_total name=api outcome=success", 1.0),
        ("wins_total name=api alternate=0", 1.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn hedges_that_win_and_hedges_for_nothing_are_told_apart() {
    let series = series_of(|| {
        let world = World::new();
        let hedge = metered(&world, &[10, 10, 10], "api");
        // The third one, a hedge as is the second, answers first.
        assert_eq!(run(&world, &hedge, &[(ms(900), Ok(())), (ms(900), Ok(())), (ms(5), Ok(()))]), Ok(()));
        // The first does, after one hedge.
        assert_eq!(run(&world, &hedge, &[(ms(15), Ok(())), (ms(900), Ok(()))]), Ok(()));
        // A hedge does, and says that it cannot be.
        let never = Verdict::permanent();
        assert_eq!(run(&world, &hedge, &[(ms(900), Ok(())), (ms(5), Err(never))]), Err(never));
    });
    let expected = [
        ("answers_total name=api outcome=permanent", 1.0),
        ("answers_total name=api outcome=success", 2.0),
        ("attempts_total name=api cause=first", 3.0),
        ("attempts_total name=api cause=hedge", 4.0),
        ("hedges_useless_total name=api", 3.0),
        ("hedges_won_total name=api", 1.0),
        ("requests_total name=api", 3.0),
        ("verdicts_total name=api outcome=permanent", 1.0),
        ("verdicts_total name=api outcome=success", 2.0),
        ("wins_total name=api alternate=0", 2.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn attempts_after_failures_are_counted_by_what_failed() {
    let (transient, throttled) = (Verdict::transient(), Verdict::throttled());
    let series = series_of(|| {
        let world = World::new();
        let hedge = metered(&world, &[10, 10], "api");
        assert_eq!(run(&world, &hedge, &[(ms(1), Err(transient)), (ms(1), Ok(()))]), Ok(()));
        let all = [(ms(1), Err(throttled)), (ms(1), Err(transient)), (ms(1), Err(throttled))];
        assert_eq!(run(&world, &hedge, &all), Err(throttled));
    });
    let expected = [
        ("answers_total name=api outcome=success", 1.0),
        ("answers_total name=api outcome=throttled", 1.0),
        ("attempts_total name=api cause=first", 2.0),
        ("attempts_total name=api cause=throttled", 1.0),
        ("attempts_total name=api cause=transient", 2.0),
        ("requests_total name=api", 2.0),
        ("verdicts_total name=api outcome=success", 1.0),
        ("verdicts_total name=api outcome=throttled", 2.0),
        ("verdicts_total name=api outcome=transient", 2.0),
        ("wins_total name=api alternate=0", 1.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn what_the_budget_refuses_is_counted_by_cause() {
    let series = series_of(|| {
        let world = World::new();
        let empty = TokenBudget::new(0, Costs::REVISION_2026);
        let hedge = Hedge::after(ms(10), world.sleeper()).when(judge).budget(empty).observe(HedgeMetrics::new("api"));
        assert_eq!(run(&world, &hedge, &[(ms(20), Ok(()))]), Ok(()));
        for failure in [Verdict::transient(), Verdict::throttled(), Verdict::throttled()] {
            assert_eq!(run(&world, &hedge, &[(ms(1), Err(failure))]), Err(failure));
        }
    });
    let refused: Vec<_> = counted(&series).into_iter().filter(|(name, _)| name.starts_with("refusals")).collect();
    let expected = [
        ("refusals_total name=api cause=hedge", 1.0),
        ("refusals_total name=api cause=throttled", 2.0),
        ("refusals_total name=api cause=transient", 1.0),
    ];
    assert_eq!(refused, expected);
    assert_eq!((series["attempts_total name=api cause=first"], series["requests_total name=api"]), (4.0, 4.0));
    assert_eq!(series["attempts_total name=api cause=hedge"], 0.0);
}

#[test]
fn a_request_that_its_caller_drops_is_not_answered() {
    let series = series_of(|| {
        let world = World::new();
        let hedge = Hedge::new(AtOnce, world.sleeper()).observe(HedgeMetrics::new("api"));
        let mut request = Box::pin(hedge.run(|_| pending::<Result<(), ()>>()));
        assert!(support::Woken::new().poll(request.as_mut()).is_pending());
    });
    let expected = [
        ("attempts_total name=api cause=first", 1.0),
        ("attempts_total name=api cause=hedge", 1.0),
        ("requests_total name=api", 1.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn a_time_limit_that_another_observer_reports_counts_as_a_failure() {
    let series = series_of(|| HedgeMetrics::new("api").on_refused(Cause::Timeout));
    assert_eq!(counted(&series), [("refusals_total name=api cause=transient", 1.0)]);
}

#[test]
fn policies_of_different_names_do_not_mix_and_clones_count_together() {
    let series = series_of(|| {
        let world = World::new();
        let ours = HedgeMetrics::new("ours");
        let hedge = Hedge::after(ms(10), world.sleeper()).when(judge);
        let theirs = hedge.clone().observe(HedgeMetrics::new("theirs"));
        let named = hedge.clone().observe(ours.clone().alternates(["primary"]));
        assert_eq!(run(&world, &named, &[(ms(1), Ok(()))]), Ok(()));
        for _ in 0..3 {
            assert_eq!(run(&world, &hedge.clone().observe(ours.clone()), &[(ms(1), Ok(()))]), Ok(()));
        }
        assert_eq!(run(&world, &theirs, &[(ms(1), Err(Verdict::permanent()))]), Err(Verdict::permanent()));
    });
    let expected = [
        ("answers_total name=ours outcome=success", 4.0),
        ("answers_total name=theirs outcome=permanent", 1.0),
        ("attempts_total name=ours cause=first", 4.0),
        ("attempts_total name=theirs cause=first", 1.0),
        ("requests_total name=ours", 4.0),
        ("requests_total name=theirs", 1.0),
        ("verdicts_total name=ours outcome=success", 4.0),
        ("verdicts_total name=theirs outcome=permanent", 1.0),
        ("wins_total name=ours alternate=0", 3.0),
        ("wins_total name=ours alternate=primary", 1.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn every_series_but_wins_is_there_from_the_beginning() {
    let series = series_of(|| drop(HedgeMetrics::new("api")));
    assert_eq!(counted(&series), []);
    // Requests, won, useless; attempts by cause, refusals by cause; verdicts and answers by outcome.
    assert_eq!(series.len(), 3 + 4 + 3 + 4 + 4);
    let named = series_of(|| drop(HedgeMetrics::new("api").alternates(["openai", "azure"])));
    assert_eq!(named.len(), series.len() + 2);
    assert!(named.contains_key("wins_total name=api alternate=azure"));
}

// Hazard 60.
#[test]
fn metrics_of_retired_keys_do_not_stay() {
    let endpoints = |count: u32| {
        series_of(|| {
            let (world, start) = (World::new(), clock());
            let estimates = BudgetMap::new(NonZeroUsize::new(100).unwrap(), Quantile::p95);
            let metrics = HedgeMetrics::new("api");
            for endpoint in 0..count {
                let estimate = estimates.budget_at(&endpoint, start + Duration::from_secs(60) * endpoint);
                let hedge = Hedge::new(estimate, world.sleeper()).observe(metrics.clone());
                assert_eq!(world.run(hedge.run(async |_| Ok::<_, ()>(()))), Ok(()));
            }
            assert!(estimates.len() <= 12, "the others are retired");
        })
    };
    let (one, many) = (endpoints(1), endpoints(200));
    assert_eq!(one.keys().collect::<Vec<_>>(), many.keys().collect::<Vec<_>>(), "no series for each key");
    assert_eq!(many["requests_total name=api"], 200.0);
}

#[test]
fn the_observer_goes_to_any_thread() {
    fn is<T: Send + Sync + Unpin + 'static>(_: &T) {}
    series_of(|| {
        let quantile = Quantile::p95();
        is(&HedgeMetrics::new("api").alternates(["a"]).threshold_of(&quantile));
    });
}

thread_local! {
    static SINCE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A clock that each test has for itself, and that any thread may hold.
fn clock() -> Instant {
    static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    #[allow(clippy::disallowed_methods)] // a clock that is moved by hand has to begin somewhere
    let origin = *ORIGIN.get_or_init(Instant::now);
    origin + SINCE.get()
}

#[test]
fn the_threshold_is_shown_in_seconds_and_nan_while_there_is_none() {
    let after = |requests: u32, pause: Duration| {
        let series = series_of(|| {
            SINCE.set(Duration::ZERO);
            let world = World::new();
            let warm_up = NonZeroU32::new(3).unwrap();
            let estimate = Quantile::builder(0.5).warm_up(warm_up).clock(clock as fn() -> Instant).build().unwrap();
            let metrics = HedgeMetrics::new("api").threshold_of(&estimate);
            let hedge = Hedge::new(estimate, world.sleeper()).when(judge).observe(metrics);
            let one = |took: Duration| {
                let answer = world.run(hedge.run(async |_| {
                    world.sleep(ms(1)).await; // it waits, and is timed
                    SINCE.set(SINCE.get() + took);
                    Ok(())
                }));
                assert_eq!(answer, Ok(()));
            };
            (0..requests).for_each(|_| one(ms(250)));
            if !pause.is_zero() {
                SINCE.set(SINCE.get() + pause);
                one(ms(250));
            }
        });
        series["threshold_seconds name=api"]
    };
    assert!(after(0, Duration::ZERO).is_nan(), "not zero, which were a hedge at once");
    assert!(after(2, Duration::ZERO).is_nan());
    let warm = after(3, Duration::ZERO);
    assert!((warm - 0.25).abs() < 0.005, "{warm}");
    assert!(after(3, Quantile::DEFAULT_WINDOW * 2).is_nan(), "cold again");
}

#[test]
fn a_threshold_that_is_known_is_shown_before_anything_happens() {
    let series = series_of(|| {
        let estimate = Quantile::p95();
        (0..100).for_each(|_| estimate.record(ms(2_000)));
        drop(HedgeMetrics::new("api").threshold_of(&estimate));
    });
    assert!((series["threshold_seconds name=api"] - 2.0).abs() < 0.04);
}
