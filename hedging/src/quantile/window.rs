//! The window: two halves that take turns, and the threshold that is read off them now and then.
//!
//! Recording is an add to a bucket and one to the half's count. Whoever finds that the half is over, or that enough was
//! recorded since, does the upkeep, one thread at a time: it clears the older half and makes it the current one, and
//! works out the threshold. Nobody waits for that. Until it is done the others record into the half that was current,
//! which stays in the window; so none is lost, unless a thread is stopped in the middle of recording for longer than
//! half a window.

use super::{
    half::{Half, NO_TIME},
    survival::Seen,
};
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// No threshold: it is cold.
const COLD: u64 = u64::MAX;

/// The longest threshold, and the latest time; half of what fits, for `current` has a bit more to say.
pub(super) const LONGEST: u64 = u64::MAX >> 2;

#[derive(Debug)]
pub(super) struct Window {
    // All of this is mostly read, and has a cache line to itself, for a half begins one.
    rules: Rules,
    /// In nanoseconds, or `COLD`.
    threshold: AtomicU64,
    /// When the current half ends, and its place: see `word`.
    current: AtomicU64,
    /// 1 while a thread does the upkeep.
    busy: AtomicU32,
    halves: [Half; 2],
}

/// What the threshold is read off by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) share: f64,
    /// Nanoseconds of half a window; above zero.
    pub(super) half: u64,
    pub(super) warm_up: u64,
    /// Nanoseconds, at most `LONGEST`.
    pub(super) at_least: u64,
    pub(super) at_most: u64,
}

/// What is recorded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample {
    /// It took so many nanoseconds.
    Took(u64),
    /// It was given up after so many.
    Longer(u64),
}

impl Window {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            threshold: AtomicU64::new(COLD),
            current: AtomicU64::new(word(rules.half, 0)),
            busy: AtomicU32::new(0),
            halves: [Half::new(rules.half), Half::new(NO_TIME)],
            rules,
        }
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The threshold in nanoseconds, if it is warm. Relaxed: it is a figure by itself, a bit older or newer.
    #[inline]
    pub(super) fn threshold(&self) -> Option<u64> {
        let nanos = self.threshold.load(Ordering::Relaxed);
        (nanos != COLD).then_some(nanos)
    }

    /// Records at `now`, nanoseconds since the beginning.
    #[inline]
    pub(super) fn record(&self, sample: Sample, now: u64) {
        // Acquire: the half that it names was cleared before (release in `turn`).
        let mut current = self.current.load(Ordering::Acquire);
        if now >= end(current) {
            self.upkeep(now);
            current = self.current.load(Ordering::Acquire);
        }
        if self.halves[place(current)].add(sample) {
            self.upkeep(0);
        }
    }

    /// Turns to the next half if that is due, and works out the threshold; unless another thread is at it, which then
    /// sees to what has become due meanwhile.
    #[cold]
    #[inline(never)]
    fn upkeep(&self, now: u64) {
        let now = now.min(LONGEST);
        loop {
            // Acquire: what the thread before has done is there. Release: who is at it finds what made this one come.
            if self.busy.swap(1, Ordering::AcqRel) == 1 {
                return;
            }
            let half = self.tend(now);
            // The same, the other way round.
            self.busy.swap(0, Ordering::AcqRel);
            if !half.is_due() {
                return;
            }
        }
    }

    /// The upkeep, of the one who is busy: the half that is current then.
    fn tend(&self, now: u64) -> &Half {
        // Only who is busy writes it.
        let mut current = self.current.load(Ordering::Relaxed);
        let half = &self.halves[place(current)];
        if now >= end(current) {
            // Times are at most half of what fits, and so is half a window.
            current = self.turn(current, (now / self.rules.half + 1) * self.rules.half);
        } else if half.is_full() {
            current = self.turn(current, end(current));
        } else if !half.is_due() {
            return half; // Another thread has just done it.
        }
        let half = &self.halves[place(current)];
        // Before the buckets are read: what is recorded from now on makes it due again.
        let count = half.count();
        let seen = self.seen(current);
        let (exact, bounds) = seen.counts();
        let samples = exact + bounds;
        // A turn forgets up to half of what made it warm.
        let was_warm = self.threshold.load(Ordering::Relaxed) != COLD;
        let enough = if was_warm { self.rules.warm_up.div_ceil(2) } else { self.rules.warm_up };
        let is_warm = samples >= enough;
        if !is_warm {
            self.threshold.store(COLD, Ordering::Relaxed);
        } else if let Some(nanos) = seen.quantile(self.rules.share) {
            let nanos = (nanos as u64).min(self.rules.at_most).max(self.rules.at_least);
            self.threshold.store(nanos, Ordering::Relaxed);
        }
        // With nothing but lower bounds it stays what it was.
        half.set_due(count, if is_warm { samples / REFRESH } else { self.rules.warm_up - samples });
        half
    }

    /// Begins the other half, until `until`.
    fn turn(&self, current: u64, until: u64) -> u64 {
        let next = 1 - place(current);
        self.halves[next].begin(until);
        // Release: who sees this sees the half cleared.
        let current = word(until, next);
        self.current.store(current, Ordering::Release);
        current
    }

    /// What was recorded into the current half and, if it is the one right before, the other.
    fn seen(&self, current: u64) -> Seen {
        let mut ends = self.halves.each_ref().map(|half| half.end_within(end(current), self.rules.half));
        loop {
            let seen = Half::sum([0, 1].map(|place| ends[place].map(|_| &self.halves[place])));
            // Acquire: if a bucket was found cleared, so is its half's end (release in `Half::begin`).
            fence(Ordering::Acquire);
            let before = ends;
            for (half, end) in self.halves.iter().zip(&mut ends) {
                *end = end.filter(|end| half.ends_at(*end));
            }
            // One that was cleared meanwhile is left out: it is of another time.
            if ends == before {
                return seen;
            }
        }
    }

    /// What is in the window, of which others may be recording the last.
    pub(super) fn look(&self) -> Seen {
        // Acquire: as in `record`.
        self.seen(self.current.load(Ordering::Acquire))
    }
}

