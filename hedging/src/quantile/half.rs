//! Half a window: the buckets, and when they are to be looked at.

use super::{
    buckets::{BOUNDS, EXACT, GROUP, bucket},
    survival::Seen,
    window::Sample,
};
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// Each has cache lines of its own: its count is written with every request, and what is beside it mostly read.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Half {
    /// When it ends, in nanoseconds since the beginning, or `NO_TIME`.
    end: AtomicU64,
    /// How many were recorded into it.
    count: AtomicU32,
    /// At which count the threshold is worked out again.
    due: AtomicU32,
    exact: [AtomicU32; EXACT],
    bounds: [AtomicU32; BOUNDS],
}

/// The end of a half that is in no window: it is being cleared, or was never used.
pub(super) const NO_TIME: u64 = u64::MAX;

/// At so many it is over, whatever the time is: a count never comes round to zero, for it takes as many again until
/// then.
const FULL: u32 = 1 << 31;

impl Half {
    /// Empty.
    pub(super) fn new(end: u64) -> Self {
        Self {
            end: AtomicU64::new(end),
            count: AtomicU32::new(0),
            due: AtomicU32::new(1),
            exact: std::array::from_fn(|_| AtomicU32::new(0)),
            bounds: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    /// Adds a sample. Whether the upkeep is due.
    #[inline]
    pub(super) fn add(&self, sample: Sample) -> bool {
        let counter = match sample {
            Sample::Took(nanos) => &self.exact[bucket(nanos)],
            Sample::Longer(nanos) => &self.bounds[bucket(nanos) / GROUP],
        };
        counter.fetch_add(1, Ordering::Relaxed);
        // Release: who counts it finds it in its bucket (acquire in `count`).
        let count = self.count.fetch_add(1, Ordering::Release).wrapping_add(1);
        // Relaxed: if it is an older one, the thread that sets the new one looks at the count after that.
        count >= self.due.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) -> u32 {
        // Acquire: all that it counts are in their buckets.
        self.count.load(Ordering::Acquire)
    }

    /// Whether enough was recorded for the threshold to be worked out again.
    pub(super) fn is_due(&self) -> bool {
        self.count() >= self.due.load(Ordering::Relaxed)
    }

    /// It is due when there are so many more than `count`, and at least one.
    pub(super) fn set_due(&self, count: u32, more: u64) {
        let more = more.clamp(1, u64::from(FULL)) as u32;
        self.due.store(count.saturating_add(more).min(FULL), Ordering::Relaxed);
    }

    pub(super) fn is_full(&self) -> bool {
        self.count() >= FULL
    }

    /// Clears it for the time until `end`.
    pub(super) fn begin(&self, end: u64) {
        self.end.store(NO_TIME, Ordering::Relaxed);
        // Release: who finds a bucket cleared finds that it is in no window (acquire in `Window::seen`).
        fence(Ordering::Release);
        self.count.store(0, Ordering::Relaxed);
        self.due.store(1, Ordering::Relaxed);
        for counter in self.exact.iter().chain(&self.bounds) {
            counter.store(0, Ordering::Relaxed);
        }
        // Release: who finds the time finds it cleared.
        self.end.store(end, Ordering::Release);
    }

    /// When it ends, if it is current where the current one ends at `until`, or the one right before. Halves last for `length`.
    pub(super) fn end_within(&self, until: u64, length: u64) -> Option<u64> {
        // Acquire: it was cleared before (release in `begin`).
        let end = self.end.load(Ordering::Acquire);
        // With no time it is about as far ahead as can be.
        (until.wrapping_sub(end) <= length).then_some(end)
    }

    /// Whether it still ends then, which says that it was not cleared while it was looked at, before a fence.
    pub(super) fn ends_at(&self, end: u64) -> bool {
        self.end.load(Ordering::Relaxed) == end
    }

    /// What these hold together.
    pub(super) fn sum(halves: [Option<&Self>; 2]) -> Seen {
        let exact = halves.map(|half| half.map(|half| &half.exact));
        let bounds = halves.map(|half| half.map(|half| &half.bounds));
        Seen::new(read(exact), read(bounds))
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn almost_full(&self) {
        self.count.store(FULL - 1, Ordering::Relaxed);
        self.due.store(FULL, Ordering::Relaxed);
    }
}

/// The sums of up to two arrays of counters, in one pass.
fn read<const N: usize>(counters: [Option<&[AtomicU32; N]>; 2]) -> [u32; N] {
    let of = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
    match counters {
        [Some(one), Some(other)] => std::array::from_fn(|place| of(&one[place]).saturating_add(of(&other[place]))),
        [Some(one), None] | [None, Some(one)] => std::array::from_fn(|place| of(&one[place])),
        [None, None] => [0; N],
    }
}
