//! How often a request is copied.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use evenkeel_backoff::RetryLayer;
use tower::{Layer as _, ServiceExt as _, retry::Policy, service_fn};

use crate::at_hand::ms;

#[derive(Debug, Default)]
struct Request(Arc<AtomicU32>);

impl Clone for Request {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

async fn down(_: Request) -> Result<(), &'static str> {
    Err("down")
}

#[tokio::test(start_paused = true)]
async fn tower_resilience_retry_0_14_the_request_is_copied_for_the_last_attempt_too() {
    for attempts in [1, 3] {
        let layer = tower_resilience_retry::RetryLayer::builder().max_attempts(attempts).fixed_backoff(ms(1)).build();
        let copies = Arc::default();
        let request = Request(Arc::clone(&copies));
        assert!(layer.layer(service_fn(down)).oneshot(request).await.is_err());
        assert_eq!(copies.load(Ordering::Relaxed) as usize, attempts, "one for each attempt");
    }
}

/// Never again.
#[derive(Clone)]
struct Never;

impl Policy<Request, (), &'static str> for Never {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut Request, _: &mut Result<(), &'static str>) -> Option<Self::Future> {
        None
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn tower_0_5_the_request_is_copied_before_the_policy_is_asked_whether_it_is_retried() {
    let copies = Arc::default();
    let layer = tower::retry::RetryLayer::new(Never);
    assert!(layer.layer(service_fn(down)).oneshot(Request(Arc::clone(&copies))).await.is_err());
    assert_eq!(copies.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn ours_the_request_is_copied_once_for_each_further_attempt_and_the_last_is_moved() {
    for retries in [0, 2] {
        let layer = RetryLayer::new(vec![Duration::ZERO; retries], tokio::time::sleep);
        let copies = Arc::default();
        let request = Request(Arc::clone(&copies));
        assert!(layer.layer(service_fn(down)).oneshot(request).await.is_err());
        assert_eq!(copies.load(Ordering::Relaxed) as usize, retries);
    }
}
