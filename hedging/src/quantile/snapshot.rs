//! What an estimate knows, at one moment.

use std::time::Duration;

use super::window::Window;

/// What a [`Quantile`](crate::Quantile) knows: of the window, with what others may be recording at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuantileSnapshot {
    /// The median; none where no latency is known.
    pub p50: Option<Duration>,
    /// What 95 % do not pass.
    pub p95: Option<Duration>,
    /// What 99 % do not pass.
    pub p99: Option<Duration>,
    /// The requests in the window whose latency is known.
    pub count: u64,
    /// The requests in the window that were given up, and are known to take longer than that.
    pub longer: u64,
    /// The threshold in use; none until it is warm.
    pub threshold: Option<Duration>,
}

impl QuantileSnapshot {
    pub(super) fn of(window: &Window) -> Self {
        let seen = window.look();
        let (count, longer) = seen.counts();
        let quantile = |share| seen.quantile(share).map(|nanos| Duration::from_nanos(nanos as u64));
        Self {
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            count,
            longer,
            threshold: window.threshold().map(Duration::from_nanos),
        }
    }
}
