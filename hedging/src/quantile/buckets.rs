//! Latencies as buckets: 50 in each power of two, so that a bucket is at most a fiftieth wide.

/// Buckets of latencies. A model has to try every order in which they are touched.
pub(super) const EXACT: usize = if cfg!(loom) { 2 } else { FINE * 32 };

/// Groups of buckets, for lower bounds. Where one lies within its group hardly matters: the threshold is read off the
/// latencies, and a bound is mostly far above it.
pub(super) const BOUNDS: usize = EXACT / GROUP;

/// Buckets of a group.
pub(super) const GROUP: usize = if cfg!(loom) { 2 } else { 4 };

/// A microsecond. What is shorter counts as that.
const LOWEST: u64 = 1_000;

/// What makes a microsecond 2²⁰, where the first bucket begins, and a bit.
const SCALE: u64 = 1_049;
const BEGIN: u32 = 20;

/// Buckets of a power of two: each is at most 2 % of where it begins.
const FINE: usize = 50;

/// The last nanosecond of the last bucket, an hour and 11 minutes. What is longer counts as that.
const HIGHEST: u64 = ((1 << (BEGIN + 32)) - 1) / SCALE;

/// The bucket of a latency.
#[inline]
pub(super) fn bucket(nanos: u64) -> usize {
    let scaled = nanos.clamp(LOWEST, HIGHEST) * SCALE;
    let power = scaled.ilog2();
    // What follows the leading one, as a fraction of 2³².
    let part = (scaled << (u64::BITS - 1 - power) << 1) >> 32;
    let place = (part * FINE as u64) >> 32;
    // Below 1600, so it fits.
    let index = (power - BEGIN) as usize * FINE + place as usize;
    index.min(EXACT - 1)
}

/// Where a bucket begins, in nanoseconds, and how wide it is.
pub(super) fn span(bucket: usize) -> (f64, f64) {
    let (power, place) = (bucket / FINE, bucket % FINE);
    let width = (1_u64 << (power as u32 + BEGIN)) as f64 / (SCALE * FINE as u64) as f64;
    ((FINE + place) as f64 * width, width)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap_and_none_is_wider_than_a_fiftieth() {
        let mut end = span(0).0;
        for index in 0..EXACT {
            let (begin, width) = span(index);
            assert!((begin / end - 1.0).abs() < 1e-12, "{index}: {begin} after {end}");
            assert!(width * 50.0 <= begin * (1.0 + 1e-12));
            // The first and the last whole nanosecond, and not just where rounding decides.
            assert_eq!(bucket((begin + 1e-6 * width).ceil() as u64), index);
            assert_eq!(bucket((begin + width - 1e-6 * width).floor() as u64), index);
            end = begin + width;
        }
        assert_eq!(end.floor() as u64, HIGHEST);
    }

    #[test]
    fn what_is_out_of_range_counts_as_its_end() {
        assert_eq!((bucket(0), bucket(LOWEST), bucket(HIGHEST), bucket(u64::MAX)), (0, 0, EXACT - 1, EXACT - 1));
        assert!((0.99..=1.0).contains(&(span(0).0 / LOWEST as f64)));
        assert!(bucket(3_600_000_000_000) < EXACT - 1, "an hour is within");
    }
}
