//! What two services have in common that one layer has made.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use evenkeel_breaker::{Breaker, BreakerLayer};
use tower::{
    Layer as _, Service, ServiceExt as _,
    limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer},
    service_fn,
};
use tower_resilience_circuitbreaker::circuit_breaker_builder;

use crate::at_hand::{now, poll, resilience};

async fn down(_: ()) -> Result<(), &'static str> {
    Err("down")
}

#[test]
fn tower_resilience_circuitbreaker_0_14_each_service_of_a_layer_has_its_own_state() {
    let layer = resilience(|breaker| breaker.consecutive_failures(1));
    let (mut one, other) = (layer.layer(service_fn(down)), layer.layer(service_fn(down)));
    assert!(now(async { one.ready().await.unwrap().call(()).await }).is_err());
    assert!(one.is_open() && one.clone().is_open(), "a clone of the service is the same breaker");
    assert!(!other.is_open(), "another service of the layer is not");

    let (layer, handle) = circuit_breaker_builder().consecutive_failures(1).build_with_handle().unwrap();
    let (mut one, other) = (layer.layer(service_fn(down)), layer.layer(service_fn(down)));
    assert!(now(async { one.ready().await.unwrap().call(()).await }).is_err());
    assert!(other.is_open() && handle.is_open(), "unless the layer was built with a handle");
}

#[test]
fn ours_all_services_of_a_layer_are_one_breaker() {
    let breaker = Breaker::builder().consecutive_failures(1).build().unwrap();
    let layer = BreakerLayer::new(breaker.clone());
    let (mut one, mut other) = (layer.layer(service_fn(down)), layer.layer(service_fn(down)));
    assert!(now(async { one.ready().await.unwrap().call(()).await }).is_err());
    let rejected = now(async { other.ready().await.unwrap().call(()).await });
    assert!(rejected.unwrap_err().rejected().is_some() && breaker.try_acquire().is_err());
}

#[test]
fn tower_0_5_each_service_of_a_concurrency_limit_layer_has_its_own_limit() {
    let hangs = || service_fn(|(): ()| std::future::pending::<Result<(), ()>>());

    let layer = ConcurrencyLimitLayer::new(1);
    let (mut one, mut other) = (layer.layer(hangs()), layer.layer(hangs()));
    let held = now(one.ready()).unwrap().call(());
    assert!(poll(std::pin::pin!(one.ready())).is_pending() && poll(std::pin::pin!(other.ready())).is_ready());
    drop(held);

    let layer = GlobalConcurrencyLimitLayer::new(1);
    let (mut one, mut other) = (layer.layer(hangs()), layer.layer(hangs()));
    let _held = now(one.ready()).unwrap().call(());
    assert!(poll(std::pin::pin!(other.ready())).is_pending(), "the global one is shared, as it says");
}

#[test]
fn ours_all_services_of_a_retry_layer_pay_from_one_budget() {
    let layer = evenkeel_backoff::RetryLayer::new([Duration::ZERO; 100], |_| ready(()));
    let retries = |requests: u32| {
        let sent = Arc::new(AtomicU32::new(0));
        for _ in 0..requests {
            let sent = Arc::clone(&sent);
            let service = layer.layer(service_fn(move |(): ()| {
                sent.fetch_add(1, Ordering::Relaxed);
                ready(Err::<(), _>("down"))
            }));
            assert!(futures::executor::block_on(service.oneshot(())).is_err());
        }
        sent.load(Ordering::Relaxed) - requests
    };
    assert_eq!((retries(10), retries(10)), (500 / 14, 0), "a service that is made later finds what is left");
}
