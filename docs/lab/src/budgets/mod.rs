//! What each budget does when attempts fail: the load that a client's retries add, and what its callers have of it.
//!
//! One client begins 100 requests a second, evenly spaced, for 120 s of virtual time, of which the first 40 s are
//! discarded: by then a bucket that began full has found its level. A request makes at most 3 attempts, each fails
//! with the given probability whatever became of the others, and attempts and waits take no time.

mod view;

use std::time::Duration;

use evenkeel_budget::{Account, Budget, Cause, Costs, InFlightBudget, Outcome, RatioBudget, TokenBudget, Unlimited};
use serde::Serialize;

use crate::{clock::Clock, rng::Rng};

/// What is varied, and how often it is repeated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck the attempts have. It is the same for every budget.
    pub seed: u64,
    /// Over how many runs of 120 s the figures are averaged, at least one.
    pub runs: u32,
    /// The probabilities with which an attempt fails, 0 to 1.
    pub failure_rates: Vec<f64>,
}

impl Plan {
    /// The experiment of the book: 15 failure rates, and so many runs that the second decimal stands.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, runs: 10, failure_rates: FAILURE_RATES.to_vec() }
    }

    /// The figures of every budget at every failure rate, budget by budget.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let of = |kind: Kind| self.failure_rates.iter().map(move |&rate| self.row(kind, rate));
        Kind::ALL.into_iter().flat_map(of).collect()
    }

    fn row(&self, kind: Kind, failure_rate: f64) -> Row {
        let runs = (0..self.runs).map(|run| kind.run(&Luck { keys: [self.seed, u64::from(run)], failure_rate }));
        let seen = runs.fold(Seen::default(), |all, run| Seen {
            requests: all.requests + run.requests,
            attempts: all.attempts + run.attempts,
            answered: all.answered + run.answered,
        });
        let per_request = |count: u32| f64::from(count) / f64::from(seen.requests);
        Row {
            budget: kind.name(),
            failure_rate,
            attempts_per_request: per_request(seen.attempts),
            success_share: per_request(seen.answered),
        }
    }
}

/// One budget at one failure rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The budget: `none`, `ratio`, `grpc`, `aws-5`, `aws-14` or `in-flight`.
    pub budget: &'static str,
    /// The probability with which an attempt fails, 0 to 1.
    pub failure_rate: f64,
    /// What the service sees: 1 is no retries, 3 is all that a request may make.
    pub attempts_per_request: f64,
    /// The share of the requests, 0 to 1, of which one attempt succeeded.
    pub success_share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Ratio,
    Grpc,
    Aws5,
    Aws14,
    InFlight,
}

impl Kind {
    const ALL: [Self; 6] = [Self::None, Self::Ratio, Self::Grpc, Self::Aws5, Self::Aws14, Self::InFlight];

    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ratio => "ratio",
            Self::Grpc => "grpc",
            Self::Aws5 => "aws-5",
            Self::Aws14 => "aws-14",
            Self::InFlight => "in-flight",
        }
    }

    /// One run with a budget of its own.
    fn run(self, luck: &Luck) -> Seen {
        let clock = Clock::new();
        let ratio = || RatioBudget::builder().ratio(0.2).min_per_second(10).ttl(Duration::from_secs(10));
        match self {
            Self::None => run(&Unlimited, &clock, luck),
            // The constants are in the ranges of their budgets.
            Self::Ratio => run(&ratio().clock(clock.reader()).build().expect("Finagle's defaults"), &clock, luck),
            Self::Grpc => run(&TokenBudget::grpc(10.0, 0.1).expect("gRFC A6's example"), &clock, luck),
            Self::Aws5 => run(&TokenBudget::new(500, Costs::EARLIER), &clock, luck),
            Self::Aws14 => run(&TokenBudget::new(500, Costs::REVISION_2026), &clock, luck),
            Self::InFlight => run(&InFlightBudget::default(), &clock, luck),
        }
    }
}

/// How attempts end: the same for every budget, and at a higher rate the same fail and some more.
struct Luck {
    /// The seed and the run.
    keys: [u64; 2],
    failure_rate: f64,
}

impl Luck {
    fn outcome(&self, request: u32, attempt: u32) -> Outcome {
        let [seed, run] = self.keys;
        let fails = Rng::keyed(&[seed, run, request.into(), attempt.into()]).chance(self.failure_rate);
        if fails { Outcome::Transient } else { Outcome::Success }
    }
}

/// Counts, after the warm-up.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    requests: u32,
    attempts: u32,
    answered: u32,
}

fn run<B: Budget>(budget: &B, clock: &Clock, luck: &Luck) -> Seen {
    let mut seen = Seen::default();
    for request in 0..REQUESTS {
        clock.set(SPACING * request);
        let (attempts, last) = one_request(&mut budget.open(), |attempt| luck.outcome(request, attempt));
        if request >= DISCARDED {
            seen.requests += 1;
            seen.attempts += attempts;
            seen.answered += u32::from(last == Outcome::Success);
        }
    }
    seen
}

/// How many attempts the request made, and how the last of them ended.
fn one_request<A: Account>(account: &mut A, mut send: impl FnMut(u32) -> Outcome) -> (u32, Outcome) {
    let mut attempts = 1;
    let mut last = send(attempts);
    account.record(last);
    while last == Outcome::Transient && attempts < MAX_ATTEMPTS {
        let Ok(mut token) = account.withdraw(Cause::Transient) else { break };
        account.sent(&mut token);
        attempts += 1;
        last = send(attempts);
        account.record(last);
    }
    (attempts, last)
}

/// 100 a second for 120 s.
const REQUESTS: u32 = 12_000;
const SPACING: Duration = Duration::from_millis(10);
/// Those of the first 40 s.
const DISCARDED: u32 = 4_000;
const MAX_ATTEMPTS: u32 = 3;

/// Closer together at the low end, where services live.
const FAILURE_RATES: [f64; 15] = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