/// The threshold is worked out anew when the window has grown by a thirty-second: about once a second.
const REFRESH: u64 = 32;

/// Both in one, so that they are read at once.
fn word(end: u64, place: usize) -> u64 {
    end << 1 | place as u64
}

fn end(word: u64) -> u64 {
    word >> 1
}

fn place(word: u64) -> usize {
    (word & 1) as usize
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const HALF: u64 = 1_000;

    fn window() -> Window {
        Window::new(Rules { share: 0.5, half: HALF, warm_up: 2, at_least: 0, at_most: LONGEST })
    }

    #[test]
    fn all_that_is_mostly_read_has_a_cache_line_to_itself() {
        assert_eq!(size_of::<Window>(), 64 + 2 * size_of::<Half>());
        assert_eq!(size_of::<Half>() % 64, 0);
    }

    #[test]
    fn a_half_that_is_full_gives_way_although_its_time_is_not_over() {
        let window = window();
        window.record(Sample::Took(5_000), 0);
        window.halves[0].almost_full();
        for _ in 0..3 {
            window.record(Sample::Took(50_000), 0);
        }
        assert_eq!(place(window.current.load(Ordering::Relaxed)), 1);
        let (exact, _) = window.look().counts();
        assert_eq!(exact, 4, "both halves are in the window, and nothing was lost");
        window.record(Sample::Took(50_000), HALF);
        let (exact, _) = window.look().counts();
        assert_eq!(exact, 3, "the older one is forgotten");
    }

    #[test]
    fn no_time_is_too_late() {
        let window = window();
        for now in [HALF - 1, LONGEST - 1, LONGEST, u64::MAX, 0, u64::MAX] {
            window.record(Sample::Took(now), now);
            window.record(Sample::Longer(now), now);
        }
        assert!(window.threshold().is_some());
    }
}
