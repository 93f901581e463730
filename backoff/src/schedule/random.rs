//! Chance for jitter: small, fast, and replayable from a seed. Not for secrets.

use core::sync::atomic::{AtomicUsize, Ordering};

/// A `SplitMix64` generator (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014) whose state is
/// kept odd, so that zero can say "not seeded yet" and the state takes one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Random {
    state: u64,
}

/// The golden ratio's odd fraction of 2⁶⁴, as in `SplitMix64`.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// Seeds itself at the first draw, from the process's entropy: so that each copy that begins to draw is a session of
    /// its own.
    pub(crate) const fn unseeded() -> Self {
        Self { state: 0 }
    }

    /// Replays the same draws for the same seed.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self { state: mix(seed.wrapping_add(GAMMA)) | 1 }
    }

    /// Uniform in `low..=high`; `low` where the two are out of order.
    #[inline]
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let (drawn, span) = (u128::from(self.next()), u128::from(high.saturating_sub(low)));
        // The high half of `drawn` times the `span + 1` choices, which may be 2⁶⁴ of them: below that, so the sum stays
        // within `high`.
        low + ((drawn * span + drawn) >> 64) as u64
    }

    #[inline]
    fn next(&mut self) -> u64 {
        if self.state == 0 {
            self.state = session_seed() | 1;
        }
        // An even step keeps the state odd.
        self.state = self.state.wrapping_add(GAMMA << 1);
        mix(self.state)
    }
}

/// A seed that no other session of this process has, and, with the feature `std`, none of another process either.
#[inline(never)] // Once for each session, and not in the way of every other draw.
fn session_seed() -> u64 {
    mix(numbered())
}

/// Another number each time, from the process's own entropy on.
///
/// Each thread has a block of them, so that threads whose sessions begin at the same time do not wait for one another. None comes
/// again before a thread has had 2³⁶ sessions or the process 2²⁸ threads.
#[cfg(feature = "std")]
fn numbered() -> u64 {
    use std::{cell::Cell, thread_local};

    const BLOCK: u64 = 1 << 36;
    static BLOCKS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NEXT: Cell<Option<u64>> = const { Cell::new(None) };
    }
    let begin = || {
        // Relaxed: only that each thread gets a block of its own matters.
        let block = BLOCKS.fetch_add(1, Ordering::Relaxed) as u64;
        process_seed().wrapping_add(block.wrapping_mul(BLOCK.wrapping_mul(GAMMA)))
    };
    NEXT.with(|next| {
        let number = next.get().unwrap_or_else(begin);
        next.set(Some(number.wrapping_add(GAMMA)));
        number
    })
}

/// The same without threads' own storage: one counter.
#[cfg(not(feature = "std"))]
fn numbered() -> u64 {
    static SESSIONS: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: only that each session gets a number of its own matters.
    let session = SESSIONS.fetch_add(1, Ordering::Relaxed) as u64;
    process_seed().wrapping_add(session.wrapping_mul(GAMMA))
}

#[cfg(feature = "std")]
fn process_seed() -> u64 {
    use std::{collections::hash_map::RandomState, hash::BuildHasher, sync::OnceLock};

    static SEED: OnceLock<u64> = OnceLock::new();
    // The keys of a `RandomState` are the operating system's randomness: the one source of it in `std`.
    *SEED.get_or_init(|| RandomState::new().hash_one(GAMMA))
}

/// Without an operating system there is only where the program was loaded to.
#[cfg(not(feature = "std"))]
fn process_seed() -> u64 {
    static HERE: u8 = 0;
    (&raw const HERE).addr() as u64
}

#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_cover_the_range_evenly_and_never_leave_it() {
        let mut random = Random::seeded(1);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            let drawn = random.between(100, 109);
            counts[(drawn - 100) as usize] += 1;
        }
        for count in counts {
            assert!((9_500..10_500).contains(&count), "{counts:?}");
        }
        assert_eq!(random.between(7, 7), 7);
        assert_eq!(random.between(7, 3), 7);
        assert!((0..1_000).any(|_| random.between(0, u64::MAX) > u64::MAX / 2));
    }

    #[test]
    fn neighbouring_seeds_have_nothing_in_common() {
        let first = |seed| Random::seeded(seed).between(0, u64::MAX);
        let mut drawn: [u64; 1_000] = core::array::from_fn(|seed| first(seed as u64));
        drawn.sort_unstable();
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
        let below = drawn.iter().filter(|&&value| value < u64::MAX / 2).count();
        assert!((400..600).contains(&below), "{below}");
    }
}
