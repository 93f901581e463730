//! The layers of the peers.

use std::{fmt, time::Duration};

use tower::{Layer, Service, hedge::Policy};
use tower_resilience_hedge::HedgeLayer;

/// tower's, with so many milliseconds as latencies in its histogram, and the percentile that ours has. What it reads is not
/// replaced by what it measures here.
fn tower<S>(service: S, latencies: &[u64]) -> tower::hedge::Hedge<S, Each>
where
    S: Service<u64, Error = fmt::Error> + Clone,
{
    tower::hedge::Hedge::new_with_mock_latencies(service, Each, 100, 0.95, Duration::from_secs(3600), latencies)
}

/// With as many latencies in its histogram as our estimate has.
pub(super) fn warm_tower<S>(service: S) -> tower::hedge::Hedge<S, Each>
where
    S: Service<u64, Error = fmt::Error> + Clone,
{
    tower(service, &(0..20_000).map(|n| 5 + n % 2).collect::<Vec<_>>())
}

/// The least that it can wait.
pub(super) fn quick_tower<S>(service: S) -> tower::hedge::Hedge<S, Each>
where
    S: Service<u64, Error = fmt::Error> + Clone,
{
    tower(service, &[0; 20_000])
}

/// Every request may be sent twice.
#[derive(Clone)]
pub(super) struct Each;

impl Policy<u64> for Each {
    fn clone_request(&self, request: &u64) -> Option<u64> {
        Some(*request)
    }

    fn can_retry(&self, _: &u64) -> bool {
        true
    }
}

/// Two attempts, the second after a fixed delay; none is that both start at once.
pub(super) fn resilience<S>(service: S, delay: Duration) -> tower_resilience_hedge::Hedge<S> {
    HedgeLayer::builder().max_hedged_attempts(2).delay(delay).build().layer(service)
}
