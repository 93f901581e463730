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

/// Further from 1 than any rounding, so that nothing below it is the rate.
const NEARLY: f64 = 0.999_999;

impl Rules {
    /// Why to open after so many failures in a row and with so much in the window, if so.
    pub(crate) fn cause(&self, run: u32, tally: Tally) -> Option<Cause> {
        if self.consecutive.is_some_and(|most| run >= most) {
            return Some(Cause::ConsecutiveFailures);
        }
        if tally.total < self.minimum {
            return None;
        }
        let is = |part: u32, rate: f64| {
            let (part, total) = (f64::from(part), f64::from(tally.total));
            // The division is rounded to the nearest, as the rate was when it was written: 7 of 10 is 0.7. Most shares are far
            // below the rate, which a product shows as well, and sooner.
            part >= rate * total * NEARLY && part / total >= rate
        };
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_met_from_exactly_its_share_on() {
        let cause = |rate: f64, failures: u32, total: u32| {
            let window = Window::Count(total);
            let rules = Rules { consecutive: None, failure_rate: Some(rate), slow: None, minimum: 1, window };
            rules.cause(0, Tally { total, failures, slow: 0 })
        };
        for total in (1..=200).chain([500, 65_535, 10_000_001, u32::MAX]) {
            for failures in (1..=total.min(200)).chain([total / 3, total - total / 7, total]).filter(|some| *some > 0) {
                let rate = f64::from(failures) / f64::from(total);
                assert_eq!(cause(rate, failures, total), Some(Cause::FailureRate), "{failures} of {total}");
                assert_eq!(cause(rate, failures - 1, total), None, "{failures} of {total}, less one");
                assert_eq!(
                    cause(f64::from_bits(rate.to_bits() + 1), failures, total),
                    None,
                    "{failures} of {total}, and a bit more"
                );
            }
        }
    }
}
