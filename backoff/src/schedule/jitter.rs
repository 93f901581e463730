//! How much of a delay is left to chance.

use super::random::Random;
use crate::Invalid;

/// How a delay is spread, so that clients that failed together do not come back together.
///
/// With `v` the schedule's delay, already under the cap: jitter never passes the cap, and does not end there either.
///
/// Source: the AWS Architecture Blog, *Exponential Backoff And Jitter*, 2015. Full jitter is the default because there it
/// does the contended work with the fewest calls but one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Jitter {
    /// Exactly `v`. For one client alone, for tests, and where something else spreads the callers.
    None,
    /// Uniform in `[0, v]`: the widest spread, and on average half of the wait.
    #[default]
    Full,
    /// Uniform in `[v/2, v]`: at least half of the wait is kept.
    Equal,
    /// Uniform in `[v(1−p), v(1+p)]`; where that would pass the cap, uniform in `[v(1−p), cap]`.
    Around(Ratio),
}

impl Jitter {
    /// A delay around `v` within `floor..=cap`, which the caller has ordered: `floor ≤ cap` and `v ≤ cap`.
    #[inline]
    pub(crate) fn apply(self, v: u64, floor: u64, cap: u64, random: &mut Random) -> u64 {
        // Where all of the range is below the floor, the draw is the floor.
        let (low, high) = match self {
            Self::None => return v.max(floor),
            Self::Full => return random.between(floor, v),
            Self::Equal => (v / 2, v),
            Self::Around(ratio) => {
                let spread = ratio.of(v);
                (v - spread, v.saturating_add(spread).min(cap))
            }
        };
        random.between(low.max(floor), high)
    }
}

/// A share from 0 to 1, to the ten-thousandth.
///
/// ```
/// use evenkeel_backoff::{Jitter, Ratio};
///
/// let jitter = Jitter::Around(Ratio::new(0.1)?);
/// assert_eq!(jitter, Jitter::Around(Ratio::TENTH));
/// assert!(Ratio::new(1.1).is_err());
/// # Ok::<(), evenkeel_backoff::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u16);

impl Ratio {
    const ONE_IS: u16 = 10_000;

    /// 0.1
    pub const TENTH: Self = Self(Self::ONE_IS / 10);
    /// 0.25
    pub const QUARTER: Self = Self(Self::ONE_IS / 4);
    /// 0.5
    pub const HALF: Self = Self(Self::ONE_IS / 2);
    /// 1
    pub const ONE: Self = Self(Self::ONE_IS);

    /// The share `value`, rounded to the nearest ten-thousandth.
    ///
    /// # Errors
    ///
    /// When `value` is not a number from 0 to 1.
    pub const fn new(value: f64) -> Result<Self, Invalid> {
        if value >= 0.0 && value <= 1.0 {
            // In 0..=10_000 by the line above.
            Ok(Self((value * Self::ONE_IS as f64 + 0.5) as u16))
        } else {
            Err(Invalid::number("ratio", value, "a number from 0 to 1"))
        }
    }

    /// The share as a floating-point number.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE_IS)
    }

    #[inline]
    fn of(self, v: u64) -> u64 {
        let (whole, share) = (u64::from(Self::ONE_IS), u64::from(self.0));
        // The product over the whole, rounded down and at most `v`, in two parts neither of which needs more than 64 bits.
        v / whole * share + v % whole * share / whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_product_rounded_down() {
        for share in [0, 1, 2_500, 3_333, 9_999, 10_000] {
            for v in [0, 1, 9_999, 10_000, 10_001, 123_456_789_012, u64::MAX / 3, u64::MAX - 1, u64::MAX] {
                let exact = u128::from(v) * u128::from(share) / 10_000;
                assert_eq!(u128::from(Ratio(share).of(v)), exact, "{share} of {v}");
            }
        }
    }
}
