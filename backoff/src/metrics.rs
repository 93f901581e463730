//! The observer that counts, with the `metrics` facade.

use std::{fmt, time::Duration, vec::Vec};

use evenkeel_budget::{Cause, Outcome, Verdict};
use metrics::{Counter, Histogram, SharedString, Unit, counter, describe_counter, describe_histogram, histogram};

use crate::{Observer, Stop};

/// Counts attempts, retries and the reasons for which none was made, under a `name` label.
///
/// | series | labels | counts |
/// | --- | --- | --- |
/// | `evenkeel_retry_requests_total` | `name` | requests that began |
/// | `evenkeel_retry_retries_total` | `name` | retries that were sent; the attempts are these and the requests |
/// | `evenkeel_retry_verdicts_total` | `name`, `outcome`: `success`, `transient`, `throttled`, `permanent` | how attempts ended |
/// | `evenkeel_retry_stops_total` | `name`, `reason`: the words of [`Stop::as_str`] | why no further attempt followed |
/// | `evenkeel_retry_delay_seconds` | `name`, `cause`: `transient`, `throttled`, `timeout` | the waits before retries (a histogram) |
///
/// Make it after the recorder is installed, and once for each policy: its series are looked up when it is made, so that
/// counting is an atomic add.
///
/// ```
/// use evenkeel_backoff::{Metrics, Retry};
/// use std::time::Duration;
///
/// let retry = Retry::new([Duration::ZERO; 2], std::thread::sleep).observe(Metrics::new("model-api"));
/// assert_eq!(retry.run_blocking(|attempt| if attempt == 0 { Err("busy") } else { Ok("done") }), Ok("done"));
/// ```
#[derive(Clone)]
pub struct Metrics {
    requests: Counter,
    retries: Counter,
    verdicts: [Counter; OUTCOMES.len()],
    stops: Vec<Counter>,
    delays: [Histogram; CAUSES.len()],
}

const OUTCOMES: [(Outcome, &str); 4] = [
    (Outcome::Success, "success"),
    (Outcome::Transient, "transient"),
    (Outcome::Throttled, "throttled"),
    (Outcome::Permanent, "permanent"),
];

const CAUSES: [(Cause, &str); 3] =
    [(Cause::Transient, "transient"), (Cause::Throttled, "throttled"), (Cause::Timeout, "timeout")];

impl Metrics {
    /// Series with `name` as their `name` label.
    #[must_use]
    pub fn new(name: impl Into<SharedString>) -> Self {
        describe();
        let name = name.into();
        let with = |series: &'static str| counter!(series, "name" => name.clone());
        Self {
            requests: with(REQUESTS),
            retries: with(RETRIES),
            verdicts: OUTCOMES.map(|(_, outcome)| counter!(VERDICTS, "name" => name.clone(), "outcome" => outcome)),
            stops: Stop::ALL
                .iter()
                .map(|stop| counter!(STOPPED, "name" => name.clone(), "reason" => stop.as_str()))
                .collect(),
            delays: CAUSES.map(|(_, cause)| histogram!(DELAY, "name" => name.clone(), "cause" => cause)),
        }
    }
}

impl Observer for Metrics {
    fn on_attempt(&self, attempt: u32) {
        if attempt == 0 { &self.requests } else { &self.retries }.increment(1);
    }

    fn on_verdict(&self, _: u32, verdict: Verdict) {
        let of = |&(outcome, _): &(Outcome, _)| outcome == verdict.outcome();
        if let Some(index) = OUTCOMES.iter().position(of) {
            self.verdicts[index].increment(1);
        }
    }

    fn on_retry(&self, _: u32, cause: Cause, delay: Duration) {
        if let Some(index) = CAUSES.iter().position(|&(of, _)| of == cause) {
            self.delays[index].record(delay.as_secs_f64());
        }
    }

    fn on_stop(&self, _: u32, stop: Stop) {
        if let Some(index) = Stop::ALL.iter().position(|&of| of == stop) {
            self.stops[index].increment(1);
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

const REQUESTS: &str = "evenkeel_retry_requests_total";
const RETRIES: &str = "evenkeel_retry_retries_total";
const VERDICTS: &str = "evenkeel_retry_verdicts_total";
const STOPPED: &str = "evenkeel_retry_stops_total";
const DELAY: &str = "evenkeel_retry_delay_seconds";

fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests that began");
    describe_counter!(RETRIES, Unit::Count, "Retries that were sent");
    describe_counter!(VERDICTS, Unit::Count, "Attempts that ended, by outcome");
    describe_counter!(STOPPED, Unit::Count, "Requests that ended, by the reason for which no further attempt followed");
    describe_histogram!(DELAY, Unit::Seconds, "Waits before retries, by cause");
}
