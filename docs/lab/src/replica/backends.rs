//! The ten backends, one of which goes bad for a while.

use std::{ops::Range, time::Duration};

use super::{Scenario, client::Failed};
use crate::{paused::Paused, rng::Rng};

/// How many there are.
pub(super) const BACKENDS: usize = 10;
/// The one that goes bad.
pub(super) const BAD: usize = 3;

/// What they answer, and when.
#[derive(Clone, Debug)]
pub(super) struct Backends {
    pub(super) seed: u64,
    pub(super) scenario: Scenario,
    /// When one of them is bad, since the start.
    pub(super) fault: Range<Duration>,
}

/// Which attempt it is, of all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) client: u64,
    pub(super) request: u64,
    /// From 0.
    pub(super) number: u64,
}

impl Attempt {
    /// Luck of its own, the same whatever is done about faults.
    pub(super) fn luck(self, seed: u64, of: u64) -> Rng {
        Rng::keyed(&[seed, self.client, self.request, self.number, of])
    }
}

impl Backends {
    /// Sends an attempt to one of them, which is given up when its time is over.
    pub(super) async fn answer(&self, time: Paused, backend: usize, attempt: Attempt) -> Result<(), Failed> {
        let well = Duration::from_secs_f64(attempt.luck(self.seed, LATENCY).log_normal(MEDIAN_S, SIGMA));
        let is_bad = backend == BAD && self.fault.contains(&time.now());
        let (takes, result) = match self.scenario {
            Scenario::Slow if is_bad => (well * SLOWER, Ok(())),
            Scenario::Hangs if is_bad => (Duration::MAX, Ok(())),
            Scenario::Fails if is_bad => (AT_ONCE, Err(Failed::Refused)),
            Scenario::Slow | Scenario::Hangs | Scenario::Fails => (well, Ok(())),
        };
        time.sleep(takes.min(ATTEMPT)).await;
        if takes > ATTEMPT { Err(Failed::TimedOut) } else { result }
    }
}

/// How long an attempt may take.
pub(super) const ATTEMPT: Duration = Duration::from_secs(1);

const MEDIAN_S: f64 = 0.020;
/// The standard deviation of the logarithm: p95 is 45 ms, p99 64 ms, p99.9 94 ms.
const SIGMA: f64 = 0.5;
const SLOWER: u32 = 20;
/// As soon as a backend answers that does nothing.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Sets these draws apart from all others.
const LATENCY: u64 = u64::from_be_bytes(*b"latency ");
