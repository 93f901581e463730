//! Percentiles of latencies.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The latencies of many requests, to three significant digits, from a microsecond to an hour.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        // The bounds are 1 ≤ low, 2·low ≤ high, digits ≤ 5: what the constructor asks for.
        Self(Histogram::new_with_bounds(1, HOUR, 3).expect("constant bounds that are legal"))
    }

    /// Adds one; what is outside the range counts as its end.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(HOUR).max(1));
    }

    /// Adds all of the others.
    pub fn add(&mut self, others: &Self) {
        // Both have the same bounds.
        self.0.add(&others.0).expect("the range of the one is that of the other");
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latency, in milliseconds, that the share `q` (0 to 1) of all did not pass; none when there are none.
    #[must_use]
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.value_at_quantile(q) as f64 / 1_000.0)
    }

    /// The share of all, 0 to 1, that took longer than so many milliseconds; none when there are none.
    #[must_use]
    pub fn share_longer(&self, ms: f64) -> Option<f64> {
        let longer = self.len() - self.0.count_between(0, (ms * 1_000.0) as u64);
        (!self.is_empty()).then(|| longer as f64 / self.len() as f64)
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(latencies: I) -> Self {
        let mut all = Self::new();
        latencies.into_iter().for_each(|latency| all.record(latency));
        all
    }
}

/// In microseconds.
const HOUR: u64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_thousandth() {
        let all: Latencies = (1..=1_000).map(Duration::from_millis).collect();
        for (q, expected) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0), (1.0, 1_000.0)] {
            let seen = all.quantile_ms(q).unwrap_or_default();
            assert!((seen / expected - 1.0).abs() < 0.001, "{q}: {seen} is not about {expected}");
        }
    }

    #[test]
    fn the_share_that_is_longer_is_what_the_quantile_leaves() {
        let all: Latencies = (1..=1_000).map(Duration::from_millis).collect();
        for (ms, expected) in [(0.5, 1.0), (950.0, 0.05), (999.0, 0.001), (1_001.0, 0.0)] {
            let seen = all.share_longer(ms).unwrap_or_default();
            assert!((seen - expected).abs() < 0.001, "{ms}: {seen} is not about {expected}");
        }
    }

    #[test]
    fn no_latencies_have_no_quantile() {
        assert_eq!((Latencies::new().quantile_ms(0.5), Latencies::new().share_longer(1.0)), (None, None));
    }

    #[test]
    fn what_is_out_of_range_counts_as_its_end() {
        let all: Latencies = [Duration::ZERO, Duration::MAX].into_iter().collect();
        assert_eq!(all.len(), 2);
        assert!(all.quantile_ms(1.0) >= Some(3_590_000.0));
    }
}
