//! A clock that the test moves by hand.
#![allow(dead_code)] // Each test takes what it needs.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Time since the origin, in nanoseconds; clones are the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Time {
    pub(crate) fn now(&self) -> Instant {
        origin() + Duration::from_nanos(self.nanos())
    }

    pub(crate) fn nanos(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.nanos() + by.as_nanos() as u64);
    }

    pub(crate) fn back(&self, by: Duration) {
        self.set(self.nanos().saturating_sub(by.as_nanos() as u64));
    }

    fn set(&self, nanos: u64) {
        self.0.store(nanos, Ordering::Relaxed);
    }

    /// For a builder's `clock`.
    pub(crate) fn clock(&self) -> impl Fn() -> Instant + Clone + Send + Sync + 'static {
        let time = self.clone();
        move || time.now()
    }
}

/// Where all the clocks of a test begin; some `Instant` is needed to count from.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *ORIGIN.get_or_init(Instant::now)
}
