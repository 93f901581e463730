//! What becomes of the service's own error, and of a call that is given up.

use std::{future::pending, sync::Arc};

use evenkeel_backoff::RetryLayer;
use evenkeel_breaker::{Breaker, BreakerLayer, Error};
use evenkeel_hedging::HedgeLayer;
use tokio::time::sleep;
use tower::{
    BoxError, Layer as _, Service, ServiceExt as _,
    limit::ConcurrencyLimitLayer,
    load_shed::{LoadShedLayer, error::Overloaded},
    service_fn,
    timeout::{TimeoutLayer, error::Elapsed},
};

use crate::at_hand::{now, secs};

type Down = &'static str;

#[tokio::test(start_paused = true)]
async fn tower_0_5_timeout_drops_the_call_and_boxes_the_error() {
    let held = Arc::new(());
    let hangs = service_fn(|held: Arc<()>| async move {
        let _held = held;
        pending::<Result<(), Down>>().await
    });
    let error: BoxError = TimeoutLayer::new(secs(1)).layer(hangs).oneshot(Arc::clone(&held)).await.unwrap_err();
    assert!(error.is::<Elapsed>() && Arc::strong_count(&held) == 1);
}

#[test]
fn tower_0_5_load_shed_rejects_what_the_service_is_not_ready_for_and_boxes_the_error() {
    let limited = ConcurrencyLimitLayer::new(1).layer(service_fn(|(): ()| pending::<Result<(), Down>>()));
    let mut service = LoadShedLayer::new().layer(limited);
    let _held = now(service.ready()).unwrap().call(());
    let error: BoxError = now(async { service.ready().await.unwrap().call(()).await }).unwrap_err();
    assert!(error.is::<Overloaded>());
}

fn has_its_own<S: Service<(), Error = Down>>(_: &S) {}

#[tokio::test(start_paused = true)]
async fn ours_keep_the_type_of_the_error() {
    let down = || service_fn(|(): ()| async { Err::<(), Down>("down") });
    has_its_own(&RetryLayer::new([secs(1)], sleep).layer(down()));
    has_its_own(&HedgeLayer::new([secs(1)], sleep).layer(down()));
    let breaker = Breaker::builder().consecutive_failures(1).build().unwrap();
    let service = BreakerLayer::new(breaker).layer(down());
    assert_eq!(service.clone().oneshot(()).await, Err(Error::Inner("down")));
    assert!(matches!(service.oneshot(()).await, Err(Error::Open(_))));
}
