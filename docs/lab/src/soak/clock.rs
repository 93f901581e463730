//! The clock of the whole stack: real time, and jumps on top of it, ahead and back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use super::faults::{Fault, Faults};

/// What the libraries take for a clock, where it is held in many places.
pub(super) trait Time: Fn() -> Instant + Clone + Send + Sync + 'static {}

impl<K: Fn() -> Instant + Clone + Send + Sync + 'static> Time for K {}

/// Real time with jumps; clones are the same clock.
#[derive(Clone, Debug)]
pub(super) struct Leaps {
    epoch: Instant,
    faults: Arc<Faults>,
    shared: Arc<Shared>,
}

/// In nanoseconds.
#[derive(Debug, Default)]
struct Shared {
    ahead: AtomicI64,
    /// The latest that was ever read.
    latest: AtomicI64,
}

impl Leaps {
    /// A clock that is right, as yet.
    #[must_use]
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        Self { epoch: Instant::now(), faults, shared: Arc::default() }
    }

    /// Jumps ahead from now on.
    pub(super) fn ahead(&self, by: Duration) {
        self.shared.ahead.fetch_add(nanos(by), Ordering::SeqCst);
    }

    /// Jumps back from now on; it never shows a time before it was made.
    pub(super) fn back(&self, by: Duration) {
        self.shared.ahead.fetch_sub(nanos(by), Ordering::SeqCst);
    }

    /// So much later than it has ever shown: for what waits for a time that it has seen already.
    pub(super) fn past_all(&self, by: Duration) {
        let missing = self.shared.latest.load(Ordering::SeqCst).saturating_sub(self.raw());
        self.ahead(by + Duration::from_nanos(u64::try_from(missing).unwrap_or(0)));
    }

    /// How far the latest time that it has shown is from when it was made.
    #[must_use]
    pub(super) fn passed(&self) -> Duration {
        let latest = self.shared.latest.load(Ordering::SeqCst).max(self.read());
        Duration::from_nanos(u64::try_from(latest).unwrap_or(0))
    }

    /// What the libraries read, which panics now and then.
    pub(super) fn reader(&self) -> impl Time + use<> {
        let clock = self.clone();
        move || {
            clock.faults.panics(Fault::PanicClock);
            let read = clock.read();
            clock.shared.latest.fetch_max(read, Ordering::Relaxed);
            clock.epoch + Duration::from_nanos(u64::try_from(read).unwrap_or(0))
        }
    }

    /// Never before it was made.
    fn read(&self) -> i64 {
        self.raw().max(0)
    }

    fn raw(&self) -> i64 {
        nanos(self.epoch.elapsed()).saturating_add(self.shared.ahead.load(Ordering::SeqCst))
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_back_but_never_before_it_was_made() {
        let clock = Leaps::new(Arc::new(Faults::new(1)));
        let now = clock.reader();
        let start = now();
        clock.ahead(Duration::from_secs(60));
        assert!(now() - start >= Duration::from_secs(60));
        clock.back(Duration::from_secs(50));
        assert!(now() - start < Duration::from_secs(60));
        clock.back(Duration::from_secs(3_600));
        assert!(now() <= start);
        assert!(clock.passed() >= Duration::from_secs(60));
        clock.past_all(Duration::from_secs(5));
        assert!(now() - start >= Duration::from_secs(65));
    }
}
