//! Quantiles of latencies some of which are only known to be longer than something.
//!
//! The product-limit estimate (Kaplan and Meier, *Nonparametric Estimation from Incomplete Observations*, 1958): of
//! those that had lasted until a moment and were still watched, the share that ended then. Who was given up before a
//! moment says nothing about it, and is not taken to have ended.

use super::buckets::{BOUNDS, EXACT, GROUP, span};

/// What was seen in a window.
#[derive(Clone)]
pub(super) struct Seen {
    /// Latencies, by bucket.
    pub(super) exact: [u32; EXACT],
    /// Lower bounds of latencies, by groups of buckets.
    pub(super) bounds: [u32; BOUNDS],
}

impl Seen {
    pub(super) const fn nothing() -> Self {
        Self { exact: [0; EXACT], bounds: [0; BOUNDS] }
    }

    /// How many latencies, and how many lower bounds.
    pub(super) fn counts(&self) -> (u64, u64) {
        let sum = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum();
        (sum(&self.exact), sum(&self.bounds))
    }

    /// The latencies, in nanoseconds, that these shares of all requests do not pass, ascending shares in ascending
    /// order. A share that fewer than so many are known to have ended by has the end of the longest that did: what was
    /// only seen to be late says nothing of how long it takes. So it is, too, where so few are still watched that one of
    /// them decides. None where nothing has ended at all.
    pub(super) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[f64; N]> {
        let (exact, bounds) = self.counts();
        if exact == 0 {
            return None;
        }
        let mut found = [0.0; N];
        let mut next = 0;
        let mut longest = 0.0;
        let all = exact + bounds;
        let mut watched = all;
        let mut lasting = 1.0;
        for (index, &ended) in self.exact.iter().enumerate() {
            if ended > 0 {
                // Where many hang, what is left at the end is one late success, and it would stand for all of them.
                while next < N && (watched as f64) < (1.0 - shares[next]) * FEW * all as f64 {
                    found[next] = longest;
                    next += 1;
                }
                if next == N {
                    return Some(found);
                }
                let (begin, width) = span(index);
                let after = lasting * (1.0 - f64::from(ended) / watched as f64);
                // Within the bucket they are taken to be spread evenly.
                while next < N && after <= 1.0 - shares[next] + EPSILON {
                    let part = ((lasting - (1.0 - shares[next])) / (lasting - after)).clamp(0.0, 1.0);
                    found[next] = begin + part * width;
                    next += 1;
                }
                if next == N {
                    return Some(found);
                }
                longest = begin + width;
                lasting = after;
                watched -= u64::from(ended);
            }
            // A group's bounds are taken to lie at its end: an attempt that lost just after the threshold had lasted
            // until then, and taken for shorter it would pull the threshold down, and more attempts would lose.
            if index % GROUP == GROUP - 1 {
                watched -= u64::from(self.bounds[index / GROUP]);
            }
        }
        found[next..].fill(longest);
        Some(found)
    }
}

/// Of those that a share leaves: a thirty-second is too few to go by.
const FEW: f64 = 1.0 / 32.0;

/// Of the rounding of a product of a thousand numbers.
const EPSILON: f64 = 1e-12;
