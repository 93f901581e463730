//! The stories of the layer in a `ServiceBuilder`, on tokio's paused clock.
#![cfg(all(feature = "tower", not(loom)))]

mod support;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_backoff::{Retry, RetryLayer};
use evenkeel_hedging::{
    BudgetMap, Costs, Every, Hedge, HedgeLayer, OnFailure, Quantile, QuantileMap, TokenBudget, Verdict,
};
use support::ms;
use tokio::time::sleep;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// An estimate that is warm after 20 requests.
fn warm_after_20(share: f64) -> Quantile {
    let twenty = NonZeroU32::new(20).unwrap();
    Quantile::builder(share).warm_up(twenty).clock(now as fn() -> Instant).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_estimate_hedges_those_that_are_late_once_it_is_warm() {
    let calls = AtomicU32::new(0);
    // In 10 ms, every fifteenth in 500 ms; so one in fifteen is slow, and the two of a request are not both.
    let server = service_fn(|()| {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            sleep(if number % 15 == 14 { ms(500) } else { ms(10) }).await;
            Ok::<_, BoxError>(())
        }
    });
    let p90 = warm_after_20(0.9);
    let mut service = ServiceBuilder::new().layer(HedgeLayer::new(p90.clone(), sleep)).service(server);
    let mut slowest = [Duration::ZERO; 2];
    for number in 0..200 {
        let began = now();
        service.ready().await.unwrap().call(()).await.unwrap();
        let phase = usize::from(number >= 20);
        slowest[phase] = slowest[phase].max(now() - began);
    }
    assert_eq!(slowest[0], ms(500), "nobody knew");
    assert!(slowest[1] < ms(22), "{:?}: a threshold, and 10 ms of another", slowest[1]);
    let known = p90.snapshot();
    assert_eq!(known.count + known.longer, 200, "each request once");
    assert_eq!(u64::from(calls.load(Ordering::Relaxed)), 200 + known.longer, "and each that was late was hedged");
}

type Request = (&'static str, &'static str);

#[tokio::test(start_paused = true)]
async fn endpoints_do_not_share_an_estimate_and_hosts_share_a_budget() {
    let room = NonZeroUsize::new(10).unwrap();
    let estimates: QuantileMap<String> = QuantileMap::new(room, || warm_after_20(0.95));
    let budgets: BudgetMap<String> = BudgetMap::new(room, || TokenBudget::new(28, Costs::REVISION_2026));
    let (by_endpoint, by_host) = (estimates.clone(), budgets.clone());
    let layer = HedgeLayer::choose(move |(host, endpoint): &Request| {
        Hedge::new(by_endpoint.quantile(*endpoint), sleep).budget(by_host.budget(*host))
    });
    let (hangs, calls) = (AtomicBool::new(false), AtomicU32::new(0));
    let server = service_fn(|(_, endpoint): Request| {
        calls.fetch_add(1, Ordering::Relaxed);
        let usual = if endpoint == "late" { ms(100) } else { ms(10) };
        let delay = if hangs.load(Ordering::Relaxed) { ms(100_000) } else { usual };
        async move {
            sleep(delay).await;
            Ok::<_, BoxError>(())
        }
    });
    let service = ServiceBuilder::new().layer(layer).service(server);
    for _ in 0..25 {
        for request in [("a", "late"), ("a", "soon"), ("b", "late")] {
            service.clone().oneshot(request).await.unwrap();
        }
    }
    assert_eq!((estimates.quantile("late").snapshot().count, calls.swap(0, Ordering::Relaxed)), (50, 75));

    hangs.store(true, Ordering::Relaxed);
    let mut sent = vec![];
    for (request, patience) in [
        (("a", "soon"), 8),
        (("a", "soon"), 15),
        (("a", "late"), 90),
        (("a", "late"), 110),
        (("a", "soon"), 110), // Two hedges are all that there is for this host,
        (("a", "late"), 110),
        (("b", "late"), 110), // and the other has its own.
    ] {
        let answer = tokio::time::timeout(ms(patience), service.clone().oneshot(request)).await;
        assert!(answer.is_err());
        sent.push(calls.swap(0, Ordering::Relaxed));
    }
    assert_eq!(sent, [1, 2, 1, 2, 1, 1, 2]);
    assert_eq!((budgets.budget("a").balance(), budgets.budget("b").balance()), (0, 14));
}

