//! One counter that never leaves its bounds.

use crate::sync::{Apart, AtomicU32, Ordering, update};

#[derive(Debug)]
pub(super) struct Bucket {
    tokens: Apart<AtomicU32>,
    capacity: u32,
}

// Every ordering is relaxed: the counter guards no other memory, and a read-modify-write sees the latest value of its
// own variable whatever its ordering, which is all that "never grants more than it holds" needs. That `put` leaves a full
// bucket alone may rest on an older value; but the bucket was full at a moment no earlier than anything this thread has
// seen, so the deposit comes into a full bucket in an order of events that all threads can agree on. So for an empty one
// in `lose`.
impl Bucket {
    pub(super) fn full(capacity: u32) -> Self {
        Self { tokens: Apart(AtomicU32::new(capacity)), capacity }
    }

    pub(super) fn held(&self) -> u32 {
        self.tokens.0.load(Ordering::Relaxed)
    }

    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Takes all of `tokens`, or none and says so.
    #[inline]
    pub(super) fn take(&self, tokens: u32) -> bool {
        self.update(|held| held.checked_sub(tokens))
    }

    /// Adds, up to the capacity. A full bucket is only read.
    #[inline]
    pub(super) fn put(&self, tokens: u32) {
        self.update(|held| (held < self.capacity).then(|| held.saturating_add(tokens).min(self.capacity)));
    }

    /// Takes what there is of `tokens`. An empty bucket is only read.
    #[inline]
    pub(super) fn lose(&self, tokens: u32) {
        self.update(|held| (held > 0).then(|| held.saturating_sub(tokens)));
    }

    #[inline]
    fn update(&self, to: impl Fn(u32) -> Option<u32>) -> bool {
        let exchange =
            |held, new| self.tokens.0.compare_exchange(held, new, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        update(|| self.held(), exchange, to)
    }
}
