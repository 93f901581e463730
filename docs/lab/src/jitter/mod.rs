//! A hundred clients that contend for one row: what the forms of jitter do about it.
//!
//! The comparison of the AWS Architecture Blog, "Exponential Backoff And Jitter" (2015). A server has one row with a
//! version. Each client reads the version and then writes with it; the write succeeds if the version has not moved,
//! else the client waits by its schedule and starts over with the read, until its one write has succeeded. A message
//! takes |N(10, 2)| ms, and there are four in a try: a request and a reply to read, a request and a reply to write. All
//! begin at once.
//!
//! The clients are [`Retry`](evenkeel_backoff::Retry) with the schedules of this library, on tokio's paused clock.
//!
//! **The first delay.** The base is 5 ms, but AWS's program counts a failure before it asks for the delay, so that its
//! first exponential delay is twice the base. That is followed here; with 5 ms the forms with jitter make a tenth more
//! calls.
//!
//! **The decorrelated form** of AWS cuts what is drawn above the cap to the cap; that of this library draws under it,
//! so that the spread does not end there. The row is AWS's, a schedule of ten lines.
//!
//! Both readings are beside the rows: [`Plan::variants`].

mod contention;
mod cut;
mod view;

use std::time::Duration;

use serde::Serialize;

use crate::side_by_side;

/// What is varied, and how often it is repeated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck messages and waits have.
    pub seed: u64,
    /// Over how many runs the figures are averaged, at least one.
    pub runs: u32,
    /// How many clients contend, in the rows; each at least one.
    pub clients: Vec<u32>,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, runs: 100, clients: vec![10, 20, 30, 40, 60, 80, 100] }
    }

    /// The same at a fraction of the cost, for a look.
    #[must_use]
    pub fn quick(seed: u64) -> Self {
        Self { runs: 2, clients: vec![10, 50, 100], ..Self::new(seed) }
    }

    /// The figures of every strategy with each number of clients, strategy by strategy. Each row is a world of its own,
    /// so they are made side by side.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.rows_of(&Strategy::ALL, &self.clients)
    }

    /// What is another reading of AWS's table, with as many clients as there are at most: a first delay that is the
    /// base itself (`exponential-5ms`, `equal-5ms`, `full-5ms`), and this library's own decorrelated form
    /// (`decorrelated-under-cap`).
    #[must_use]
    pub fn variants(&self) -> Vec<Row> {
        let most: Vec<u32> = self.clients.iter().max().copied().into_iter().collect();
        self.rows_of(&Strategy::VARIANTS, &most)
    }

    fn rows_of(&self, strategies: &[Strategy], clients: &[u32]) -> Vec<Row> {
        let of = |&strategy: &Strategy| clients.iter().map(move |&clients| (strategy, clients));
        let cases: Vec<_> = strategies.iter().flat_map(of).collect();
        side_by_side::each(&cases, |&(strategy, clients)| self.row(strategy, clients))
    }

    fn row(&self, strategy: Strategy, clients: u32) -> Row {
        let runs = (0..self.runs).map(|run| contention::run([self.seed, run.into()], strategy, clients));
        let (completion, calls) =
            runs.fold((Duration::ZERO, 0), |all, run| (all.0 + run.completion, all.1 + run.calls));
        let mean = |sum: f64| (sum / f64::from(self.runs) * 10.0).round() / 10.0;
        Row {
            strategy: strategy.name(),
            clients,
            completion_ms: mean(completion.as_secs_f64() * 1_000.0),
            calls: mean(calls as f64),
        }
    }
}

/// One strategy with so many clients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// How a client waits: `none`, `exponential`, `equal`, `full` or `decorrelated`; or a variant of one of them.
    pub strategy: &'static str,
    /// How many contend.
    pub clients: u32,
    /// From the beginning until the last of them knows that it has written, in milliseconds.
    pub completion_ms: f64,
    /// How many writes all of them together have tried.
    pub calls: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    None,
    Exponential,
    Equal,
    Full,
    Decorrelated,
    ExponentialFromBase,
    EqualFromBase,
    FullFromBase,
    DecorrelatedUnderCap,
}

impl Strategy {
    const ALL: [Self; 5] = [Self::None, Self::Exponential, Self::Equal, Self::Full, Self::Decorrelated];
    const VARIANTS: [Self; 4] =
        [Self::ExponentialFromBase, Self::EqualFromBase, Self::FullFromBase, Self::DecorrelatedUnderCap];

    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exponential => "exponential",
            Self::Equal => "equal",
            Self::Full => "full",
            Self::Decorrelated => "decorrelated",
            Self::ExponentialFromBase => "exponential-5ms",
            Self::EqualFromBase => "equal-5ms",
            Self::FullFromBase => "full-5ms",
            Self::DecorrelatedUnderCap => "decorrelated-under-cap",
        }
    }
}

const BASE: Duration = Duration::from_millis(5);
const CAP: Duration = Duration::from_secs(2);
