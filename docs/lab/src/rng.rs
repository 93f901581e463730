//! Randomness that replays exactly: a small generator, keyed by what it is drawn for.
//!
//! It is written out here, and not taken from a crate, so that a figure in the book does not move when a dependency
//! changes its algorithm.

/// A `SplitMix64` generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// Its use is to be keyed: the draw for the second attempt of request 17 under seed 1 is the same whatever was drawn
/// before it, so two strategies that are compared meet the same luck.
///
/// ```
/// use evenkeel_lab::rng::Rng;
///
/// assert_eq!(Rng::keyed(&[1, 17, 2]).next_u64(), Rng::keyed(&[1, 17, 2]).next_u64());
/// assert_ne!(Rng::keyed(&[1, 17, 2]).next_u64(), Rng::keyed(&[1, 17, 3]).next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator for `keys`: their order counts, and so does their number.
    #[must_use]
    pub fn keyed(keys: &[u64]) -> Self {
        let state =
            keys.iter().fold(0, |state: u64, key| mix(state.wrapping_add(GOLDEN) ^ mix(key.wrapping_add(GOLDEN))));
        Self(state)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what the mantissa of an f64 holds.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Normal with mean 0 and standard deviation 1, by the method of Box and Muller.
    pub fn normal(&mut self) -> f64 {
        // 1 − U is in (0, 1], and the logarithm of that is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Lognormal with this median; `sigma` is the standard deviation of its logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Exponential with this mean: the gaps between the arrivals of a Poisson process.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// 2⁶⁴ divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 20_000;

    fn mean(mut draw: impl FnMut() -> f64) -> f64 {
        (0..DRAWS).map(|_| draw()).sum::<f64>() / DRAWS as f64
    }

    #[test]
    fn the_first_output_for_state_zero_is_the_published_one() {
        assert_eq!(Rng(0).next_u64(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn distributions_have_the_mean_or_median_that_was_asked_for() {
        let mut rng = Rng::keyed(&[7]);
        assert!((mean(|| rng.unit()) - 0.5).abs() < 0.01);
        assert!((mean(|| rng.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!(mean(|| rng.normal()).abs() < 0.03);
        let below = mean(|| f64::from(u8::from(rng.log_normal(20.0, 0.5) < 20.0)));
        assert!((below - 0.5).abs() < 0.02);
    }

    #[test]
    fn the_order_and_the_number_of_the_keys_count() {
        let first = |keys: &[u64]| Rng::keyed(keys).next_u64();
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1]), first(&[1, 0]));
        assert_ne!(first(&[0]), first(&[0, 0]));
    }
}
