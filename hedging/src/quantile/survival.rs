//! Quantiles of latencies some of which are only known to be longer than something.
//!
//! The product-limit estimate (Kaplan and Meier, *Nonparametric Estimation from Incomplete Observations*, 1958): of
//! those that had lasted until a moment and were still watched, the share that ended then. Who was given up before a
//! moment says nothing about it, and is not taken to have ended.

use super::buckets::{BOUNDS, EXACT, GROUP, span};

/// What was seen in a window.
pub(super) struct Seen {
    /// Latencies, by bucket.
    exact: [u32; EXACT],
    /// Lower bounds of latencies, by groups of buckets.
    bounds: [u32; BOUNDS],
    counts: (u64, u64),
}

impl Seen {
    pub(super) fn new(exact: [u32; EXACT], bounds: [u32; BOUNDS]) -> Self {
        let sum = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum();
        let counts = (sum(&exact), sum(&bounds));
        Self { exact, bounds, counts }
    }

    /// How many latencies, and how many lower bounds.
    pub(super) const fn counts(&self) -> (u64, u64) {
        self.counts
    }

    /// The latency, in nanoseconds, that this share of all requests do not pass. If fewer than so many are known to have ended,
    /// it is the end of the longest that did: what was only seen to be late says nothing of how long it takes. So it is, too,
    /// where so few are still watched that one of them decides. None where nothing has ended before.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let (exact, bounds) = self.counts;
        let all = exact + bounds;
        let left = 1.0 - share;
        // Where many hang, what is left at the end is one late success, and it would stand for all of them.
        let few = left * FEW * all as f64;
        let mut longest = None;
        let mut watched = all;
        let mut lasting = 1.0;
        for (group, buckets) in self.exact.chunks_exact(GROUP).enumerate() {
            // Most are empty.
            if buckets.iter().fold(0, |any, ended| any | ended) > 0 {
                for (place, &ended) in buckets.iter().enumerate().filter(|(_, ended)| **ended > 0) {
                    let bucket = group * GROUP + place;
                    if (watched as f64) < few {
                        return longest.map(end);
                    }
                    let after = lasting * (1.0 - f64::from(ended) / watched as f64);
                    if after <= left + EPSILON {
                        // Within the bucket they are taken to be spread evenly.
                        let part = ((lasting - left) / (lasting - after)).clamp(0.0, 1.0);
                        let (begin, width) = span(bucket);
                        return Some(begin + part * width);
                    }
                    longest = Some(bucket);
                    lasting = after;
                    watched -= u64::from(ended);
                }
            }
            // A group's bounds are taken to lie at its end: an attempt that lost just after the threshold had lasted
            // until then, and taken for shorter it would pull the threshold down, and more attempts would lose.
            watched -= u64::from(self.bounds[group]);
        }
        longest.map(end)
    }
}

/// Where a bucket ends, in nanoseconds.
fn end(bucket: usize) -> f64 {
    let (begin, width) = span(bucket);
    begin + width
}

/// Of those that a share leaves: a thirty-second is too few to go by.
const FEW: f64 = 1.0 / 32.0;

/// Of the rounding of a product of a thousand numbers.
const EPSILON: f64 = 1e-12;
