//! A fleet of clients through an outage of the service, and whether they let it come back.
//!
//! Ten thousand clients, each asked by a user every two seconds in the mean, call a service that has a quarter more capacity than
//! they need. For half a minute nobody works there: requests stand in line, and what finds the line full is refused. Then all is as
//! before, but for the line, which is full of requests whose callers have given up by the time that they are answered. A client
//! gives an attempt up after a second, and the line is two seconds long. What happens next is up to the clients.

mod client;
mod view;

use std::time::Duration;

use serde::Serialize;

pub use client::Strategy;

use crate::{
    fleet::{Bin, Outage, Service, Tally, Traffic, World},
    side_by_side,
};

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck all have.
    pub seed: u64,
    /// How many clients there are, at least one.
    pub clients: u32,
    /// Requests a second of each, in the mean; above zero.
    pub per_client: f64,
    /// Requests of users in units of the capacity, above zero.
    pub load: f64,
    /// How much work may stand in line. What makes it hard is that whoever comes through it when it is full comes too late.
    pub line: Duration,
    /// How long it is well before.
    pub before: Duration,
    /// How long it is down.
    pub outage: Duration,
    /// How long it is watched afterwards; at least a minute, over which the goodput is taken.
    pub after: Duration,
    /// Who is compared.
    pub strategies: Vec<Strategy>,
}

/// What became of the service under one strategy. Loads are in units of the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What the clients do.
    pub strategy: &'static str,
    /// How many there are.
    pub clients: u32,
    /// Attempts that came to the service in the worst half second.
    pub peak_load: f64,
    /// Attempts for each request of a user, while it was down.
    pub outage_amplification: f64,
    /// Users answered in the minute after the outage.
    pub goodput_after: f64,
    /// From the end of the outage until 95 % of those who ask are answered, in every half second from then on; none when
    /// that never comes.
    pub recovery_ms: Option<f64>,
}

/// A row, and how it came to it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The figures.
    pub row: Row,
    /// What else is known of it.
    pub line: TimeLine,
}

/// What happened over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeLine {
    /// The row's.
    pub strategy: &'static str,
    /// The share of users who were answered of those who asked in the outage, 0 to 1.
    pub answered_in_outage: f64,
    /// The same of those who asked after it.
    pub answered_after: f64,
    /// Second by second.
    pub seconds: Vec<Second>,
}

