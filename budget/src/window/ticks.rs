//! Time in ticks: a window has a fixed number of them.

use std::time::{Duration, Instant};

/// Ticks in a window: time is known to a twentieth of it. In a model there are few, so that it ends.
pub(crate) const SPAN: u64 = if cfg!(loom) { 2 } else { 20 };

/// The length of a tick, and when the first one began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticks {
    epoch: Instant,
    length: Length,
}

/// How long a tick is, made to divide by.
#[derive(Clone, Copy, Debug)]
struct Length {
    /// In nanoseconds, at least 1.
    tick: u64,
    /// How many ticks there are in 2⁶⁴ nanoseconds, or one less: multiplying is several times as fast as dividing.
    inverse: u64,
}

/// A moment, to the tick, and whether it is the very beginning of it: twice the number of the tick, and one more if it is
/// later than its beginning.
///
/// With the odd ones, ticks can be counted down or up. What was earned counts from the beginning of its tick, so that it
/// is never held for longer than the window; what was spent counts from the end of it, so that it is never forgotten
/// sooner; and what was done at the very beginning of a tick counts for exactly the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) u64);

impl Ticks {
    /// [`SPAN`] ticks are at least `window`, which is longer than zero.
    pub(crate) fn new(epoch: Instant, window: Duration) -> Self {
        Self { epoch, length: Length::new(nanos(window).div_ceil(SPAN).max(1)) }
    }

    /// The length of the window, of whole ticks.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_nanos(self.length.tick.saturating_mul(SPAN))
    }

    /// The moment of `now`; what is before the epoch is taken for it.
    #[inline]
    pub(crate) fn at(&self, now: Instant) -> Moment {
        self.moment(self.since(now))
    }

    /// The nanoseconds since the epoch; what is before it is taken for it.
    #[inline]
    pub(crate) fn since(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }

    /// The moment so many nanoseconds after the epoch.
    #[inline]
    pub(crate) fn moment(&self, since: u64) -> Moment {
        let (tick, rest) = self.length.divide(since);
        Moment(tick * 2 + u64::from(rest != 0))
    }

    /// Whether it is within `tick`, so many nanoseconds after the epoch: for one that is known to have begun, less than
    /// [`moment`](Self::moment) does. Nothing is in the tick before the first, which is `u64::MAX`.
    #[inline]
    pub(crate) fn is_in(&self, tick: u64, since: u64) -> bool {
        self.length.holds(tick, since)
    }
}

impl Length {
    fn new(tick: u64) -> Self {
        Self { tick, inverse: u64::MAX / tick }
    }

    /// Whole ticks, and the nanoseconds that are left.
    #[inline]
    fn divide(&self, since: u64) -> (u64, u64) {
        // Not above the quotient and at most one below it: the inverse is short by no more than 1 in 2⁶⁴, `since` times.
        let low = ((u128::from(since) * u128::from(self.inverse)) >> 64) as u64;
        let rest = since - low * self.tick;
        if rest < self.tick { (low, rest) } else { (low + 1, rest - self.tick) }
    }

    #[inline]
    fn holds(&self, tick: u64, since: u64) -> bool {
        // Where it is before the tick this wraps, to more than half of what fits, which no tick is as long as.
        since.wrapping_sub(tick.wrapping_mul(self.tick)) < self.tick
    }
}

/// The nanoseconds of `time`, held to 292 years, so that twice as many fit as well.
#[inline]
fn nanos(time: Duration) -> u64 {
    let whole = time.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(time.subsec_nanos())).min(u64::MAX / 2)
}

impl Moment {
    pub(crate) const EPOCH: Self = Self(0);

    /// The beginning of `tick`.
    pub(crate) fn beginning(tick: u64) -> Self {
        Self(tick * 2)
    }

    /// The tick that it is in.
    #[inline]
    pub(crate) fn floor(self) -> u64 {
        self.0 / 2
    }

    /// The first tick that begins no earlier.
    #[inline]
    pub(crate) fn ceil(self) -> u64 {
        self.0.div_ceil(2)
    }
}

/// The first tick of the window whose last is `tick`.
#[inline]
pub(crate) fn first_of_window(tick: u64) -> u64 {
    (tick + 1).saturating_sub(SPAN)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ticks as short and as long as may be, round and odd ones, and powers of two.
    fn lengths() -> impl Strategy<Value = u64> {
        const MOST: u64 = u64::MAX / 2 / SPAN;
        prop_oneof![
            1..100_u64,
            50_000_000..30_000_000_001_u64,
            1..=MOST,
            (0..58_u32).prop_map(|power| 1 << power),
            Just(MOST),
        ]
    }

    proptest! {
        #[test]
        fn a_product_with_the_inverse_is_the_quotient(tick in lengths(), since in 0..=u64::MAX / 2, ticks_since in any::<u64>()) {
            let of = Length::new(tick);
            // Around a whole number of ticks is where it could be off by one.
            let whole = (ticks_since % (u64::MAX / 2 / tick)) * tick;
            for since in [since, whole, whole + 1, whole + tick - 1, whole.saturating_sub(1)] {
                prop_assert_eq!(of.divide(since), (since / tick, since % tick));
            }
        }
    }

    proptest! {
        #[test]
        fn a_time_is_in_the_tick_of_its_moment_and_in_no_other(tick in lengths(), other in any::<u32>(), since in 0..=u64::MAX / 2) {
            let ticks = Length::new(tick);
            let (of, _) = ticks.divide(since);
            prop_assert!(ticks.holds(of, since));
            let begun = u64::from(other) % (u64::MAX / 2 / tick).saturating_add(1);
            for other in [of.wrapping_sub(1), of + 1, begun, u64::MAX] {
                prop_assert_eq!(ticks.holds(other, since), other == of, "{} of {}", other, tick);
            }
        }
    }

    #[test]
    fn the_longest_time_is_held_to_292_years() {
        assert_eq!(nanos(Duration::MAX), u64::MAX / 2);
        assert_eq!(nanos(Duration::new(u64::MAX / 1_000_000_000, 999_999_999)), u64::MAX / 2);
        assert_eq!(nanos(Duration::new(3, 5)), 3_000_000_005);
    }
}
