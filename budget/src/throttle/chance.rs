//! Chance for rejections: shared by threads without a lock, and replayable from a seed. Not for secrets.

use std::{collections::hash_map::RandomState, hash::BuildHasher};

use crate::sync::{AtomicU64, Ordering};

/// A `SplitMix64` generator (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014). Its state is a
/// counter, so that threads draw different numbers with one addition each.
#[derive(Debug)]
pub(super) struct Chance(AtomicU64);

/// The golden ratio's odd fraction of 2⁶⁴, as in `SplitMix64`.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    /// Replays the same draws for the same seed; without one, those of the operating system's randomness.
    pub(super) fn new(seed: Option<u64>) -> Self {
        // The keys of a `RandomState` are that randomness: the one source of it in `std`.
        Self(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one(GAMMA))))
    }

    /// True with that `probability`. Draws only where that is between 0 and 1, so that what is certain moves nothing.
    pub(super) fn hits(&self, probability: f64) -> bool {
        probability >= 1.0 || (probability > 0.0 && self.draw() < probability)
    }

    /// Uniform in 0..1, to 53 bits: 1 is never drawn.
    fn draw(&self) -> f64 {
        // Relaxed: only that each draw gets a state of its own matters.
        let state = self.0.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        (mix(state) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_draws_are_those_that_splitmix64_is_known_by() {
        let chance = Chance::new(Some(0));
        for known in [0xE220_A839_7B1D_CDAF_u64, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F] {
            assert_eq!(chance.draw(), (known >> 11) as f64 / (1_u64 << 53) as f64);
        }
    }

    #[test]
    fn it_hits_as_often_as_it_should() {
        for probability in [0.01, 0.25, 0.5, 0.9] {
            let chance = Chance::new(Some(1));
            let hits = (0..100_000).filter(|_| chance.hits(probability)).count() as f64 / 100_000.0;
            assert!((hits - probability).abs() < 0.005, "{hits} of {probability}");
        }
    }

    #[test]
    fn what_is_certain_is_not_drawn_for() {
        let chance = Chance::new(Some(7));
        assert!(chance.hits(1.0) && !chance.hits(0.0) && !chance.hits(-1.0) && !chance.hits(f64::NAN));
        assert_eq!(chance.0.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn two_that_are_unseeded_draw_different_numbers() {
        assert_ne!(Chance::new(None).draw(), Chance::new(None).draw());
    }
}
