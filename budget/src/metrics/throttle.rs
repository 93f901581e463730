//! What a throttle lets through and what it rejects, counted.

use std::{fmt, sync::Arc};

use metrics::{Counter, Gauge, SharedString, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{Priority, ThrottleObserver};

/// Counts what an [`AdaptiveThrottle`](crate::AdaptiveThrottle) lets through and rejects, under a `name` label.
///
/// | series | labels | shows |
/// | --- | --- | --- |
/// | `evenkeel_throttle_requests_total` | `name`, `priority`: `critical`, `normal`, `sheddable` | requests, those rejected here as well |
/// | `evenkeel_throttle_rejections_total` | `name`, `priority` | requests rejected here: the service did not see them |
/// | `evenkeel_throttle_accepts_total` | `name` | requests that the service accepted |
/// | `evenkeel_throttle_rejection_probability` | `name`, `priority` | with which the last request was to be rejected, from 0 to 1 (a gauge) |
///
/// Make it after the recorder is installed, and once for each throttle: its series are looked up when it is made, so that
/// counting is an atomic add. Cloning is one reference count.
///
/// ```
/// use evenkeel_budget::{Priority, ThrottleMetrics, ThrottleObserver};
///
/// let metrics = ThrottleMetrics::new("model-api");
/// metrics.on_reject(Priority::Sheddable, 0.25);
/// ```
#[derive(Clone)]
pub struct ThrottleMetrics {
    series: Arc<Series>,
}

struct Series {
    requests: ByPriority<Counter>,
    rejections: ByPriority<Counter>,
    accepts: Counter,
    probability: ByPriority<Gauge>,
}

impl ThrottleMetrics {
    /// Series with `name` as their `name` label.
    #[must_use]
    pub fn new(name: impl Into<SharedString>) -> Self {
        describe();
        let name = name.into();
        let series = Series {
            requests: ByPriority::of(|priority| counter!(REQUESTS, "name" => name.clone(), "priority" => priority)),
            rejections: ByPriority::of(|priority| counter!(REJECTIONS, "name" => name.clone(), "priority" => priority)),
            probability: ByPriority::of(|priority| gauge!(PROBABILITY, "name" => name.clone(), "priority" => priority)),
            accepts: counter!(ACCEPTS, "name" => name.clone()),
        };
        Self { series: Arc::new(series) }
    }
}

impl ThrottleObserver for ThrottleMetrics {
    fn on_admit(&self, priority: Priority, probability: f64) {
        self.series.requests.0[priority.index()].increment(1);
        self.series.probability.0[priority.index()].set(probability);
    }

    fn on_reject(&self, priority: Priority, probability: f64) {
        self.series.requests.0[priority.index()].increment(1);
        self.series.rejections.0[priority.index()].increment(1);
        self.series.probability.0[priority.index()].set(probability);
    }

    fn on_outcome(&self, accepted: bool) {
        if accepted {
            self.series.accepts.increment(1);
        }
    }
}

impl fmt::Debug for ThrottleMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleMetrics").finish_non_exhaustive()
    }
}

/// One series for each of [`Priority::ALL`].
struct ByPriority<T>([T; 3]);

impl<T> ByPriority<T> {
    fn of(series: impl Fn(&'static str) -> T) -> Self {
        Self(Priority::ALL.map(|priority| series(priority.as_str())))
    }
}

const REQUESTS: &str = "evenkeel_throttle_requests_total";
const REJECTIONS: &str = "evenkeel_throttle_rejections_total";
const ACCEPTS: &str = "evenkeel_throttle_accepts_total";
const PROBABILITY: &str = "evenkeel_throttle_rejection_probability";

fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests, those rejected here as well, by priority");
    describe_counter!(REJECTIONS, Unit::Count, "Requests rejected here, by priority");
    describe_counter!(ACCEPTS, Unit::Count, "Requests that the service accepted");
    describe_gauge!(PROBABILITY, "The probability with which the last request was to be rejected, by priority");
}
