//! A clock that is moved by hand, and one poll of a future.
#![allow(dead_code)] // each test file uses its own part

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority, ThrottleBuilder, ThrottleObserver};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A day after the earliest instant, so that there is a time before; clones are the same clock.
#[derive(Clone)]
pub(crate) struct Clock {
    origin: Instant,
    since: Rc<Cell<Duration>>,
    reads: Rc<Cell<u32>>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        // The system's clock is read once, for an `Instant` to count from.
        #[allow(clippy::disallowed_methods)]
        let origin = Instant::now();
        Self { origin, since: Rc::new(Cell::new(secs(86_400))), reads: Rc::default() }
    }

    pub(crate) fn now(&self) -> Instant {
        self.origin + self.since.get()
    }

    /// How often a throttle has asked.
    pub(crate) fn reads(&self) -> u32 {
        self.reads.get()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.since.set(self.since.get() + by);
    }

    pub(crate) fn go_back(&self, by: Duration) {
        self.since.set(self.since.get() - by);
    }

    /// For a throttle.
    pub(crate) fn reader(&self) -> impl Fn() -> Instant + Clone + use<> {
        let clock = self.clone();
        move || {
            clock.reads.set(clock.reads.get() + 1);
            clock.now()
        }
    }
}

/// A builder with a seed and a clock that is moved by hand.
pub(crate) fn by_hand() -> (ThrottleBuilder<impl Fn() -> Instant + Clone>, Clock) {
    let clock = Clock::new();
    (AdaptiveThrottle::builder().seed(1).clock(clock.reader()), clock)
}

/// Sends one request if it may be; whether it was.
pub(crate) fn send<C: Fn() -> Instant, O: ThrottleObserver>(
    throttle: &AdaptiveThrottle<C, O>,
    priority: Priority,
    outcome: Outcome,
) -> bool {
    throttle.try_acquire(priority).map(|admission| admission.record(outcome)).is_ok()
}

pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
