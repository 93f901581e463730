//! Policies from a file, observed, in a tower stack.
#![cfg(all(feature = "metrics", feature = "serde", feature = "tower", not(loom)))]

mod metrics_support;

use std::{
    cell::Cell,
    collections::BTreeMap,
    future::Future,
    num::NonZeroUsize,
    rc::Rc,
    time::{Duration, Instant},
};

use evenkeel_hedging::{
    Alternates, Answered, Costs, Hedge, HedgeConfig, HedgeLayer, HedgeMetrics, Quantile, QuantileConfig, QuantileMap,
    TokenBudget,
};
use metrics_support::{counted, series_of};
use tokio::time::sleep;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

fn read(text: &str) -> HedgeConfig {
    toml::from_str(text).unwrap()
}

fn clock() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What is counted while `f` runs, in virtual time.
fn series_in_virtual_time(f: impl Future<Output = ()>) -> BTreeMap<String, f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    series_of(|| runtime.block_on(f))
}

/// A service of which every call takes 100 ms, but one 5 s. It answers with the call's number, from 1.
fn slow_once(
    the_slow_one: u32,
) -> impl Service<(), Response = u32, Error = &'static str, Future: Future<Output = Result<u32, &'static str>>> + Clone
{
    let calls = Rc::new(Cell::new(0));
    service_fn(move |()| {
        let call = calls.get() + 1;
        calls.set(call);
        async move {
            sleep(Duration::from_millis(if call == the_slow_one { 5_000 } else { 100 })).await;
            Ok(call)
        }
    })
}

