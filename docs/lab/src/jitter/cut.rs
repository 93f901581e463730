//! The decorrelated jitter of AWS to the letter: what is drawn above the cap is cut to it.

use std::time::Duration;

use super::{BASE, CAP};
use crate::rng::Rng;

/// Delays without end: `sₙ = min(C, B + U·(3·sₙ₋₁ − B))`, from `s₋₁ = B`.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    luck: Rng,
    previous: Duration,
}

impl Cut {
    pub(super) fn new(seed: u64) -> Self {
        Self { luck: Rng::keyed(&[seed]), previous: BASE }
    }
}

impl Iterator for Cut {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.previous = CAP.min(BASE + (3 * self.previous - BASE).mul_f64(self.luck.unit()));
        Some(self.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_between_the_base_and_the_cap_and_two_of_three_are_the_cap_once_it_is_reached() {
        let delays: Vec<Duration> = Cut::new(1).take(10_000).collect();
        assert!(delays.iter().all(|delay| (BASE..=CAP).contains(delay)));
        let after_cap = delays.windows(2).filter(|pair| pair[0] == CAP);
        let again = after_cap.clone().filter(|pair| pair[1] == CAP).count() as f64 / after_cap.count() as f64;
        assert!((again - 2.0 / 3.0).abs() < 0.03, "{again}");
    }
}
