//! Ratios in fixed point: nine decimals, so that 0.35 is 0.35 and 20 times that is 7.

use crate::Invalid;

/// A ratio from 0 to 1000, to nine decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    billionths: u64,
}

const ONE: u64 = 1_000_000_000;

/// What the range of a ratio is called when a value is refused.
pub(crate) const RANGE: &str = "a number from 0 to 1000";

impl Share {
    /// The ratio nearest to `value`, or the refusal of it under the name of `field`.
    pub(crate) const fn new(field: &'static str, value: f64) -> Result<Self, Invalid> {
        // NaN is in no range.
        if value >= 0.0 && value <= 1000.0 {
            // At most 10¹², which is exact in an f64 and fits.
            Ok(Self { billionths: (value * ONE as f64 + 0.5) as u64 })
        } else {
            Err(Invalid::number(field, value, RANGE))
        }
    }

    /// Whether `whole` plus this share of `of` is at least `asked`, exactly. It overflows for no arguments.
    pub(crate) const fn covers(self, whole: u64, of: u64, asked: u64) -> bool {
        // Each product is below 2⁹⁴, for a share is below 2⁴⁰.
        whole as u128 * ONE as u128 + self.billionths as u128 * of as u128 >= asked as u128 * ONE as u128
    }

    /// This share of `of`, without what is left of a whole.
    pub(crate) const fn floor_of(self, of: u64) -> u64 {
        // At most 1000 · 2⁶⁴; held to 64 bits.
        let whole = self.billionths as u128 * of as u128 / ONE as u128;
        if whole > u64::MAX as u128 { u64::MAX } else { whole as u64 }
    }

    /// The ratio as a number.
    pub(crate) const fn value(self) -> f64 {
        self.billionths as f64 / ONE as f64
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_decimal_that_was_written() {
        for (written, billionths) in
            [(0.35, 350_000_000), (0.1, 100_000_000), (1e-9, 1), (1.001, 1_001_000_000), (1000.0, 1_000_000_000_000)]
        {
            assert_eq!(Share::new("ratio", written), Ok(Share { billionths }));
        }
    }

    #[test]
    fn what_is_no_ratio_is_refused() {
        for value in [f64::NAN, -0.1, 1000.1, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Share::new("ratio", value).map_err(|invalid| invalid.field()), Err("ratio"));
        }
    }

    #[test]
    fn the_largest_arguments_do_not_overflow() {
        let most = Share::new("ratio", 1000.0).unwrap();
        assert!(most.covers(u64::MAX, u64::MAX, u64::MAX));
        assert!(!Share::new("ratio", 0.0).unwrap().covers(u64::MAX - 1, u64::MAX, u64::MAX));
        assert_eq!(most.floor_of(u64::MAX), u64::MAX);
    }
}
