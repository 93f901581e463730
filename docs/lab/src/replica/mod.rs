//! One bad backend of ten, and who gets around it.
//!
//! A fleet of clients asks ten backends, each client with a balancer of its own that picks at random, as a Poisson
//! process in virtual time. A backend answers in 20 ms (lognormal, median; σ is 0.5) and is never short of places: what
//! is shown is a fault, not a lack of capacity. After a calm, one of the ten goes bad, and after a while it is well
//! again. Each attempt has 1 s, each request 2 s.
//!
//! The clients are the real crates on tokio's paused clock: [`Retry`](evenkeel_backoff::Retry),
//! [`Hedge`](evenkeel_hedging::Hedge), a [`BreakerMap`](evenkeel_breaker::BreakerMap) with a breaker for each backend,
//! and one [`RatioBudget`](evenkeel_budget::RatioBudget) for retries and hedges. Each client has its own of all of
//! them; nobody tells anybody that a backend is bad.

mod backends;
mod client;
mod fleet;
mod tally;
mod view;

use std::time::Duration;

use crate::side_by_side;
pub use tally::{Detail, Row, Run};

/// What is run, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck arrivals, picks, answers and waits have.
    pub seed: u64,
    /// How many clients there are; at least one.
    pub clients: u32,
    /// How many requests each of them begins in a second, in the mean; above zero.
    pub per_second: f64,
    /// How long all is well before.
    pub calm: Duration,
    /// How long one backend is bad; above zero.
    pub fault: Duration,
    /// How long all is well after.
    pub after: Duration,
    /// The rows, in their order.
    pub cases: Vec<(Scenario, Strategy)>,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let of = |scenario| Strategy::ALL.map(|strategy| (scenario, strategy));
        let [calm, fault, after] = [30, 60, 30].map(Duration::from_secs);
        let cases = Scenario::ALL.into_iter().flat_map(of).collect();
        Self { seed, clients: 100, per_second: 10.0, calm, fault, after, cases }
    }

    /// The same at a fraction of the cost, for a look.
    #[must_use]
    pub fn quick(seed: u64) -> Self {
        Self { clients: 3, ..Self::new(seed) }
    }

    /// The figures of every case.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.runs().into_iter().map(|run| run.row).collect()
    }

    /// The same with all that is known. Each row is a world of its own, so they are made side by side.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        side_by_side::each(&self.cases, |&(scenario, strategy)| fleet::run(self, scenario, strategy))
    }
}

/// What is wrong with the bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// It takes twenty times as long.
    Slow,
    /// It never answers.
    Hangs,
    /// It answers 503, at once.
    Fails,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Slow, Self::Hangs, Self::Fails];

    /// What the rows call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Hangs => "hangs",
            Self::Fails => "fails",
        }
    }
}

/// What a client does about it, beside giving an attempt up after 1 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Nothing.
    None,
    /// Asks another backend when an attempt has failed or timed out, up to twice, from a budget.
    Retry,
    /// Asks another backend when the first is late, or has failed, from a budget.
    Hedge,
    /// Has a breaker for each backend, and passes over those that reject.
    Breaker,
    /// Retries what is hedged, through breakers.
    All,
    /// The same, and what a hedge has dropped counts for nothing, as is a breaker's default.
    AllUnheard,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::None, Self::Retry, Self::Hedge, Self::Breaker, Self::All, Self::AllUnheard];

    /// What the rows call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Retry => "retry",
            Self::Hedge => "hedge",
            Self::Breaker => "breaker",
            Self::All => "all",
            Self::AllUnheard => "all-unheard",
        }
    }

    const fn retries(self) -> bool {
        matches!(self, Self::Retry | Self::All | Self::AllUnheard)
    }

    const fn hedges(self) -> bool {
        matches!(self, Self::Hedge | Self::All | Self::AllUnheard)
    }

    const fn has_breakers(self) -> bool {
        matches!(self, Self::Breaker | Self::All | Self::AllUnheard)
    }
}