#[test]
fn a_layer_of_a_file_hedges_what_is_late_and_all_is_counted() {
    let series = series_in_virtual_time(async {
        let config = read("delays = { quantile = 0.9, warm_up = 10, window = '1h', at_least = '200ms' }");
        let policy = config.policy_with_clock(sleep, clock);
        let metrics = HedgeMetrics::new("api").threshold_of(policy.delays().quantile().unwrap());
        let layer = policy.observe(metrics).layer();
        let estimate = layer.policy().delays().quantile().unwrap().clone();
        let service = ServiceBuilder::new().layer(layer).service(slow_once(13));
        for call in 1..=12 {
            assert_eq!(estimate.threshold().is_some(), call > 10);
            assert_eq!(service.clone().oneshot(()).await, Ok(call));
        }
        assert_eq!(service.oneshot(()).await, Ok(14), "its hedge won");
        assert_eq!((estimate.snapshot().count, estimate.snapshot().longer), (12, 1));
    });
    let expected = [
        ("answers_total name=api outcome=success", 13.0),
        ("attempts_total name=api cause=first", 13.0),
        ("attempts_total name=api cause=hedge", 1.0),
        ("hedges_won_total name=api", 1.0),
        ("requests_total name=api", 13.0),
        ("threshold_seconds name=api", 0.2),
        ("verdicts_total name=api outcome=success", 13.0),
        ("wins_total name=api alternate=0", 13.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn a_layer_of_a_file_has_the_budget_that_it_was_given() {
    let series = series_in_virtual_time(async {
        let empty = TokenBudget::new(0, Costs::REVISION_2026);
        let policy = read("delays = '200ms'").policy(sleep).budget(empty);
        let service = policy.observe(HedgeMetrics::new("api")).layer();
        let service = ServiceBuilder::new().layer(service).service(slow_once(1));
        assert_eq!(service.oneshot(()).await, Ok(1), "there was no other");
    });
    assert_eq!(series["refusals_total name=api cause=hedge"], 1.0);
    assert_eq!(series["attempts_total name=api cause=hedge"], 0.0);
}

/// Providers of which the first `down` fail, and the next one is slow if `slow` says so.
fn provider(
    place: usize,
) -> impl Service<(usize, bool), Response = (), Error = &'static str, Future: Future<Output = Result<(), &'static str>>>
+ Clone {
    service_fn(move |(down, slow): (usize, bool)| async move {
        if place < down {
            return Err("down");
        }
        sleep(Duration::from_millis(if slow && place == down { 5_000 } else { 100 })).await;
        Ok(())
    })
}

#[test]
fn alternates_by_a_file_count_their_wins_by_name_and_by_place() {
    let series = series_in_virtual_time(async {
        let metrics = HedgeMetrics::new("chat").alternates(["openai", "azure"]);
        let policy = read("delays = '200ms'\nall_failed = 'last'").policy(sleep).observe(metrics);
        let models = Alternates::new([provider(0), provider(1), provider(2)]).policy(policy);
        let ask = |request| models.clone().oneshot(request);
        for (request, alternate) in [((0, false), 0), ((0, false), 0), ((1, false), 1), ((0, true), 1), ((2, false), 2)]
        {
            assert_eq!(ask(request).await, Ok(Answered { alternate, response: () }), "{request:?}");
        }
        assert_eq!(ask((3, false)).await, Err("down"));
    });
    let expected = [
        ("answers_total name=chat outcome=success", 5.0),
        ("answers_total name=chat outcome=transient", 1.0),
        ("attempts_total name=chat cause=first", 6.0),
        ("attempts_total name=chat cause=hedge", 1.0),
        ("attempts_total name=chat cause=transient", 5.0),
        ("hedges_won_total name=chat", 1.0),
        ("requests_total name=chat", 6.0),
        ("verdicts_total name=chat outcome=success", 5.0),
        ("verdicts_total name=chat outcome=transient", 6.0),
        ("wins_total name=chat alternate=2", 1.0),
        ("wins_total name=chat alternate=azure", 2.0),
        ("wins_total name=chat alternate=openai", 2.0),
    ];
    assert_eq!(counted(&series), expected);
}

#[test]
fn the_last_of_as_many_alternates_as_there_can_be_is_counted() {
    let series = series_in_virtual_time(async {
        let services: Vec<_> = (0..64).map(provider).collect();
        let metrics = HedgeMetrics::new("chat").alternates((0..).map(|place| format!("model-{place}")).take(1_000));
        let policy = read("delays = 'on_failure'").policy(sleep).observe(metrics);
        let answer = Alternates::new(services).policy(policy).oneshot((63, false)).await;
        assert_eq!(answer.unwrap().alternate, 63);
    });
    assert_eq!(series["wins_total name=chat alternate=model-63"], 1.0);
    assert!(!series.contains_key("wins_total name=chat alternate=model-64"), "their number is bounded");
}

#[test]
fn policies_of_many_keys_count_together_with_estimates_of_a_file() {
    let series = series_in_virtual_time(async {
        let config: QuantileConfig = toml::from_str("quantile = 0.9\nuntil_warm = '200ms'").unwrap();
        let make = move || config.builder().clock(clock as fn() -> Instant).build().expect("it was read");
        let estimates: QuantileMap<String> = QuantileMap::new(NonZeroUsize::new(10).unwrap(), make);
        let (of_all, metrics) = (estimates.clone(), HedgeMetrics::new("api"));
        let budget = TokenBudget::default();
        let layer = HedgeLayer::choose(move |endpoint: &&'static str| {
            let hedge: Hedge<Quantile, _> = Hedge::new(of_all.quantile(*endpoint), sleep);
            hedge.budget(budget.clone()).observe(metrics.clone())
        });
        let slow = service_fn(|endpoint: &'static str| async move {
            sleep(Duration::from_millis(if endpoint == "/slow" { 300 } else { 100 })).await;
            Ok::<_, ()>(())
        });
        let service = ServiceBuilder::new().layer(layer).service(slow);
        for endpoint in ["/fast", "/slow", "/fast"] {
            assert_eq!(service.clone().oneshot(endpoint).await, Ok(()));
        }
        assert_eq!(["/fast", "/slow"].map(|endpoint| estimates.quantile(endpoint).snapshot().count), [2, 1]);
    });
    assert_eq!((series["requests_total name=api"], series["hedges_useless_total name=api"]), (3.0, 1.0));
}
