//! What the breakers of a map do, counted together.

use std::{fmt, sync::Arc};

use metrics::{Counter, Gauge, SharedString, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{
    BreakerObserver, CallEnd, Cause, Outcome, Rejected, State, Transition,
    sync::{AtomicUsize, Ordering},
};

/// Counts what the breakers of a [`BreakerMap`](crate::BreakerMap) do, all keys in the same series, under a `name` label.
///
/// | series | labels | shows |
/// | --- | --- | --- |
/// | `evenkeel_breaker_keys` | `name`, `state`: `closed`, `half_open`, `open`, `forced_open`, `forced_closed` | keys in this state (a gauge) |
/// | `evenkeel_breaker_dropped_keys_total` | `name` | keys dropped, for whatever reason; also one that two threads made at once, of which one is dropped |
/// | `evenkeel_breaker_key_transitions_total` | `name`, `to` | transitions, by the state that they led to |
/// | `evenkeel_breaker_key_calls_total` | `name`, `outcome`: `success`, `failure`, `ignored` | calls that were admitted and have ended |
/// | `evenkeel_breaker_key_rejections_total` | `name` | calls rejected; in a dry run, those that would have been |
/// | `evenkeel_breaker_key_held_closed_total` | `name` | results by which a breaker would have opened, had not too many others |
///
/// There are no series for each key: a recorder keeps a series for as long as the program runs, so those of keys that are long
/// gone would stay, and keys that are invented would fill it. For single keys see
/// [`snapshots`](crate::BreakerMap::snapshots).
///
/// Make it after the recorder is installed, and once for each name: its series are looked up when it is made, so that counting
/// is an atomic add. Cloning is one reference count.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerMap, BreakerMapMetrics};
/// use std::num::NonZeroUsize;
///
/// let metrics = BreakerMapMetrics::new("hosts");
/// let breakers: BreakerMap<String, _, _> = BreakerMap::builder(NonZeroUsize::new(1_000).unwrap(), Breaker::builder())
///     .observe_each(move |_| metrics.of_key())
///     .build()?;
/// let _breaker = breakers.breaker("a.example"); // one more is closed
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
#[derive(Clone)]
pub struct BreakerMapMetrics {
    series: Arc<Series>,
}

/// The part of one key in the [`BreakerMapMetrics`] of its map: the observer of its breaker. When it is dropped, which is when
/// the key is and its breaker has no handle any more, the gauge has one key less.
pub struct KeyMetrics {
    series: Arc<Series>,
    /// Under which [code](State::code) the gauge has it. Transitions are told one after the other, so relaxed.
    counted: AtomicUsize,
}

struct Series {
    /// One for each of [`State::ALL`], as are those below.
    keys: [Gauge; 5],
    transitions: [Counter; 5],
    dropped: Counter,
    successes: Counter,
    failures: Counter,
    ignored: Counter,
    rejections: Counter,
    held_closed: Counter,
}

impl BreakerMapMetrics {
    /// Series with `name` as their `name` label.
    #[must_use]
    pub fn new(name: impl Into<SharedString>) -> Self {
        describe();
        let name = name.into();
        let calls = |outcome: &'static str| counter!(CALLS, "name" => name.clone(), "outcome" => outcome);
        let series = Series {
            keys: State::ALL.map(|state| gauge!(KEYS, "name" => name.clone(), "state" => state.as_str())),
            transitions: State::ALL.map(|to| counter!(TRANSITIONS, "name" => name.clone(), "to" => to.as_str())),
            dropped: counter!(DROPPED, "name" => name.clone()),
            successes: calls("success"),
            failures: calls("failure"),
            ignored: calls("ignored"),
            rejections: counter!(REJECTIONS, "name" => name.clone()),
            held_closed: counter!(HELD_CLOSED, "name" => name.clone()),
        };
        Self { series: Arc::new(series) }
    }

    /// The observer of one breaker that is new, and so closed.
    #[must_use]
    pub fn of_key(&self) -> KeyMetrics {
        let closed = usize::from(State::Closed.code());
        self.series.keys[closed].increment(1.0);
        KeyMetrics { series: Arc::clone(&self.series), counted: AtomicUsize::new(closed) }
    }
}

impl BreakerObserver for KeyMetrics {
    fn on_transition(&self, transition: &Transition) {
        let to = usize::from(transition.to.code());
        self.series.transitions[to].increment(1);
        // What it was counted as, and not where it came from: an observer that was not told of a step is right again here.
        let from = self.counted.load(Ordering::Relaxed);
        self.counted.store(to, Ordering::Relaxed);
        if from != to {
            self.series.keys[from].decrement(1.0);
            self.series.keys[to].increment(1.0);
        }
    }

    fn on_call(&self, call: &CallEnd) {
        let Series { successes, failures, ignored, .. } = &*self.series;
        let outcome = match call.outcome {
            Outcome::Success => successes,
            Outcome::Failure => failures,
            Outcome::Ignored => ignored,
        };
        outcome.increment(1);
    }

    fn on_reject(&self, _: &Rejected) {
        self.series.rejections.increment(1);
    }

    fn on_held_closed(&self, _: Cause) {
        self.series.held_closed.increment(1);
    }
}

impl Drop for KeyMetrics {
    fn drop(&mut self) {
        self.series.keys[self.counted.load(Ordering::Relaxed)].decrement(1.0);
        self.series.dropped.increment(1);
    }
}

impl fmt::Debug for BreakerMapMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerMapMetrics").finish_non_exhaustive()
    }
}

impl fmt::Debug for KeyMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMetrics").finish_non_exhaustive()
    }
}

const KEYS: &str = "evenkeel_breaker_keys";
const DROPPED: &str = "evenkeel_breaker_dropped_keys_total";
const TRANSITIONS: &str = "evenkeel_breaker_key_transitions_total";
const CALLS: &str = "evenkeel_breaker_key_calls_total";
const REJECTIONS: &str = "evenkeel_breaker_key_rejections_total";
const HELD_CLOSED: &str = "evenkeel_breaker_key_held_closed_total";

fn describe() {
    describe_gauge!(KEYS, Unit::Count, "Keys in this state");
    describe_counter!(DROPPED, Unit::Count, "Keys dropped, for whatever reason");
    describe_counter!(TRANSITIONS, Unit::Count, "Transitions of all keys, by the state that they led to");
    describe_counter!(CALLS, Unit::Count, "Calls of all keys that were admitted and have ended, by outcome");
    describe_counter!(REJECTIONS, Unit::Count, "Calls of all keys that were rejected");
    describe_counter!(
        HELD_CLOSED,
        Unit::Count,
        "Results by which a breaker would have opened, had not too many others"
    );
}
