//! The states of a breaker, and its ways from one to another.

use std::{fmt, time::Instant};

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Admits calls and counts how they end. Just after it has closed it may still be [ramping](crate::BreakerBuilder::ramp).
    Closed,
    /// Admits a few calls, the probes, to see whether the service is well again.
    HalfOpen,
    /// Rejects calls until its time is over.
    Open,
    /// Rejects calls, and time changes nothing: somebody called `force_open`.
    ForcedOpen,
    /// Admits all calls and counts none: somebody called `force_closed`.
    ForcedClosed,
}

impl State {
    /// All of them, in the order of [`code`](Self::code).
    pub const ALL: [Self; 5] = [Self::Closed, Self::HalfOpen, Self::Open, Self::ForcedOpen, Self::ForcedClosed];

    /// A number for a gauge: 0 closed, 1 half-open, 2 open, 3 forced open, 4 forced closed.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
            Self::ForcedOpen => 3,
            Self::ForcedClosed => 4,
        }
    }

    /// A word for a label: `closed`, `half_open`, `open`, `forced_open`, `forced_closed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}

/// In words, as in a sentence: `half-open`.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
            Self::ForcedOpen => "forced open",
            Self::ForcedClosed => "forced closed",
        })
    }
}

/// Why a breaker went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// So many failures in a row.
    ConsecutiveFailures,
    /// The share of failures in the window.
    FailureRate,
    /// The share of slow calls in the window.
    SlowRate,
    /// The open time was over, and a call asked.
    OpenTimeOver,
    /// A [prober](crate::Prober) asked.
    Prober,
    /// Enough probes succeeded.
    ProbesSucceeded,
    /// Too many probes failed or were slow.
    ProbesFailed,
    /// Too many probes failed, the last of them by not answering within the probe timeout.
    ProbeTimeout,
    /// Somebody called `force_open` or `force_closed`.
    Forced,
    /// Somebody called `reset`.
    Reset,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ConsecutiveFailures,
        Self::FailureRate,
        Self::SlowRate,
        Self::OpenTimeOver,
        Self::Prober,
        Self::ProbesSucceeded,
        Self::ProbesFailed,
        Self::ProbeTimeout,
        Self::Forced,
        Self::Reset,
    ];

    /// A word for a label, such as `failure_rate`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::OpenTimeOver => "open_time_over",
            Self::Prober => "prober",
            Self::ProbesSucceeded => "probes_succeeded",
            Self::ProbesFailed => "probes_failed",
            Self::ProbeTimeout => "probe_timeout",
            Self::Forced => "forced",
            Self::Reset => "reset",
        }
    }
}

/// One step of a breaker from a state to a state. Each begins a new period, with empty windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// Where it came from.
    pub from: State,
    /// Where it went.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// When, by the clock of whoever caused it; for a [`ProbeTimeout`](Cause::ProbeTimeout) when the time was out, which
    /// is noticed by whoever comes next.
    pub at: Instant,
    /// The number of the period that begins. A breaker is built in period 0, and each transition adds 1.
    pub period: u64,
    /// When time alone leads on: the end of the open time. `None` in all other states.
    pub until: Option<Instant>,
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} ({})", self.from, self.to, self.cause.as_str())
    }
}
