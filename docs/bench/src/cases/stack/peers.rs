//! The peers' layers, as those who have no others would stack them.

use std::{
    fmt,
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use tower::{
    Layer, Service, ServiceExt,
    retry::{
        Policy,
        budget::{Budget as _, TpsBudget},
    },
};
use tower_resilience_circuitbreaker::{CircuitBreakerError, circuit_breaker_builder};

use super::{DELAY, FIRST};
use crate::echo::Echo;

/// tower-resilience's breaker; what it fails with is none of what its hedge can copy.
fn breaker() -> impl Service<u64, Response = u64, Error = fmt::Error, Future: Send> + Clone + Send {
    let breaker = circuit_breaker_builder().build().expect("the defaults").layer(Echo);
    ServiceExt::<u64>::map_err(breaker, |error| match error {
        CircuitBreakerError::OpenCircuit => fmt::Error,
        CircuitBreakerError::Inner(error) => error,
    })
}

pub(super) fn towers() -> impl Service<u64, Response = u64> + Clone {
    tower::retry::Retry::new(Three::default(), tower_resilience_hedge::HedgeLayer::new(DELAY).layer(breaker()))
}

/// tower's hedge cannot be cloned, and so not be retried: it is outside.
pub(super) fn towers_own() -> impl Service<u64, Response = u64> {
    let latencies: Vec<u64> = (0..20_000).map(|n| 5 + n % 2).collect();
    let retry = tower::retry::Retry::new(Three::default(), breaker());
    tower::hedge::Hedge::new_with_mock_latencies(retry, Each, 100, 0.95, Duration::from_secs(15), &latencies)
}

pub(super) fn resilience() -> impl Service<u64, Response = u64> + Clone {
    let hedge = tower_resilience_hedge::HedgeLayer::new(DELAY).layer(breaker());
    tower_resilience_retry::RetryLayer::builder().max_attempts(4).exponential_backoff(FIRST).build().layer(hedge)
}

/// The policy that one writes for tower's layer.
#[derive(Clone)]
struct Three {
    left: u32,
    budget: Arc<TpsBudget>,
}

impl Default for Three {
    fn default() -> Self {
        Self { left: 3, budget: Arc::default() }
    }
}

impl<E> Policy<u64, u64, E> for Three {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, E>) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                self.budget.deposit();
                None
            }
            Err(_) if self.left > 0 && self.budget.withdraw() => {
                self.left -= 1;
                Some(ready(()))
            }
            Err(_) => None,
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// Every request may be sent twice.
#[derive(Clone)]
struct Each;

impl tower::hedge::Policy<u64> for Each {
    fn clone_request(&self, request: &u64) -> Option<u64> {
        Some(*request)
    }

    fn can_retry(&self, _: &u64) -> bool {
        true
    }
}
