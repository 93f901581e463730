//! What the counters of stacks other than the demo's add up to, as the chapter on metrics has it.

#![cfg(not(loom))]

use std::{
    future::{Future, pending},
    io,
    panic::AssertUnwindSafe,
    time::Duration,
};

use evenkeel_backoff::{Metrics, Retry};
use evenkeel_breaker::{Breaker, BreakerLayer, BreakerMetrics, Error};
use evenkeel_hedging::{Alternates, Answered, Hedge, HedgeMetrics};
use futures::FutureExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::{ServiceBuilder, ServiceExt};

const MS: Duration = Duration::from_millis(1);

/// What was counted of ten requests to two providers, both of which answer so, and fewer if they panic.
fn counted<F>(dry_run: bool, answer: fn() -> F) -> Page
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without sockets");
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let clock = || tokio::time::Instant::now().into_std();
            let retry = Retry::new([10 * MS; 2], tokio::time::sleep)
                .clock(clock)
                .attempt_timeout(50 * MS, || Error::Inner(io::ErrorKind::TimedOut.into()))
                .observe(Metrics::new("api"));
            let hedge = Hedge::new([20 * MS], tokio::time::sleep).observe(HedgeMetrics::new("api"));
            let provider = |name| {
                let breaker = Breaker::builder().clock(clock).consecutive_failures(2).dry_run(dry_run);
                let breaker = breaker.observe(BreakerMetrics::new(name)).build().expect("settings in their ranges");
                ServiceBuilder::new().layer(BreakerLayer::new(breaker)).service_fn(move |()| answer())
            };
            let client = ServiceBuilder::new()
                .layer(retry.layer())
                .map_response(Answered::into_inner)
                .service(Alternates::new([provider("a"), provider("b")]).policy(hedge));
            for _ in 0..10 {
                // Whatever comes of it.
                let _ = AssertUnwindSafe(client.clone().oneshot(())).catch_unwind().await;
            }
        });
    });
    Page(recorder.handle().render())
}

struct Page(String);

impl Page {
    /// Of all series of that name.
    fn sum(&self, name: &str) -> f64 {
        let name = format!("evenkeel_{name}_total{{");
        let lines = self.0.lines().filter(|line| line.starts_with(&name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

#[test]
fn what_an_attempt_timeout_cuts_is_a_verdict_and_no_answer() {
    let page = counted(true, pending);
    assert!(page.sum("retry_verdicts") > 0.0);
    assert_eq!((page.sum("hedge_answers"), page.sum("retry_requests")), (0.0, page.sum("retry_stops")));
}

#[test]
fn what_a_breaker_would_reject_in_a_dry_run_was_called() {
    let page = counted(true, || async { Err(io::Error::other("down")) });
    assert!(page.sum("breaker_rejections") > 0.0);
    assert_eq!(page.sum("hedge_attempts"), page.sum("breaker_calls"));

    let page = counted(false, || async { Err(io::Error::other("down")) });
    assert!(page.sum("breaker_rejections") > 0.0);
    assert_eq!(page.sum("hedge_attempts"), page.sum("breaker_calls") + page.sum("breaker_rejections"));
}

#[test]
fn a_request_that_panics_has_no_stop() {
    let page = counted(false, || async { panic!("on purpose") });
    assert!(page.sum("retry_requests") > page.sum("retry_stops"));
    assert_eq!(page.sum("retry_requests") + page.sum("retry_retries"), page.sum("hedge_requests"));
}
