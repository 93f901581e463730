//! The experiments by name: what the program runs, and what the book's charts are drawn by.

use std::io;

use clap::ValueEnum;

use crate::{breaker, budgets, hedging, jitter, outage, overload, replica, sheet::Sheet, throttle};

/// One of the experiments behind the book's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Experiment {
    /// What a breaker costs and saves in a total outage, and with a service that flaps
    Breaker,
    /// The load that retries add under each budget, by the share of attempts that fail
    Budgets,
    /// What hedging cuts off the tail and what it costs, and the same by `tower::hedge`
    Hedging,
    /// A hundred clients that contend for one row: what the forms of jitter do about it
    Jitter,
    /// Ten thousand clients through an outage of the service: their load, and whether it comes back
    Outage,
    /// What is left of a service that is asked for more than it can do
    Overload,
    /// One bad backend of ten: who gets around it, and at what cost
    SlowReplica,
    /// What a service sees of an overload when its client throttles itself
    Throttle,
}

impl Experiment {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Breaker,
        Self::Budgets,
        Self::Hedging,
        Self::Jitter,
        Self::Outage,
        Self::Overload,
        Self::SlowReplica,
        Self::Throttle,
    ];

    /// What it is called on the command line, in the names of its files, and in the book.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Budgets => "budgets",
            Self::Hedging => "hedging",
            Self::Jitter => "jitter",
            Self::Outage => "outage",
            Self::Overload => "overload",
            Self::SlowReplica => "slow-replica",
            Self::Throttle => "throttle",
        }
    }

    /// Carries it out: the same figures for the same seed, to the byte. With `quick` at a fraction of the cost, and less
    /// exact.
    ///
    /// # Errors
    ///
    /// As [`Parts::sheet`](crate::sheet::Parts::sheet); here there is no reason.
    pub fn sheet(self, seed: u64, quick: bool) -> io::Result<Sheet> {
        match self {
            Self::Breaker if quick => breaker::Plan { runs: 1, ..breaker::Plan::new(seed) }.sheet(),
            Self::Breaker => breaker::Plan::new(seed).sheet(),
            Self::Budgets if quick => budgets::Plan { runs: 1, ..budgets::Plan::new(seed) }.sheet(),
            Self::Budgets => budgets::Plan::new(seed).sheet(),
            Self::Hedging if quick => {
                hedging::Plan { requests: 5_000, per_second: 25.0, ..hedging::Plan::new(seed) }.sheet()
            }
            Self::Hedging => hedging::Plan::new(seed).sheet(),
            Self::Jitter if quick => jitter::Plan::quick(seed).sheet(),
            Self::Jitter => jitter::Plan::new(seed).sheet(),
            Self::Outage if quick => outage::Plan::quick(seed).sheet(),
            Self::Outage => outage::Plan::new(seed).sheet(),
            Self::Overload if quick => overload::Plan::quick(seed).sheet(),
            Self::Overload => overload::Plan::new(seed).sheet(),
            Self::SlowReplica if quick => replica::Plan::quick(seed).sheet(),
            Self::SlowReplica => replica::Plan::new(seed).sheet(),
            Self::Throttle if quick => throttle::Plan { windows: 1, ..throttle::Plan::new(seed) }.sheet(),
            Self::Throttle => throttle::Plan::new(seed).sheet(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_command_line() {
        let names = Experiment::value_variants().iter().map(ValueEnum::to_possible_value);
        let names: Vec<_> = names.flatten().map(|value| value.get_name().to_owned()).collect();
        assert_eq!(names, Experiment::ALL.map(Experiment::name));
    }
}
