//! What a soak has come to: what was injected and survived, and which rule does not hold.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{clock::Time, faults::Fault, load::Load};
use crate::table;

/// What must hold, whatever was injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Each limit has all of its permits when nothing is in flight.
    Permits,
    /// Each account is closed and each token has ended; what is in flight by a budget is nothing.
    Tokens,
    /// A budget holds no more than its capacity, grants no more than it holds, and what it holds follows from its books.
    Balances,
    /// No probe is out when nothing is in flight, and a map counts those that reject right.
    Slots,
    /// When all is well, time and successes close every breaker and fill every budget.
    Recovery,
    /// Attempts that were announced, sent, rejected and seen by the services add up.
    Attempts,
    /// Each transition is told once, in order.
    Transitions,
    /// No task is alive when nothing is in flight.
    Tasks,
    /// No request, response or future is alive when nothing is in flight.
    Leftovers,
    /// The heap does not grow from round to round.
    Memory,
    /// An answer is the answer to its request.
    Answers,
    /// Nothing panics but what is meant to.
    Panics,
    /// Every request is answered.
    Stuck,
    /// No request is polled in a loop.
    Polls,
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How it shows.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.why)
    }
}

/// What a soak has come to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of all draws.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Rounds of load, each drained and audited.
    pub rounds: usize,
    /// How often each fault struck.
    #[serde(serialize_with = "as_map")]
    pub injected: Vec<(&'static str, u64)>,
    /// What came of it.
    #[serde(serialize_with = "as_map")]
    pub survived: Vec<(&'static str, u64)>,
    /// The live bytes of the heap after each round, where the allocator counts them.
    pub heap: Vec<usize>,
    /// The rules that do not hold, each time that they did not.
    pub violations: Vec<Violation>,
}

fn as_map<S: Serializer>(counts: &[(&'static str, u64)], to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(counts.len()))?;
    for (name, count) in counts {
        map.serialize_entry(name, count)?;
    }
    map.end()
}

impl Report {
    pub(super) fn of<K: Time>(
        load: &Load<K>,
        (seed, took): (u64, Duration),
        heap: Vec<usize>,
        violations: Vec<Violation>,
    ) -> Self {
        let injected = Fault::ALL.iter().map(|fault| (fault.as_str(), load.world.faults.struck(*fault))).collect();
        let survived = survived(load);
        Self { seed, seconds: took.as_secs_f64(), rounds: heap.len(), injected, survived, heap, violations }
    }
}

fn survived<K: Time>(load: &Load<K>) -> Vec<(&'static str, u64)> {
    let (world, books) = (&load.world, &load.world.budgets.books);
    let tallies = |figure: fn(&super::load::Tally) -> u64| load.tallies.iter().map(figure).sum();
    let ways = load.by_way().map(|(name, tally)| (name, tally.sent.get()));
    ways.chain([
        ("requests answered", tallies(|tally| tally.answered.get())),
        ("requests failed", tallies(|tally| tally.failed.get())),
        ("requests cancelled", tallies(|tally| tally.cancelled.get())),
        ("requests ended by a panic", tallies(|tally| tally.panicked.get())),
        ("attempts seen by the services", world.providers().map(super::service::Provider::called).sum()),
        ("retries", world.heard(|heard| heard.retries.get())),
        ("hedges", world.heard(|heard| heard.hedges.get())),
        ("failovers", world.heard(|heard| heard.failovers.get())),
        ("extra attempts granted", books.sum(|ledger| ledger.granted.get())),
        ("extra attempts refused", books.sum(|ledger| ledger.refused.get())),
        ("extra attempts given back", books.sum(|ledger| ledger.unsent.get())),
        ("rejections by breakers", world.heard(|heard| heard.rejects.get())),
        ("rejections by the throttle", world.heard(|heard| heard.throttled.get())),
        ("breakers opened", world.heard(|heard| heard.openings.get())),
        ("breakers closed by probes", world.heard(|heard| heard.recoveries.get())),
        ("checks of probers", world.heard(|heard| heard.checks.get())),
        ("transitions read", load.transitions.get()),
        ("keys dropped", world.maps().iter().map(|(_, map)| map.snapshot().evicted).sum()),
        ("most polls of a request", load.most_polls.load(std::sync::atomic::Ordering::Relaxed)),
    ])
    .collect()
}

/// Tables of what was injected and survived, and the verdict.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = |counts: &[(&'static str, u64)]| {
            let lines: Vec<_> =
                counts.iter().map(|(name, count)| vec![format!("  {name}"), count.to_string()]).collect();
            table::plain(&lines)
        };
        writeln!(f, "injected\n{}", lines(&self.injected))?;
        writeln!(f, "survived\n{}", lines(&self.survived))?;
        let (seconds, rounds, seed) = (self.seconds, self.rounds, self.seed);
        writeln!(f, "{seconds:.1} s, {rounds} rounds, seed {seed}")?;
        if let (Some(first), Some(last)) = (self.heap.first(), self.heap.last()) {
            writeln!(f, "heap: {} KiB after the first round, {} KiB after the last", first / 1024, last / 1024)?;
        }
        match &self.violations[..] {
            [] => write!(f, "every rule holds"),
            violations => {
                writeln!(f, "{} violations", violations.len())?;
                violations.iter().try_for_each(|violation| write!(f, "\n{violation}"))
            }
        }
    }
}
