//! When to open: the rules, as functions of what was counted.

use std::time::Duration;

use crate::{Cause, window::History};

/// What opens a closed breaker; any of them does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// So many failures in a row.
    pub(crate) consecutive: Option<u32>,
    /// From this share of failures in the window.
    pub(crate) failure_rate: Option<f64>,
    /// From this share of slow calls in the window.
    pub(crate) slow: Option<Slow>,
    /// The rates are judged from so many results in the window.
    pub(crate) minimum: u32,
    pub(crate) window: Window,
}

/// What a slow call is, and from which share of them it opens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    /// In nanoseconds.
    pub(crate) threshold: u64,
    pub(crate) rate: f64,
}

/// Which results count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// The last so many.
    Count(u32),
    /// Those of this time, to a tenth of it.
    Time(Duration),
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) total: u32,
    pub(crate) failures: u32,
    pub(crate) slow: u32,
}

impl Tally {
    /// Both together, held to what 32 bits can count.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            total: self.total.saturating_add(other.total),
            failures: self.failures.saturating_add(other.failures),
            slow: self.slow.saturating_add(other.slow),
        }
    }

    /// Whether all are good.
    pub(crate) fn is_clean(self) -> bool {
        self.failures == 0 && self.slow == 0
    }
}

impl Rules {
    /// Why to open after so many failures in a row and with so much in the window, if so.
    pub(crate) fn cause(&self, run: u32, tally: Tally) -> Option<Cause> {
        if self.consecutive.is_some_and(|most| run >= most) {
            return Some(Cause::ConsecutiveFailures);
        }
        if tally.total < self.minimum {
            return None;
        }
        // The division is rounded to the nearest, as the rate was when it was written: 7 of 10 is 0.7.
        let is = |part: u32, rate: f64| f64::from(part) / f64::from(tally.total) >= rate;
        if self.failure_rate.is_some_and(|rate| is(tally.failures, rate)) {
            return Some(Cause::FailureRate);
        }
        self.slow.filter(|slow| is(tally.slow, slow.rate)).map(|_| Cause::SlowRate)
    }

    /// What a time window needs behind the lock.
    pub(crate) fn history(&self) -> Option<Box<History>> {
        match self.window {
            Window::Time(span) if self.has_rates() => Some(Box::new(History::new(span))),
            Window::Time(_) | Window::Count(_) => None,
        }
    }

    /// Whether there is a rule about shares, and so a window.
    pub(crate) fn has_rates(&self) -> bool {
        self.failure_rate.is_some() || self.slow.is_some()
    }
}
