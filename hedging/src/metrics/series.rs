//! The series, each looked up once.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use evenkeel_budget::{Cause, Outcome};
use metrics::{Counter, Gauge, SharedString, Unit, counter, describe_counter, describe_gauge, gauge};

#[derive(Clone)]
pub(super) struct Series {
    pub(super) name: SharedString,
    pub(super) requests: Counter,
    pub(super) first: Counter,
    pub(super) further: ByCause,
    pub(super) verdicts: ByOutcome,
    pub(super) refusals: ByCause,
    pub(super) answers: ByOutcome,
    pub(super) won: Counter,
    pub(super) useless: Counter,
    /// By the alternate's place. Of those without a name nobody knows beforehand how many there are.
    wins: [OnceLock<Counter>; Self::MOST_ALTERNATES],
    threshold: Option<Threshold>,
}

#[derive(Clone)]
struct Threshold {
    gauge: Gauge,
    /// Of an estimate with whatever clock.
    read: Arc<dyn Fn() -> Option<Duration> + Send + Sync>,
}

impl Series {
    /// As many as `Alternates` takes.
    pub(super) const MOST_ALTERNATES: usize = 64;

    pub(super) fn new(name: SharedString) -> Self {
        describe();
        let of = |series: &'static str| counter!(series, "name" => name.clone());
        Self {
            requests: of(REQUESTS),
            first: counter!(ATTEMPTS, "name" => name.clone(), "cause" => "first"),
            further: ByCause::new(ATTEMPTS, &name),
            verdicts: ByOutcome::new(VERDICTS, &name),
            refusals: ByCause::new(REFUSALS, &name),
            answers: ByOutcome::new(ANSWERS, &name),
            won: of(WON),
            useless: of(USELESS),
            wins: [const { OnceLock::new() }; Self::MOST_ALTERNATES],
            threshold: None,
            name,
        }
    }

    /// Calls the alternate at that place by its name from now on.
    pub(super) fn call(&mut self, place: usize, alternate: SharedString) {
        self.wins[place] = OnceLock::from(win_of(&self.name, alternate));
    }

    /// Shows what `read` says, now and after each answer.
    pub(super) fn show(&mut self, read: impl Fn() -> Option<Duration> + Send + Sync + 'static) {
        let gauge = gauge!(THRESHOLD, "name" => self.name.clone());
        self.threshold = Some(Threshold { gauge, read: Arc::new(read) });
        self.show_threshold();
    }

    pub(super) fn show_threshold(&self) {
        if let Some(Threshold { gauge, read }) = &self.threshold {
            gauge.set(read().map_or(f64::NAN, |threshold| threshold.as_secs_f64()));
        }
    }

    /// One success of the alternate at that place.
    pub(super) fn win(&self, alternate: usize) {
        let Some(win) = self.wins.get(alternate) else { return };
        if let Some(win) = win.get() {
            return win.increment(1);
        }
        // Looked up before and not in the cell's initialiser, which would call the recorder with a lock held. Who comes
        // second with it has a handle to the same series.
        let found = win_of(&self.name, alternate.to_string().into());
        found.increment(1);
        let _ = win.set(found);
    }
}

/// One series for each cause of a further attempt.
#[derive(Clone)]
pub(super) struct ByCause {
    hedge: Counter,
    transient: Counter,
    throttled: Counter,
}

impl ByCause {
    fn new(series: &'static str, name: &SharedString) -> Self {
        let with = |cause: &'static str| counter!(series, "name" => name.clone(), "cause" => cause);
        Self { hedge: with("hedge"), transient: with("transient"), throttled: with("throttled") }
    }

    pub(super) fn of(&self, cause: Cause) -> &Counter {
        match cause {
            Cause::Hedge => &self.hedge,
            // An attempt has no time limit here: one that the caller sets is an error like any other.
            Cause::Transient | Cause::Timeout => &self.transient,
            Cause::Throttled => &self.throttled,
        }
    }
}

/// One series for each outcome.
#[derive(Clone)]
pub(super) struct ByOutcome {
    success: Counter,
    transient: Counter,
    throttled: Counter,
    permanent: Counter,
}

impl ByOutcome {
    fn new(series: &'static str, name: &SharedString) -> Self {
        let with = |outcome: &'static str| counter!(series, "name" => name.clone(), "outcome" => outcome);
        Self {
            success: with("success"),
            transient: with("transient"),
            throttled: with("throttled"),
            permanent: with("permanent"),
        }
    }

    pub(super) fn of(&self, outcome: Outcome) -> &Counter {
        match outcome {
            Outcome::Success => &self.success,
            Outcome::Transient => &self.transient,
            Outcome::Throttled => &self.throttled,
            Outcome::Permanent => &self.permanent,
        }
    }
}

fn win_of(name: &SharedString, alternate: SharedString) -> Counter {
    counter!(WINS, "name" => name.clone(), "alternate" => alternate)
}

const REQUESTS: &str = "evenkeel_hedge_requests_total";
const ATTEMPTS: &str = "evenkeel_hedge_attempts_total";
const VERDICTS: &str = "evenkeel_hedge_verdicts_total";
const REFUSALS: &str = "evenkeel_hedge_refusals_total";
const ANSWERS: &str = "evenkeel_hedge_answers_total";
const WON: &str = "evenkeel_hedge_hedges_won_total";
const USELESS: &str = "evenkeel_hedge_hedges_useless_total";
const WINS: &str = "evenkeel_hedge_wins_total";
const THRESHOLD: &str = "evenkeel_hedge_threshold_seconds";

fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests that began");
    describe_counter!(ATTEMPTS, Unit::Count, "Attempts that were sent, by cause");
    describe_counter!(VERDICTS, Unit::Count, "Attempts that ended by themselves or could not be sent, by outcome");
    describe_counter!(REFUSALS, Unit::Count, "Attempts that the budget refused to pay for, by cause");
    describe_counter!(ANSWERS, Unit::Count, "Requests that were answered, by outcome");
    describe_counter!(WON, Unit::Count, "Hedges whose success was the answer");
    describe_counter!(USELESS, Unit::Count, "Hedges of answered requests that did not win");
    describe_counter!(WINS, Unit::Count, "Successes, by the alternate that gave them");
    describe_gauge!(THRESHOLD, Unit::Seconds, "How late is late; NaN until it is known");
}
