//! What hedging cuts off the tail, and what it costs: by policy, on services of several kinds.
//!
//! A client begins 1,000 requests a second, as a Poisson process in virtual time, and hedges them with the real
//! [`Hedge`](evenkeel_hedging::Hedge) and [`Quantile`](evenkeel_hedging::Quantile). Each attempt takes the time that was
//! drawn for it, the same for every policy, and is not delayed by others: the service does not become slower by load. What
//! begins in the first 130 s is not counted, nor is a brown-out begun before: by then every estimate has found its level, and
//! the windows of this library and of `tower::hedge` are both a third away from where they turn.
//!
//! `tower::hedge` knows no time but tokio's, so its rows are made on tokio's paused clock. That both kinds of time give the
//! same figures is tested.

mod cases;
mod client;
mod peer;
mod plan;
mod policy;
mod queue;
mod service;
mod tally;
mod time;
mod view;

use serde::Serialize;

use crate::stats::Latencies;
pub use plan::Plan;
pub use policy::{Hedging, Paying, Policy};
pub use service::Scenario;
use tally::Tally;

/// One policy on one service.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// How requests were hedged: `none`, `fixed-10ms`, `p90`, `p90x2`, `p95` or `p95x2`, with what pays for hedges where that
    /// is not the rule of the scenario; or `tower-p90`, `tower-p95`.
    pub policy: &'static str,
    /// What the service was like: `headline`, `tail-2`, `tail-10`, `correlated`, `failing` or `brown-out`.
    pub scenario: &'static str,
    /// How many were measured.
    pub requests: u64,
    /// The latency that half of those that succeeded did not pass, in milliseconds.
    pub p50_ms: f64,
    /// That 90 % did not pass.
    pub p90_ms: f64,
    /// That 95 % did not pass.
    pub p95_ms: f64,
    /// That 99 % did not pass.
    pub p99_ms: f64,
    /// That 99.9 % did not pass.
    pub p999_ms: f64,
    /// Attempts after the first, per request: 0.1 is a tenth more load.
    pub extra_load: f64,
}

/// What else there is to know of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detail {
    /// The row's policy.
    pub policy: &'static str,
    /// The row's scenario.
    pub scenario: &'static str,
    /// The share of the requests whose answer was a failure.
    pub failed: f64,
    /// How long after the first attempt the second was sent, in the mean over those that had one.
    pub second_after_ms: Option<f64>,
    /// When the client first sent a second attempt, since it was made.
    pub first_second_attempt_s: Option<f64>,
    /// The extra load of its first 30 s.
    pub extra_in_start: f64,
    /// The extra load of the first second that is measured: that of a brown-out, where there is one.
    pub extra_in_first_s: f64,
    /// Of the first 10 s.
    pub extra_in_first_10_s: f64,
    /// From the second minute on.
    pub extra_later: f64,
}

/// All that is known of a policy on a service.
#[derive(Clone, Debug)]
pub struct Run {
    /// The figures that all have.
    pub row: Row,
    /// Those that say something in some scenarios.
    pub detail: Detail,
    /// The latencies of those that succeeded.
    pub latencies: Latencies,
}

impl Run {
    fn of(policy: Policy, scenario: Scenario, tally: Tally) -> Self {
        let (policy, scenario) = (policy.name(scenario), scenario.name());
        let ms = |q| tally.latencies.quantile_ms(q).unwrap_or(f64::NAN);
        let row = Row {
            policy,
            scenario,
            requests: tally.all.requests,
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p95_ms: ms(0.95),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            extra_load: tally.all.extra_load(),
        };
        let (after, count) = tally.second_after;
        let detail = Detail {
            policy,
            scenario,
            failed: tally.failed as f64 / tally.all.requests.max(1) as f64,
            second_after_ms: (count > 0).then(|| after.as_secs_f64() * 1_000.0 / f64::from(count)),
            first_second_attempt_s: tally.first_second_attempt.map(|at| at.as_secs_f64()),
            extra_in_start: tally.start.extra_load(),
            extra_in_first_s: tally.first_second.extra_load(),
            extra_in_first_10_s: tally.first_10_s.extra_load(),
            extra_later: tally.later.extra_load(),
        };
        Self { row, detail, latencies: tally.latencies }
    }
}
