//! What a breaker is like at one moment.

use std::time::Instant;

use crate::State;

/// What a breaker is like at one moment: for a health page, or gauges that a scrape reads.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What it does with calls.
    pub state: State,
    /// The number of the period: how many transitions there were.
    pub period: u64,
    /// When the period began.
    pub since: Instant,
    /// When time alone lets a call through; not later than now if it would at once. `None` when it is forced open.
    pub ready_at: Option<Instant>,
    /// Failures since the last success, in this period, up to 1000. They are counted where there is a rule about them, and
    /// else it is 0.
    pub consecutive_failures: u32,
    /// Results in the window. The window is empty in all states but `Closed`, and without a rule about a share.
    pub calls: u32,
    /// Failures among them.
    pub failures: u32,
    /// Slow ones among them.
    pub slow: u32,
    /// Half-open: probes that are out.
    pub probes_out: u32,
    /// Half-open: probes that succeeded.
    pub probe_successes: u32,
    /// Half-open: probes that failed.
    pub probe_failures: u32,
    /// The share of calls that is admitted now, from 0 to 1: below 1 while it is ramping, and 0 when it is open. Half-open it
    /// is 1 while there is a slot.
    pub admitted_share: f64,
    /// Whether it only says what it would reject.
    pub dry_run: bool,
}
