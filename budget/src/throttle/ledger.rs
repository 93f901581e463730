//! Requests that were and were not accepted within the window: the shared counters of a throttle, without a clock.

use super::{Priority, rule::Counts};
use crate::{
    sync::{Apart, AtomicU32, Ordering},
    window::{Head, Moment, Ring, first_of_window},
};

/// One counter for each priority and for whether it was accepted, and what each of them held when the last ticks began.
///
/// Counters only grow (and wrap: only differences within a window are ever taken). A request is one count, made when it is
/// known how it ended; it falls into the tick that the head is in, which only those who ask move on.
#[derive(Debug)]
pub(super) struct Ledger {
    /// On a line of their own: they are written for every request, the rest is only read.
    totals: Apart<[AtomicU32; COUNTERS]>,
    head: Head,
    rings: [Ring; COUNTERS],
}

/// Those that were not accepted come first, in the order of [`Priority::ALL`]. In a model there is one priority, the first,
/// so that it ends.
const COUNTERS: usize = 2 * UNACCEPTED;
const UNACCEPTED: usize = if cfg!(loom) { 1 } else { Priority::ALL.len() };

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            totals: Apart(std::array::from_fn(|_| AtomicU32::new(0))),
            head: Head::new(),
            rings: std::array::from_fn(|_| Ring::new()),
        }
    }

    /// Begins the tick of `at` in all counters, if nobody has, and those that were skipped: nothing was counted in them.
    #[inline]
    pub(super) fn advance(&self, at: Moment) {
        let (head, to) = (self.head.load().floor(), at.floor());
        if to > head {
            self.begin(head, to);
        }
    }

    /// Once in a tick.
    #[cold]
    fn begin(&self, head: u64, to: u64) {
        for (total, ring) in self.totals.0.iter().zip(&self.rings) {
            ring.begin(head, to, total.load(Ordering::Acquire));
        }
        self.head.advance(Moment::beginning(to));
    }

    /// One request more, in the tick of the head.
    #[inline]
    pub(super) fn count(&self, priority: Priority, accepted: bool) {
        let counter = priority.index() + if accepted { UNACCEPTED } else { 0 };
        // Release: who sees this count sees the head no earlier than its tick.
        self.totals.0[counter].fetch_add(1, Ordering::Release);
    }

    /// Whether [`counts`](Self::counts) would hold nothing but accepts: what is asked of every request, and while the service
    /// is well says all. A thread that is late by more than the ring is told no.
    #[inline]
    pub(super) fn has_only_accepts(&self, at: Moment) -> bool {
        let head = self.head.load().floor();
        let first = first_of_window(head.max(at.floor()));
        head < first || (0..UNACCEPTED).all(|counter| self.grown(counter, first) == Ok(0))
    }

    /// What the window holds that ends with the tick of `at`, or with the head's if that is later.
    pub(super) fn counts(&self, at: Moment) -> Counts {
        let mut last = at.floor();
        loop {
            let head = self.head.load().floor();
            last = last.max(head);
            match self.since(head, first_of_window(last)) {
                Ok(counts) => return counts,
                // Another thread has seen a later time, by more than a window, and has not come to moving the head.
                Err(later) => last = later,
            }
        }
    }

    /// What was counted since `first` began. Or the tick that is seen to have come.
    fn since(&self, head: u64, first: u64) -> Result<Counts, u64> {
        let mut counts = Counts::default();
        if head < first {
            return Ok(counts);
        }
        for priority in 0..UNACCEPTED {
            counts.unaccepted[priority] = self.grown(priority, first)?;
            counts.accepted[priority] = self.grown(UNACCEPTED + priority, first)?;
        }
        Ok(counts)
    }

    /// How much a counter has grown since `first` began, which the head has reached, and was loaded before: so is the counter,
    /// which is no lower than what it held then. Or the tick that is seen to have come.
    #[inline]
    fn grown(&self, counter: usize, first: u64) -> Result<u64, u64> {
        let begun = self.rings[counter].at(first)?;
        let total = self.totals.0[counter].load(Ordering::Acquire);
        Ok(u64::from(total.wrapping_sub(begun)))
    }
}
