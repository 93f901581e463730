//! What is in flight and how much more may be: the shared state of a budget of places.

use crate::{
    Exhausted,
    share::Share,
    sync::{Apart, AtomicU64, Ordering, update},
};

/// What is in flight, and the limit of it.
#[derive(Debug)]
pub(super) struct Places {
    /// Both in one word, so that the limit that a grant was measured against is the one that holds when it counts.
    in_flight: Apart<AtomicU64>,
    pub(super) limit: Limit,
}

/// How many extra attempts may be in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) share: Share,
    pub(super) min_concurrency: u32,
}

impl Limit {
    pub(super) fn at(self, originals: u32) -> u32 {
        let share = u32::try_from(self.share.floor_of(u64::from(originals))).unwrap_or(u32::MAX);
        share.max(self.min_concurrency)
    }
}

/// Originals in the high half, extra attempts in the low one.
#[derive(Clone, Copy)]
pub(super) struct InFlight(u64);

impl InFlight {
    pub(super) const ORIGINAL: u64 = 1 << 32;
    pub(super) const EXTRA: u64 = 1;

    pub(super) fn originals(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn extras(self) -> u32 {
        self.0 as u32
    }

    /// With one extra attempt more, where the limit has room for it.
    fn with_extra(self, limit: Limit) -> Option<Self> {
        (self.extras() < limit.at(self.originals())).then_some(Self(self.0 + Self::EXTRA))
    }
}

// The orderings are relaxed: the word guards no other memory, and a read-modify-write sees its latest value.
impl Places {
    pub(super) fn new(limit: Limit) -> Self {
        Self { in_flight: Apart(AtomicU64::new(0)), limit }
    }

    pub(super) fn now(&self) -> InFlight {
        InFlight(self.in_flight.0.load(Ordering::Relaxed))
    }

    pub(super) fn enter(&self, what: u64) {
        self.in_flight.0.fetch_add(what, Ordering::Relaxed);
    }

    pub(super) fn leave(&self, what: u64) {
        self.in_flight.0.fetch_sub(what, Ordering::Relaxed);
    }

    pub(super) fn try_extra(&self) -> Result<(), Exhausted> {
        let with_extra = |held: InFlight| held.with_extra(self.limit);
        let exchange = |InFlight(held), InFlight(new)| {
            self.in_flight.0.compare_exchange(held, new, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if update(|| self.now(), exchange, with_extra) { Ok(()) } else { Err(Exhausted::new()) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_largest_share_of_the_most_originals_is_held_to_what_can_be_counted() {
        let limit = Limit { share: Share::new("share", 1000.0).unwrap(), min_concurrency: 0 };
        assert_eq!(limit.at(u32::MAX), u32::MAX);
        assert_eq!(limit.at(4_294_968), u32::MAX, "2³² and a little");
        assert_eq!(limit.at(2), 2_000);
    }
}
