//! The service: how long an attempt takes, and how it ends.

use std::time::Duration;

use crate::rng::Rng;

/// What the service is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// A lognormal latency with a mean of 5 ms and a standard deviation of 2 ms; one attempt in 20 takes ten times as long,
    /// whichever request it belongs to.
    Headline,
    /// The same, with one attempt in 50.
    Tail2,
    /// The same, with one attempt in 10.
    Tail10,
    /// As the headline, but a request that is slow is slow whoever is asked: all its attempts take the same time.
    Correlated,
    /// As the headline, but one attempt in 10 fails, after 1 ms.
    Failing,
    /// As the headline until the measurement begins; from then on every attempt takes ten times as long.
    BrownOut,
}

impl Scenario {
    /// What the rows call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Tail2 => "tail-2",
            Self::Tail10 => "tail-10",
            Self::Correlated => "correlated",
            Self::Failing => "failing",
            Self::BrownOut => "brown-out",
        }
    }

    /// The share of the attempts that are ten times as slow.
    const fn slow(self) -> f64 {
        match self {
            Self::Headline | Self::Correlated | Self::Failing | Self::BrownOut => 0.05,
            Self::Tail2 => 0.02,
            Self::Tail10 => 0.1,
        }
    }
}

/// An attempt has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

/// A service of which any number of attempts are served at once: it does not become slower by load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) seed: u64,
    pub(super) scenario: Scenario,
    /// When a brown-out begins.
    pub(super) turn: Duration,
}

impl Service {
    /// How long this attempt takes that is sent `at` that time since the start, and how it ends. It is the same for all
    /// policies.
    pub(super) fn answer(&self, request: u64, attempt: u32, at: Duration) -> (Duration, Result<(), Failed>) {
        let attempt = if self.scenario == Scenario::Correlated { 0 } else { attempt };
        let mut luck = Rng::keyed(&[self.seed, request, attempt.into()]);
        let mut ms = luck.log_normal(MEDIAN, SIGMA);
        if luck.chance(self.scenario.slow()) {
            ms *= SLOWER;
        }
        match self.scenario {
            Scenario::BrownOut if at >= self.turn => ms *= SLOWER,
            Scenario::Failing if luck.chance(FAILS) => return (FAILS_AFTER, Err(Failed)),
            Scenario::Headline
            | Scenario::Tail2
            | Scenario::Tail10
            | Scenario::Correlated
            | Scenario::Failing
            | Scenario::BrownOut => {}
        }
        (Duration::from_secs_f64(ms / 1_000.0), Ok(()))
    }
}

/// Of a lognormal distribution with a mean of 5 ms and a standard deviation of 2 ms: σ² = ln(1 + (2/5)²), and the median is
/// 5 / √(1 + (2/5)²).
const SIGMA: f64 = 0.385_253_170_159_926_66;
const MEDIAN: f64 = 4.642_383_454_426_297;

/// What is slow is so many times as slow.
const SLOWER: f64 = 10.0;

const FAILS: f64 = 0.1;
const FAILS_AFTER: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_has_the_mean_and_the_deviation_that_were_asked_for() {
        let squares = 1.0 + (2.0_f64 / 5.0).powi(2);
        assert!((squares.ln().sqrt() - SIGMA).abs() < 1e-12, "{}", squares.ln().sqrt());
        assert!((5.0 / squares.sqrt() - MEDIAN).abs() < 1e-12, "{}", 5.0 / squares.sqrt());
    }

    #[test]
    fn attempts_differ_unless_the_latency_is_the_requests_own() {
        let of =
            |scenario, attempt| Service { seed: 1, scenario, turn: Duration::ZERO }.answer(7, attempt, Duration::ZERO);
        assert_ne!(of(Scenario::Headline, 0), of(Scenario::Headline, 1));
        assert_eq!(of(Scenario::Correlated, 0), of(Scenario::Correlated, 1));
        let ((plain, _), (browned, _)) = (of(Scenario::Headline, 0), of(Scenario::BrownOut, 0));
        assert!((browned.as_secs_f64() / plain.as_secs_f64() - 10.0).abs() < 1e-3);
    }
}
