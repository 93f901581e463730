//! What a breaker does, counted.

use std::{fmt, sync::Arc};

use metrics::{
    Counter, Gauge, Histogram, SharedString, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::{BreakerObserver, CallEnd, Cause, CheckEnd, Outcome, Rejected, State, Transition};

/// Counts what a [`Breaker`](crate::Breaker) does, under a `name` label.
///
/// | series | labels | shows |
/// | --- | --- | --- |
/// | `evenkeel_breaker_state` | `name` | the state as a number, [`State::code`]: 0 closed, 1 half-open, 2 open, 3 forced open, 4 forced closed (a gauge) |
/// | `evenkeel_breaker_transitions_total` | `name`, `to`: a state, `cause`: a [`Cause`] | transitions to that state, and why |
/// | `evenkeel_breaker_held_closed_total` | `name` | times that the rules said to open, and too many keys of the map were open |
/// | `evenkeel_breaker_calls_total` | `name`, `outcome`: `success`, `failure`, `ignored` | calls that were admitted and have ended |
/// | `evenkeel_breaker_slow_calls_total` | `name` | those that were slow |
/// | `evenkeel_breaker_late_calls_total` | `name` | those that ended too late to count |
/// | `evenkeel_breaker_abandoned_calls_total` | `name` | those of which nobody said how they ended |
/// | `evenkeel_breaker_probes_total` | `name`, `outcome`: `success`, `failure`, `ignored` | those that were probes: users' calls, not a prober's checks |
/// | `evenkeel_breaker_call_seconds` | `name` | how long calls took, if [asked for](Self::with_durations) (a histogram) |
/// | `evenkeel_breaker_rejections_total` | `name`, `state`: the one it was in | calls that were not made; in a dry run, that would not have been |
/// | `evenkeel_breaker_checks_total` | `name`, `outcome`: `success`, `failure` | checks of a [`Prober`](crate::Prober) |
/// | `evenkeel_breaker_check_failures_in_a_row` | `name` | how many of them have failed since the last success, or since the breaker was closed or forced (a gauge): alert at three |
///
/// Make it after the recorder is installed, and once for each breaker: its series are looked up when it is made, so that
/// counting is an atomic add. Cloning is one reference count.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerMetrics};
///
/// let breaker = Breaker::builder().observe(BreakerMetrics::new("model-api")).build()?;
/// breaker.try_acquire().unwrap().success();
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
#[derive(Clone)]
pub struct BreakerMetrics {
    series: Arc<Series>,
    name: SharedString,
    call_seconds: Option<Histogram>,
}

struct Series {
    state: Gauge,
    /// By state, and by cause.
    transitions: [[Option<Counter>; Cause::ALL.len()]; State::ALL.len()],
    held_closed: Counter,
    calls: ByOutcome,
    slow: Counter,
    late: Counter,
    abandoned: Counter,
    probes: ByOutcome,
    rejections: [Option<Counter>; State::ALL.len()],
    check_successes: Counter,
    check_failures: Counter,
    check_failures_in_a_row: Gauge,
}

impl BreakerMetrics {
    /// Series with `name` as their `name` label, for one breaker, which is closed.
    #[must_use]
    pub fn new(name: impl Into<SharedString>) -> Self {
        describe();
        let name = name.into();
        let of = |series: &'static str| counter!(series, "name" => name.clone());
        let checks = |outcome: &'static str| counter!(CHECKS, "name" => name.clone(), "outcome" => outcome);
        let series = Series {
            state: gauge!(STATE, "name" => name.clone()),
            transitions: State::ALL.map(|to| {
                let to_for = |cause: Cause| {
                    let (to, cause) = (to.as_str(), cause.as_str());
                    counter!(TRANSITIONS, "name" => name.clone(), "to" => to, "cause" => cause)
                };
                Cause::ALL.map(|cause| leads_to(cause).contains(&to).then(|| to_for(cause)))
            }),
            held_closed: of(HELD_CLOSED),
            calls: ByOutcome::of(|outcome| counter!(CALLS, "name" => name.clone(), "outcome" => outcome)),
            slow: of(SLOW),
            late: of(LATE),
            abandoned: of(ABANDONED),
            probes: ByOutcome::of(|outcome| counter!(PROBES, "name" => name.clone(), "outcome" => outcome)),
            rejections: State::ALL.map(|state| {
                // Forced closed is the one in which nothing is rejected.
                let rejects = state != State::ForcedClosed;
                rejects.then(|| counter!(REJECTIONS, "name" => name.clone(), "state" => state.as_str()))
            }),
            check_successes: checks("success"),
            check_failures: checks("failure"),
            check_failures_in_a_row: gauge!(CHECK_FAILURES, "name" => name.clone()),
        };
        series.state.set(f64::from(State::Closed.code()));
        series.check_failures_in_a_row.set(0.0);
        Self { series: Arc::new(series), name, call_seconds: None }
    }

    /// With a histogram of how long calls took. For that the clock is read when a call begins and when it ends.
    #[must_use]
    pub fn with_durations(mut self) -> Self {
        self.call_seconds = Some(histogram!(CALL_SECONDS, "name" => self.name.clone()));
        self
    }
}

impl BreakerObserver for BreakerMetrics {
    fn on_transition(&self, transition: &Transition) {
        // One number in one series, and transitions are told in their order: it never shows two states, nor an old one.
        self.series.state.set(f64::from(transition.to.code()));
        if let Some(transitions) = &self.series.transitions[place(transition.to)][transition.cause as usize] {
            transitions.increment(1);
        }
        match transition.to {
            // No check may follow, and then nothing else would end the row.
            State::Closed | State::ForcedOpen | State::ForcedClosed => self.series.check_failures_in_a_row.set(0.0),
            State::Open | State::HalfOpen => {}
        }
    }

    fn on_call(&self, call: &CallEnd) {
        let Series { calls, slow, late, abandoned, probes, .. } = &*self.series;
        calls.count(call.outcome);
        let counts = [(call.slow, slow), (call.late, late), (call.abandoned, abandoned)];
        counts.iter().filter(|(is, _)| *is).for_each(|(_, counter)| counter.increment(1));
        if call.probe {
            probes.count(call.outcome);
        }
        if let (Some(seconds), Some(duration)) = (&self.call_seconds, call.duration) {
            seconds.record(duration);
        }
    }

    fn on_reject(&self, rejected: &Rejected) {
        if let Some(rejections) = &self.series.rejections[place(rejected.state())] {
            rejections.increment(1);
        }
    }

    fn on_held_closed(&self, _cause: Cause) {
        self.series.held_closed.increment(1);
    }

    fn on_check(&self, check: &CheckEnd) {
        let Series { check_successes, check_failures, check_failures_in_a_row, .. } = &*self.series;
        if check.success { check_successes } else { check_failures }.increment(1);
        check_failures_in_a_row.set(f64::from(check.consecutive_failures));
    }

    fn wants_durations(&self) -> bool {
        self.call_seconds.is_some()
    }
}

impl fmt::Debug for BreakerMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerMetrics").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The states that it leads to: of others there is no series.
const fn leads_to(cause: Cause) -> &'static [State] {
    match cause {
        Cause::ConsecutiveFailures
        | Cause::FailureRate
        | Cause::SlowRate
        | Cause::ProbesFailed
        | Cause::ProbeTimeout => &[State::Open],
        Cause::OpenTimeOver | Cause::Prober => &[State::HalfOpen],
        Cause::ProbesSucceeded | Cause::Reset => &[State::Closed],
        Cause::Forced => &[State::ForcedOpen, State::ForcedClosed],
    }
}

