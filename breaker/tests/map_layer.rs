//! The layer of a map: each request by the breaker of its key.
#![cfg(all(feature = "tower", not(loom)))]

mod map_support;

use std::{
    future::{Future, Ready, poll_fn, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

use evenkeel_breaker::{BreakerFuture, BreakerMap, BreakerMapLayer, Error, State, Verdict};
use map_support::{OPEN, builder};
use tokio::time::advance;
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimit, service_fn};

type Request = (&'static str, Result<u32, &'static str>);

fn map() -> BreakerMap<&'static str, impl Fn() -> Instant + Clone> {
    builder(10).max_open(1.0).clock(|| tokio::time::Instant::now().into_std()).build().unwrap()
}

fn host(request: &Request) -> &'static str {
    request.0
}

/// Answers with what the request says.
fn echo((_, answer): Request) -> Ready<Result<u32, &'static str>> {
    ready(answer)
}

#[tokio::test(start_paused = true)]
async fn each_key_is_rejected_and_recovers_by_itself() {
    let layer = BreakerMapLayer::new(map(), host);
    let mut service = layer.layer(service_fn(echo));
    assert_eq!(service.call(("a", Err("down"))).await, Err(Error::Inner("down")));
    let rejected = service.call(("a", Ok(1))).await.unwrap_err();
    assert_eq!(rejected.rejected().unwrap().retry_after(), Some(OPEN));
    assert_eq!(service.call(("b", Ok(2))).await, Ok(2));
    // Another service of the layer, and a clone, have the same breakers.
    let mut other = layer.clone().layer(service_fn(echo));
    assert!(other.call(("a", Ok(3))).await.unwrap_err().is_open());
    advance(OPEN).await;
    assert_eq!(service.clone().call(("a", Ok(4))).await, Ok(4));
    assert_eq!(layer.map().get("a").unwrap().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_classifier_judges() {
    let layer = BreakerMapLayer::new(map(), host).when(|result: &Result<u32, &str>| match result {
        Ok(200) => Verdict::success(),
        Ok(_) => Verdict::failure(),
        Err(_) => Verdict::ignored(),
    });
    let mut service = layer.layer(service_fn(echo));
    assert_eq!(service.call(("a", Err("cancelled"))).await, Err(Error::Inner("cancelled")));
    assert_eq!(service.call(("a", Ok(200))).await, Ok(200));
    assert_eq!(service.call(("a", Ok(503))).await, Ok(503));
    assert!(service.call(("a", Ok(200))).await.unwrap_err().is_open());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_request_does_not_reach_the_service_and_frees_what_was_reserved() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = {
        let calls = Arc::clone(&calls);
        move |request| {
            calls.fetch_add(1, Ordering::Relaxed);
            echo(request)
        }
    };
    let mut service = BreakerMapLayer::new(map(), host).layer(ConcurrencyLimit::new(service_fn(counted), 1));
    let mut other = service.clone();
    assert!(service.ready().await.unwrap().call(("a", Err("down"))).await.is_err());
    let rejected = service.ready().await.unwrap().call(("a", Ok(1)));
    // The permit of the limit is free, though neither the service nor the response is dropped.
    let mut ready = pin!(other.ready());
    assert!(ready.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(rejected.await.unwrap_err().is_open());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn errors_of_readiness_are_those_of_the_service() {
    #[derive(Clone)]
    struct Broken;

    impl Service<Request> for Broken {
        type Response = u32;
        type Error = &'static str;
        type Future = Ready<Result<u32, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("closed"))
        }

        fn call(&mut self, request: Request) -> Self::Future {
            echo(request)
        }
    }

    let mut service = BreakerMapLayer::new(map(), host).layer(Broken);
    assert_eq!(poll_fn(|cx| service.poll_ready(cx)).await, Err(Error::Inner("closed")));
}

// Hazard 56.
#[tokio::test(start_paused = true)]
async fn a_probe_whose_response_is_dropped_frees_its_slot() {
    let map = map();
    let layer = BreakerMapLayer::new(map.clone(), host);
    let mut service = layer.layer(service_fn(|(_, answer): Request| async move {
        tokio::time::sleep(OPEN / 10).await;
        answer
    }));
    assert!(service.call(("a", Err("down"))).await.is_err());
    advance(OPEN).await;
    let probe = service.call(("a", Ok(1)));
    assert!(service.call(("a", Ok(2))).await.unwrap_err().is_open(), "one at a time");
    drop(probe);
    assert_eq!(service.call(("a", Ok(3))).await, Ok(3));
}

#[test]
fn a_request_of_a_key_that_is_there_allocates_nothing() {
    let map: BreakerMap<&str> = builder(10).build().unwrap();
    let mut service = BreakerMapLayer::new(map, host).layer(service_fn(echo));
    let mut once = || {
        let mut response = pin!(service.call(("a", Ok(1))));
        assert!(response.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    };
    once();
    assert_eq!(allocation_counter::measure(once).count_total, 0);
}

#[test]
fn what_it_is_made_of_is_shown() {
    let map: BreakerMap<&str> = builder(10).build().unwrap();
    let layer = BreakerMapLayer::new(map, host);
    let inside = "BreakerMap { keys: 0, capacity: 10, rejecting: 0, evicted: 0, .. }";
    assert_eq!(format!("{layer:?}"), format!("BreakerMapLayer {{ map: {inside}, .. }}"));
    let mut service = layer.layer(service_fn(echo));
    assert!(format!("{service:?}").starts_with("BreakerMapService { inner: "));
    let response = service.call(("a", Ok(1)));
    assert_eq!(format!("{response:?}"), "BreakerFuture { call: Call { state: \"admitted\", .. } }");
}

#[test]
fn it_can_be_sent_and_shared() {
    fn is<T: Send + Sync + Unpin>() {}
    is::<BreakerMap<String>>();
    is::<BreakerMapLayer<fn(&Request) -> String, String>>();
    is::<BreakerFuture<Ready<Result<(), ()>>>>();
}