/// Fails so often, in 5 ms.
fn fails(times: u32) -> (impl Service<u8, Response = u32, Error = &'static str> + Clone, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let number = calls.clone();
    let service = service_fn(move |_: u8| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        async move {
            sleep(ms(5)).await;
            if number < times { Err("busy") } else { Ok(number) }
        }
    });
    (service, calls)
}

#[tokio::test(start_paused = true)]
async fn a_retry_above_it_begins_anew_when_all_attempts_have_failed() {
    let (service, calls) = fails(3);
    let mut service = ServiceBuilder::new()
        .layer(RetryLayer::new([ms(100); 3], sleep))
        .layer(HedgeLayer::new(OnFailure, sleep))
        .service(service);
    let began = now();
    assert_eq!(service.ready().await.unwrap().call(1).await, Ok(3));
    assert_eq!((calls.load(Ordering::Relaxed), now() - began), (4, ms(120)), "two, a pause, and two more");
}

#[tokio::test(start_paused = true)]
async fn a_retry_under_it_is_one_attempt() {
    let (service, calls) = fails(3);
    let mut service = ServiceBuilder::new()
        .layer(HedgeLayer::new(Every(ms(10_000)), sleep))
        .layer(RetryLayer::new([ms(100); 3], sleep))
        .service(service);
    let began = now();
    assert_eq!(service.ready().await.unwrap().call(1).await, Ok(3));
    assert_eq!((calls.load(Ordering::Relaxed), now() - began), (4, ms(320)), "three pauses, and no hedge");
}

#[tokio::test(start_paused = true)]
async fn retries_and_hedges_pay_from_one_budget() {
    let budget = TokenBudget::default();
    let (service, calls) = fails(u32::MAX);
    let retry = Retry::new([ms(1); 9], sleep).budget(budget.clone());
    let hedge = Hedge::new(OnFailure, sleep).budget(budget.clone());
    let mut service = ServiceBuilder::new().layer(retry.layer()).layer(hedge.layer()).service(service);
    for _ in 0..20 {
        let _ = service.ready().await.unwrap().call(1).await;
    }
    assert_eq!(calls.load(Ordering::Relaxed), 20 + 35, "500 tokens at 14");
    assert!(budget.balance() < 14);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_it_is_for_all_attempts_and_one_under_it_for_each() {
    let hang = || service_fn(|_: u8| std::future::pending::<Result<u32, BoxError>>());
    let began = now();
    let hedge = || HedgeLayer::new(Every(ms(10)), sleep);
    let over = ServiceBuilder::new().timeout(ms(50)).layer(hedge()).service(hang());
    assert!(over.oneshot(1).await.is_err());
    assert_eq!(now() - began, ms(50));
    let under = ServiceBuilder::new().layer(hedge()).timeout(ms(50)).service(hang());
    assert!(under.oneshot(1).await.is_err());
    assert_eq!(now() - began, ms(50) + ms(60), "the second began 10 ms later");
}

#[tokio::test(start_paused = true)]
async fn a_classifier_sees_responses_and_a_hint_delays_the_next() {
    let calls = AtomicU32::new(0);
    let service = service_fn(|_: u8| {
        std::future::ready(Ok::<u16, BoxError>(if calls.fetch_add(1, Ordering::Relaxed) == 0 { 429 } else { 200 }))
    });
    let hedge = Hedge::new(OnFailure, sleep).when(|result: &Result<u16, BoxError>| match result {
        Ok(429) => Verdict::throttled().not_before(ms(700)),
        Ok(_) => Verdict::success(),
        Err(_) => Verdict::transient(),
    });
    let began = now();
    assert_eq!(ServiceBuilder::new().layer(hedge.layer()).service(service).oneshot(1).await.unwrap(), 200);
    assert_eq!(now() - began, ms(700));
}
