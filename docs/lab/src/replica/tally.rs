//! What becomes of the requests of a fleet, and where its attempts went.

use std::{
    cell::RefCell,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde::Serialize;

use super::{Scenario, Strategy, client::PATIENCE};
use crate::stats::Latencies;

/// One strategy in one scenario: of the requests that began, and the attempts that were sent, while one backend was
/// bad.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What a client does: `none`, `retry`, `hedge`, `breaker`, `all`; and `all-unheard`, which is a trap.
    pub strategy: &'static str,
    /// What is wrong with the bad one: `slow`, `hangs` or `fails`.
    pub scenario: &'static str,
    /// How many there were.
    pub requests: u64,
    /// The share of them, 0 to 1, that were answered within 2 s.
    pub answered: f64,
    /// The latency that half did not pass, in milliseconds. Who was not answered has waited for all of the 2 s.
    pub p50_ms: f64,
    /// That 99 % did not pass.
    pub p99_ms: f64,
    /// That 99.9 % did not pass.
    pub p999_ms: f64,
    /// Attempts after the first, per request: 0.1 is a tenth more load.
    pub extra_load: f64,
    /// The share of all attempts, 0 to 1, that went to the bad one.
    pub to_bad: f64,
}

/// What else there is to know of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detail {
    /// The row's strategy.
    pub strategy: &'static str,
    /// The row's scenario.
    pub scenario: &'static str,
    /// The p99 in the second half of the calm.
    pub calm_p99_ms: Option<f64>,
    /// The extra load there.
    pub calm_extra_load: f64,
    /// How long the fault had lasted when fewer than 2 % of the requests were slow or not answered, and stayed so; none
    /// when it was over before.
    pub around_after_s: Option<f64>,
    /// The share of attempts that went to the bad one in the last third of the fault.
    pub to_bad_later: f64,
    /// How often a breaker of a backend that was well has opened, in all of the time.
    pub opened_well: u32,
    /// The middle of each interval of 2 s, in seconds since the fault began.
    pub at_s: Vec<f64>,
    /// The share of the requests that began in it, 0 to 1, that took longer than 200 ms or were not answered.
    pub slow: Vec<Option<f64>>,
    /// The share of the attempts in it that went to the bad one.
    pub to_bad: Vec<Option<f64>>,
}

/// All that is known of a strategy in a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The figures that all have.
    pub row: Row,
    /// And more of them, over time.
    pub detail: Detail,
}

/// When what happens, since the start.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) fault: Range<Duration>,
    pub(super) end: Duration,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When a request began, and how long it took if it was answered in time.
    requests: RefCell<Vec<(Duration, Option<Duration>)>>,
    /// When an attempt was sent, and whether to the bad one.
    attempts: RefCell<Vec<(Duration, bool)>>,
    /// See [`Detail::opened_well`].
    pub(super) opened_well: Arc<AtomicU32>,
}

impl Tally {
    pub(super) fn ended(&self, begun: Duration, took: Option<Duration>) {
        self.requests.borrow_mut().push((begun, took));
    }

    pub(super) fn sent(&self, at: Duration, to_bad: bool) {
        self.attempts.borrow_mut().push((at, to_bad));
    }

    /// Of those that began in a time.
    fn part(&self, time: &Range<Duration>) -> Part {
        let mut part = Part::default();
        for (_, took) in self.requests.borrow().iter().filter(|(begun, _)| time.contains(begun)) {
            part.latencies.record(took.unwrap_or(PATIENCE));
            part.answered += u64::from(took.is_some());
        }
        for (_, to_bad) in self.attempts.borrow().iter().filter(|(at, _)| time.contains(at)) {
            part.attempts += 1;
            part.to_bad += u64::from(*to_bad);
        }
        part
    }
}

/// Counts over a time.
#[derive(Debug, Default)]
struct Part {
    latencies: Latencies,
    answered: u64,
    attempts: u64,
    to_bad: u64,
}

impl Part {
    fn ms(&self, q: f64) -> Option<f64> {
        // A histogram rounds up.
        self.latencies.quantile_ms(q).map(|ms| ms.min(PATIENCE.as_secs_f64() * 1_000.0))
    }

    fn slow(&self) -> Option<f64> {
        self.latencies.share_longer(SLOW_MS)
    }

    fn extra_load(&self) -> f64 {
        self.attempts as f64 / self.latencies.len() as f64 - 1.0
    }

    fn to_bad(&self) -> Option<f64> {
        (self.attempts > 0).then(|| self.to_bad as f64 / self.attempts as f64)
    }
}

impl Run {
    pub(super) fn of(scenario: Scenario, strategy: Strategy, times: &Times, tally: &Tally) -> Self {
        let (strategy, scenario) = (strategy.name(), scenario.name());
        let Range { start, end } = times.fault;
        let [calm, fault, later] =
            [start / 2..start, start..end, end - (end - start) / 3..end].map(|time| tally.part(&time));
        let ms = |q| fault.ms(q).unwrap_or(f64::NAN);
        let row = Row {
            strategy,
            scenario,
            requests: fault.latencies.len(),
            answered: fault.answered as f64 / fault.latencies.len() as f64,
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            extra_load: fault.extra_load(),
            to_bad: fault.to_bad().unwrap_or(f64::NAN),
        };

        let intervals =
            (0..).map(|place| INTERVAL * place..INTERVAL * (place + 1)).take_while(|time| time.end <= times.end);
        let intervals: Vec<_> =
            intervals.map(|time| (time.start.as_secs_f64() - start.as_secs_f64(), tally.part(&time))).collect();
        let detail = Detail {
            strategy,
            scenario,
            calm_p99_ms: calm.ms(0.99),
            calm_extra_load: calm.extra_load(),
            around_after_s: around_after(&intervals, (end - start).as_secs_f64()),
            to_bad_later: later.to_bad().unwrap_or(f64::NAN),
            opened_well: tally.opened_well.load(Ordering::Relaxed),
            at_s: intervals.iter().map(|(from, _)| from + INTERVAL.as_secs_f64() / 2.0).collect(),
            slow: intervals.iter().map(|(_, part)| part.slow()).collect(),
            to_bad: intervals.iter().map(|(_, part)| part.to_bad()).collect(),
        };
        Self { row, detail }
    }
}

/// The end of the last interval of the fault in which too many requests were slow.
fn around_after(intervals: &[(f64, Part)], fault: f64) -> Option<f64> {
    let of_fault = intervals.iter().filter(|(from, _)| (0.0..fault).contains(from));
    let mut bad = of_fault.filter(|(_, part)| part.slow().is_some_and(|share| share >= FEW));
    let after = bad.next_back().map_or(0.0, |(from, _)| from + INTERVAL.as_secs_f64());
    (after < fault).then_some(after)
}

/// Twice the p99.9 of a backend that is well.
const SLOW_MS: f64 = 200.0;

/// A fifth of what there is when nothing is done.
const FEW: f64 = 0.02;

/// Of the figures over time.
const INTERVAL: Duration = Duration::from_secs(2);