/// Its place in [`State::ALL`].
fn place(state: State) -> usize {
    usize::from(state.code())
}

/// One series for each outcome.
struct ByOutcome {
    success: Counter,
    failure: Counter,
    ignored: Counter,
}

impl ByOutcome {
    fn of(series: impl Fn(&'static str) -> Counter) -> Self {
        Self { success: series("success"), failure: series("failure"), ignored: series("ignored") }
    }

    fn count(&self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.success.increment(1),
            Outcome::Failure => self.failure.increment(1),
            Outcome::Ignored => self.ignored.increment(1),
        }
    }
}

const STATE: &str = "evenkeel_breaker_state";
const TRANSITIONS: &str = "evenkeel_breaker_transitions_total";
const HELD_CLOSED: &str = "evenkeel_breaker_held_closed_total";
const CALLS: &str = "evenkeel_breaker_calls_total";
const SLOW: &str = "evenkeel_breaker_slow_calls_total";
const LATE: &str = "evenkeel_breaker_late_calls_total";
const ABANDONED: &str = "evenkeel_breaker_abandoned_calls_total";
const PROBES: &str = "evenkeel_breaker_probes_total";
const CALL_SECONDS: &str = "evenkeel_breaker_call_seconds";
const REJECTIONS: &str = "evenkeel_breaker_rejections_total";
const CHECKS: &str = "evenkeel_breaker_checks_total";
const CHECK_FAILURES: &str = "evenkeel_breaker_check_failures_in_a_row";

fn describe() {
    describe_gauge!(STATE, "0 closed, 1 half-open, 2 open, 3 forced open, 4 forced closed");
    describe_counter!(TRANSITIONS, Unit::Count, "Transitions, by the state that they lead to and by cause");
    describe_counter!(HELD_CLOSED, Unit::Count, "Times not opened, for too many keys of the map reject");
    describe_counter!(CALLS, Unit::Count, "Calls that were admitted and have ended, by outcome");
    describe_counter!(SLOW, Unit::Count, "Calls that were slow");
    describe_counter!(LATE, Unit::Count, "Calls that ended too late to count");
    describe_counter!(ABANDONED, Unit::Count, "Calls of which nobody said how they ended");
    describe_counter!(PROBES, Unit::Count, "Calls that were probes, by outcome");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "How long calls took");
    describe_counter!(REJECTIONS, Unit::Count, "Calls that were not made, by the breaker's state");
    describe_counter!(CHECKS, Unit::Count, "Checks of a prober, by outcome");
    describe_gauge!(CHECK_FAILURES, Unit::Count, "Checks of a prober that failed since the last success");
}
