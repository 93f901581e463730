//! How the delays of a schedule grow: the five shapes, before jitter and under a cap.
//!
//! These are the parameters of [`Schedule`](crate::Schedule); use the names at the root of the crate, as in
//! [`Exponential::new`](crate::Exponential::new).

use super::nanos::Nanos;

/// A shape of growth. The five of this crate are all there are; for one of your own, any iterator of `Duration`s is a
/// schedule.
pub trait Curve: sealed::Curve {}

/// A [`Curve`] without chance of its own, which jitter can therefore spread.
pub trait Jittered: Curve {}

pub(crate) mod sealed {
    // That it cannot be named is the seal.
    #[allow(unnameable_types)]
    pub trait Curve: Copy + core::fmt::Debug {
        /// The delay that comes now, in nanoseconds and at most `cap`; then moves on to the next. `draw` is uniform between
        /// its two arguments, both included.
        fn advance(&mut self, cap: u64, draw: impl FnOnce(u64, u64) -> u64) -> u64;

        /// Whether every delay is zero.
        fn is_zero(&self) -> bool;
    }
}

/// The same delay each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    pub(crate) delay: Nanos,
}

/// One step longer each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    pub(crate) next: Nanos,
    pub(crate) step: Nanos,
}

/// A factor longer each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exponential {
    pub(crate) next: Nanos,
    /// 2⁻³² nanoseconds beside `next`, so that a small first delay times a fractional factor grows as it should.
    pub(crate) fraction: u32,
    /// In 2⁻²⁴. With 64 + 32 bits of delay and 32 of factor, the product fits 128 bits: it cannot overflow.
    pub(crate) factor: u32,
}

/// The sum of the two before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fibonacci {
    pub(crate) next: Nanos,
    pub(crate) after: Nanos,
}

/// Drawn between the first delay and three times the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decorrelated {
    pub(crate) first: Nanos,
    pub(crate) previous: Nanos,
}

impl Exponential {
    pub(crate) const ONE: u32 = 1 << 24;

    /// A saturated value stays where it is: the integer part alone decides, and it is clamped.
    #[inline]
    fn grown(self) -> Self {
        if self.factor % Self::ONE == 0 {
            // No fraction comes of a whole factor, and none was there at first.
            let whole = u64::from(self.factor / Self::ONE);
            return Self { next: Nanos(self.next.0.saturating_mul(whole)), ..self };
        }
        let value = (u128::from(self.next.0) << 32) | u128::from(self.fraction);
        let product = (value * u128::from(self.factor)) >> 24;
        let (next, fraction) = match u64::try_from(product >> 32) {
            Ok(next) => (Nanos(next), product as u32),
            Err(_) => (Nanos::MAX, 0),
        };
        Self { next, fraction, ..self }
    }
}

impl Curve for Constant {}
impl Curve for Linear {}
impl Curve for Exponential {}
impl Curve for Fibonacci {}
impl Curve for Decorrelated {}

impl Jittered for Constant {}
impl Jittered for Linear {}
impl Jittered for Exponential {}
impl Jittered for Fibonacci {}

impl sealed::Curve for Constant {
    #[inline]
    fn advance(&mut self, cap: u64, _: impl FnOnce(u64, u64) -> u64) -> u64 {
        self.delay.0.min(cap)
    }

    #[inline]
    fn is_zero(&self) -> bool {
        self.delay.0 == 0
    }
}

impl sealed::Curve for Linear {
    #[inline]
    fn advance(&mut self, cap: u64, _: impl FnOnce(u64, u64) -> u64) -> u64 {
        let now = self.next.0;
        self.next = Nanos(now.saturating_add(self.step.0));
        now.min(cap)
    }

    #[inline]
    fn is_zero(&self) -> bool {
        self.next.0 == 0 && self.step.0 == 0
    }
}

impl sealed::Curve for Exponential {
    #[inline]
    fn advance(&mut self, cap: u64, _: impl FnOnce(u64, u64) -> u64) -> u64 {
        let now = self.next.0;
        if now >= cap {
            return cap;
        }
        *self = self.grown();
        now
    }

    #[inline]
    fn is_zero(&self) -> bool {
        self.next.0 == 0 && self.fraction == 0
    }
}

impl sealed::Curve for Fibonacci {
    #[inline]
    fn advance(&mut self, cap: u64, _: impl FnOnce(u64, u64) -> u64) -> u64 {
        let now = self.next.0;
        self.next = self.after;
        self.after = Nanos(now.saturating_add(self.after.0));
        now.min(cap)
    }

    #[inline]
    fn is_zero(&self) -> bool {
        self.next.0 == 0 && self.after.0 == 0
    }
}

impl sealed::Curve for Decorrelated {
    #[inline]
    fn advance(&mut self, cap: u64, draw: impl FnOnce(u64, u64) -> u64) -> u64 {
        // The source's formula draws up to three times the previous and cuts at the cap; two draws of three would then be the
        // cap itself once it is reached, and those who failed together would come back together.
        let high = self.previous.0.saturating_mul(3).min(cap);
        let now = draw(self.first.0.min(cap), high);
        self.previous = Nanos(now);
        now
    }

    #[inline]
    fn is_zero(&self) -> bool {
        self.first.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_factor_grows_as_the_product_says_and_saturates() {
        for whole in [1, 2, 3, 10, 128, 254, 255] {
            for next in [0, 1, 50_000_000, u64::MAX / 255, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX] {
                let grown = Exponential { next: Nanos(next), fraction: 0, factor: whole * Exponential::ONE }.grown();
                let exact = (u128::from(next) * u128::from(whole)).min(u128::from(u64::MAX));
                assert_eq!(u128::from(grown.next.0), exact, "{whole} times {next}");
                assert_eq!((grown.fraction, grown.factor), (0, whole * Exponential::ONE));
            }
        }
    }

    #[test]
    fn a_factor_beside_a_whole_one_keeps_its_fraction() {
        let grown = Exponential { next: Nanos(1), fraction: 0, factor: 2 * Exponential::ONE + 1 }.grown();
        assert_eq!((grown.next.0, grown.fraction), (2, 1 << 8));
    }
}