/// One second; loads are in units of the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Second {
    /// When it begins, in seconds since the outage began; negative before.
    pub at_s: f64,
    /// Attempts that came to the service.
    pub load: f64,
    /// Users who were answered.
    pub goodput: f64,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            clients: 10_000,
            per_client: 0.5,
            load: 0.8,
            line: Duration::from_secs(2),
            before: Duration::from_secs(20),
            outage: Duration::from_secs(30),
            after: Duration::from_secs(60),
            strategies: Strategy::ALL.to_vec(),
        }
    }

    /// The same with a twentieth of the clients and of the capacity.
    #[must_use]
    pub fn quick(seed: u64) -> Self {
        Self { clients: 500, ..Self::new(seed) }
    }

    /// The figures of each strategy.
    ///
    /// # Panics
    ///
    /// When there are no clients.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.runs().into_iter().map(|run| run.row).collect()
    }

    /// The same with all that is known. Each strategy has a world of its own, so they are made side by side.
    ///
    /// # Panics
    ///
    /// When there are no clients.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        side_by_side::each(&self.strategies, |strategy| self.run(*strategy))
    }

    /// What becomes of one strategy.
    ///
    /// # Panics
    ///
    /// When there are no clients.
    #[must_use]
    pub fn run(&self, strategy: Strategy) -> Run {
        let (service, outage) = (self.service(), Outage { from: self.before, length: self.outage });
        let traffic = Traffic { per_second: self.per_second(), length: self.before + self.outage + self.after };
        let tally = Tally::new(BIN, &[Duration::ZERO]);
        let tally = World::run(self.seed, (service, outage, LIMIT), traffic, tally, |time| {
            (0..self.clients).map(|number| strategy.client(time, self.seed, number)).collect()
        });
        self.told(strategy, &tally)
    }

    fn told(&self, strategy: Strategy, tally: &Tally) -> Run {
        let over = self.before + self.outage;
        let end = over + self.after;
        let capacity = self.service().capacity;
        let load = |count: u32, time: Duration| f64::from(count) / time.as_secs_f64() / capacity;
        let peak = tally.bins(Duration::ZERO, end).map(|(_, bin)| bin.sent).max().unwrap_or(0);
        let (in_it, after) = (tally.sum(self.before, over), tally.sum(over, end));
        let minute = Duration::from_secs(60);
        let row = Row {
            strategy: strategy.name(),
            clients: self.clients,
            peak_load: rounded(load(peak, BIN), 3),
            outage_amplification: rounded(f64::from(in_it.sent) / f64::from(in_it.begun.max(1)), 3),
            goodput_after: rounded(load(tally.sum(over, over + minute).answered, minute), 3),
            recovery_ms: tally.answered_from(over, end, WELL).map(|at| (at - over).as_secs_f64() * 1_000.0),
        };
        let second = |number: u32| {
            let at = Duration::from_secs(number.into());
            let bin = tally.sum(at, at + Duration::from_secs(1));
            Second {
                at_s: at.as_secs_f64() - self.before.as_secs_f64(),
                load: rounded(load(bin.sent, Duration::from_secs(1)), 3),
                goodput: rounded(load(bin.answered, Duration::from_secs(1)), 3),
            }
        };
        let answered = |bin: Bin| rounded(f64::from(bin.of_begun_answered) / f64::from(bin.begun.max(1)), 4);
        let line = TimeLine {
            strategy: strategy.name(),
            answered_in_outage: answered(in_it),
            answered_after: answered(after),
            seconds: (0..end.as_secs() as u32).map(second).collect(),
        };
        Run { row, line }
    }

    /// The service that this load needs.
    #[must_use]
    pub fn service(&self) -> Service {
        Service { capacity: self.per_second() / self.load, work: WORK, line: self.line, refusal: 0.0 }
    }

    fn per_second(&self) -> f64 {
        f64::from(self.clients) * self.per_client
    }
}

/// How long a worker takes for a request.
const WORK: Duration = Duration::from_millis(100);
/// When a client gives an attempt up.
pub(crate) const LIMIT: Duration = Duration::from_secs(1);
/// In which the peak is found, and the recovery.
const BIN: Duration = Duration::from_millis(500);
/// The share that must be answered.
const WELL: f64 = 0.95;

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_what_was_counted() {
        let plan = Plan { clients: 20, before: S * 2, outage: S * 2, after: S * 60, ..Plan::new(1) };
        // Ten requests a second come, and 12.5 could be answered.
        let mut tally = Tally::new(BIN, &[Duration::ZERO]);
        for half in 0..128_u32 {
            let at = BIN * half;
            (0..5).for_each(|_| tally.begin(at));
            (0..if half == 5 { 15 } else { 5 }).for_each(|_| tally.send(at));
            // In the outage none are answered, then four of five for ten seconds, and then all, each half a second later.
            let answered = match half {
                4..8 => 0,
                8..28 => 4,
                _ => 5,
            };
            (0..answered).for_each(|_| tally.answer(at, at + BIN));
        }
        let Run { row, line } = plan.told(Strategy::Naive, &tally);
        assert_eq!(row.peak_load, 2.4, "15 in half a second");
        assert_eq!(row.outage_amplification, 1.5, "30 for 20 requests");
        assert_eq!(row.recovery_ms, Some(10_000.0), "four of five is not well");
        // Of 120 halves the last one's answers come too late, and of the outage there are none to come in the first.
        assert_eq!(row.goodput_after, 0.767);
        assert_eq!((line.answered_in_outage, line.answered_after), (0.0, 0.9667));
    }

    const S: Duration = Duration::from_secs(1);
}
