//! What a fleet leaves of a service that is asked for more than it can do.
//!
//! A hundred clients call a service that can do so much and no more: it has a short line, and refuses what finds it full. Refusing
//! is not free: a tenth of answering. So the more it refuses the less it answers, and what the clients send beyond what it can do
//! is taken from their own users.

mod client;
mod view;

use std::time::Duration;

use serde::Serialize;

pub use client::Strategy;

use crate::{
    fleet::{Outage, Service, Tally, Traffic, World},
    side_by_side,
};

/// What is varied, and how often it is repeated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck all have.
    pub seed: u64,
    /// How many clients there are, at least one.
    pub clients: u32,
    /// What the service can do for each of them, in requests a second; above zero.
    pub per_client: f64,
    /// How long a load is measured, after as long as it takes to settle.
    pub measured: Duration,
    /// The loads, in units of the capacity; above zero.
    pub offered: Vec<f64>,
    /// Who is compared.
    pub strategies: Vec<Strategy>,
}

/// One load under one strategy; loads are in units of the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What the clients do.
    pub strategy: &'static str,
    /// How many there are.
    pub clients: u32,
    /// What users ask for.
    pub offered: f64,
    /// Attempts that come to the service.
    pub load: f64,
    /// Users who are answered.
    pub goodput: f64,
    /// The latency that one in a hundred of those who are answered passes; none if nobody is.
    pub p99_ms: Option<f64>,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            clients: 100,
            per_client: 5.0,
            measured: Duration::from_secs(60),
            offered: vec![0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0],
            strategies: Strategy::ALL.to_vec(),
        }
    }

    /// The same with fewer loads and less time.
    #[must_use]
    pub fn quick(seed: u64) -> Self {
        let offered = vec![0.5, 1.0, 2.0, 4.0, 10.0];
        Self { clients: 20, measured: Duration::from_secs(20), offered, ..Self::new(seed) }
    }

    /// The figures of each strategy under each load.
    ///
    /// # Panics
    ///
    /// When there are no clients.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let cases: Vec<_> = self
            .strategies
            .iter()
            .flat_map(|strategy| self.offered.iter().map(move |offered| (*strategy, *offered)))
            .collect();
        side_by_side::each(&cases, |(strategy, offered)| self.row(*strategy, *offered))
    }

    fn row(&self, strategy: Strategy, offered: f64) -> Row {
        let capacity = f64::from(self.clients) * self.per_client;
        let service = Service { capacity, work: WORK, line: LINE, refusal: REFUSAL };
        let never = Outage { from: Duration::MAX, length: Duration::ZERO };
        let end = SETTLING + self.measured;
        let traffic = Traffic { per_second: offered * capacity, length: end };
        let tally = Tally::new(Duration::from_secs(1), &[Duration::ZERO, SETTLING]);
        let tally = World::run(self.seed, (service, never, LIMIT), traffic, tally, |time| {
            (0..self.clients).map(|number| strategy.client(time, self.seed, number)).collect()
        });
        let sum = tally.sum(SETTLING, end);
        let load = |count: u32| rounded(f64::from(count) / self.measured.as_secs_f64() / capacity);
        Row {
            strategy: strategy.name(),
            clients: self.clients,
            offered,
            load: load(sum.sent),
            goodput: load(sum.answered),
            p99_ms: tally.latencies(SETTLING).and_then(|latencies| latencies.quantile_ms(0.99)).map(rounded),
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// How long a worker takes for a request.
const WORK: Duration = Duration::from_millis(100);
/// What waits through it is in time.
const LINE: Duration = Duration::from_millis(200);
/// What it costs to refuse, as a share of answering.
const REFUSAL: f64 = 0.1;
/// When a client gives an attempt up.
const LIMIT: Duration = Duration::from_secs(1);
/// Twice what the throttles look back.
const SETTLING: Duration = Duration::from_secs(40);
