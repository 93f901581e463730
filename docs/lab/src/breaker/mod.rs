//! What a breaker costs and saves: in a total outage after more or less success, and with a service that flaps.
//!
//! A client of a model API calls ten times a second, evenly spaced, in virtual time. The service answers within 200 ms.
//! While it is down it does not answer at all, and the client gives up after 2 s; so whoever opens has 20 more calls
//! out that nobody will answer. Calls that are under way when it goes down are still answered.
//!
//! The load has no luck in it, because there is none in what is asked: how many failures a window needs is a matter of
//! its arithmetic, and a Poisson process would only blur it. All luck is in the jitter of the open times, and the
//! figures are means over runs that differ in it.

mod client;
mod flapping;
mod outage;
mod view;

use std::time::Duration;

use serde::Serialize;

pub use flapping::Cycle;

/// What is varied, and how often it is repeated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck the open times have.
    pub seed: u64,
    /// Over how many runs the figures of an outage are averaged, at least one; those of flaps over five times as many.
    pub runs: u32,
    /// How many calls have succeeded when the service goes down, in the rows; at least one.
    pub warmups: Vec<u32>,
    /// How long it stays down.
    pub outage: Duration,
    /// How often it flaps.
    pub cycles: u32,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, runs: 10, warmups: vec![1, 100, 10_000], outage: Duration::from_secs(20 * 60), cycles: 20 }
    }
}

/// One total outage under one rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which results are counted: `count` the last 100, `time` those of the last 10 s, `cumulative` all since it closed
    /// (not this library's: what many breakers do), `none` only those since the last success.
    pub window: &'static str,
    /// What opens: `consecutive` failures, the `failure_rate`, the `slow_rate`, or `any` of the three.
    pub rule: &'static str,
    /// How many calls had succeeded before.
    pub warmup_successes: u32,
    /// How many had to fail until it opened; none if it did not within the outage. There is no luck in it.
    pub failures_to_open: Option<u32>,
    /// From the beginning of the outage until it opened.
    pub time_to_open_ms: Option<f64>,
    /// Calls that were sent to the dead service, over the whole outage: those that opened it, those that were out by
    /// then, and all probes.
    pub calls_wasted: f64,
    /// From the end of the outage to the first call that a closed breaker admitted.
    pub time_to_recover_ms: f64,
}

/// One decimal, of which the second would be noise.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
