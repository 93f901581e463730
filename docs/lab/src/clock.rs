//! A clock that is moved by hand, so that two minutes of an experiment take no time and are the same on every machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Virtual time since the start of an experiment; clones are the same clock.
///
/// ```
/// use evenkeel_lab::clock::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::new();
/// let now = clock.reader();
/// let start = now();
/// clock.set(Duration::from_secs(120));
/// assert_eq!(now() - start, Duration::from_secs(120));
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    // An `Instant` can be had only from the system; nothing depends on which one it is.
    start: Instant,
    nanos: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that stands at the start.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now(), nanos: Arc::default() }
    }

    /// Moves it to this time since the start, at most 584 years.
    pub fn set(&self, since_start: Duration) {
        let nanos = u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX);
        // An experiment is one thread: the atomic is there for the bounds of those who read the clock.
        self.nanos.store(nanos, Ordering::Relaxed);
    }

    /// What the libraries take for a clock.
    pub fn reader(&self) -> impl Fn() -> Instant + Clone + Send + Sync + use<> {
        let Self { start, nanos } = self.clone();
        move || start + Duration::from_nanos(nanos.load(Ordering::Relaxed))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
