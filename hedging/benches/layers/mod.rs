//! `HedgeLayer` and `Alternates` beside `tower::hedge`, around a service that answers at once.

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use evenkeel_hedging::{Alternates, Hedge, HedgeLayer};
use tower::{Layer, Service, hedge::Policy, service_fn};

use crate::{
    DELAY, Turn,
    harness::{Candidate, compare, drive},
    warm, well,
};

pub(crate) fn compare_layers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let fixed = HedgeLayer::new([DELAY], tokio::time::sleep);
    let quantile = HedgeLayer::new(warm(), tokio::time::sleep);
    let staggered = Hedge::after(DELAY, tokio::time::sleep);

    let service = service_fn(|_: u64| well());
    let (mut by_quantile, mut by_delay) = (quantile.layer(service), fixed.layer(service));
    let (mut towers, mut bare) = (tower(service), service);
    let mut alternates = Alternates::new([service, service]).policy(staggered);
    compare(
        "A layer: a success at the first poll",
        vec![
            Candidate::new("tower::hedge", || request(&mut towers)),
            Candidate::new("`HedgeLayer`, `Quantile`", || request(&mut by_quantile)),
            Candidate::new("`HedgeLayer`, a fixed delay", || request(&mut by_delay)),
            Candidate::new("`Alternates` of two, a fixed delay", || request(&mut alternates)),
            Candidate::new("no layer", || request(&mut bare)),
        ],
    );

    let service = service_fn(|_: u64| Turn::default());
    let (mut by_quantile, mut by_delay) = (quantile.layer(service), fixed.layer(service));
    let mut towers = tower(service);
    compare(
        "A layer: a success at the second poll, in tokio",
        vec![
            Candidate::new("tower::hedge", || request(&mut towers)),
            Candidate::new("`HedgeLayer`, `Quantile`", || request(&mut by_quantile)),
            Candidate::new("`HedgeLayer`, a fixed delay", || request(&mut by_delay)),
        ],
    );
}

fn request<S: Service<u64>>(service: &mut S) -> bool {
    let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))), "it is always ready");
    drive(service.call(1)).is_ok()
}

/// With as many latencies in its histogram as our estimate has, and the same percentile.
fn tower<S>(service: S) -> tower::hedge::Hedge<S, Each>
where
    S: Service<u64, Error = std::fmt::Error> + Clone,
{
    let latencies: Vec<u64> = (0..20_000).map(|n| 5 + n % 2).collect();
    tower::hedge::Hedge::new_with_mock_latencies(service, Each, 100, 0.95, Duration::from_secs(15), &latencies)
}

/// Every request may be sent twice.
#[derive(Clone)]
struct Each;

impl Policy<u64> for Each {
    fn clone_request(&self, request: &u64) -> Option<u64> {
        Some(*request)
    }

    fn can_retry(&self, _: &u64) -> bool {
        true
    }
}
