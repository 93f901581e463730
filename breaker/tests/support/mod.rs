//! A clock that is moved by hand, and what the stories do with a breaker.
#![allow(dead_code)] // Each test file takes what it needs.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerObserver, CallEnd, Cause, Permit, Rejected, State, Transition};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Time since the origin, in nanoseconds; clones are the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    nanos: Arc<AtomicU64>,
    reads: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn now(&self) -> Instant {
        origin() + self.since()
    }

    /// Since it was made.
    pub(crate) fn since(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, since: Duration) {
        self.nanos.store(u64::try_from(since.as_nanos()).unwrap(), Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.since() + by);
    }

    /// How often breakers have read it.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// For a builder's `clock`.
    pub(crate) fn reader(&self) -> impl Fn() -> Instant + Clone + Send + Sync + 'static + use<> {
        let clock = self.clone();
        move || {
            clock.reads.fetch_add(1, Ordering::Relaxed);
            clock.now()
        }
    }
}

/// Where all clocks begin; some `Instant` is needed to count from. A day after the system's, so that there is a time before.
pub(crate) fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *ORIGIN.get_or_init(|| Instant::now() + secs(86_400))
}

/// A builder whose breaker has a clock that is moved by hand.
pub(crate) fn by_hand() -> (BreakerBuilder<impl Fn() -> Instant + Clone + Send + Sync + 'static>, Clock) {
    let clock = Clock::new();
    (Breaker::builder().clock(clock.reader()), clock)
}

/// Open for a second, after one failure; and its clock stands where that is over.
pub(crate) fn due(
    settings: impl FnOnce(BreakerBuilder) -> BreakerBuilder,
) -> (Breaker<impl Fn() -> Instant, Log>, Clock, Log) {
    let (clock, log) = (Clock::new(), Log::default());
    let builder = settings(Breaker::builder().consecutive_failures(1).open_for([secs(1)]));
    let breaker = builder.clock(clock.reader()).observe(log.clone()).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    (breaker, clock, log)
}

/// Makes a call that ends at once: whether it was admitted.
pub(crate) fn succeed<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>) -> bool {
    breaker.try_acquire().map(Permit::success).is_ok()
}

/// Makes a call that fails at once: whether it was admitted.
pub(crate) fn fail<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>) -> bool {
    breaker.try_acquire().map(Permit::failure).is_ok()
}

/// Fails until it opens: after how many failures.
pub(crate) fn failures_to_open<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>) -> u32 {
    (1..=10_000)
        .find(|_| {
            assert!(fail(breaker));
            breaker.state() == State::Open
        })
        .expect("it opens")
}

/// How long from now until time alone lets a call through.
pub(crate) fn wait<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>, clock: &Clock) -> Duration {
    breaker.ready_at().expect("it is not forced open") - clock.now()
}

/// Keeps all it hears; clones are the same.
#[derive(Clone, Debug, Default)]
#[allow(clippy::disallowed_types)]
pub(crate) struct Log(Arc<std::sync::Mutex<Heard>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) transitions: Vec<Transition>,
    pub(crate) calls: Vec<CallEnd>,
    pub(crate) rejected: Vec<Rejected>,
}

impl Log {
    pub(crate) fn heard(&self) -> Heard {
        self.0.lock().unwrap().clone()
    }

    /// Where it went, and why.
    pub(crate) fn way(&self) -> Vec<(State, Cause)> {
        self.heard().transitions.iter().map(|transition| (transition.to, transition.cause)).collect()
    }

    pub(crate) fn last_call(&self) -> CallEnd {
        *self.heard().calls.last().expect("a call has ended")
    }
}

impl BreakerObserver for Log {
    fn on_transition(&self, transition: &Transition) {
        self.0.lock().unwrap().transitions.push(*transition);
    }

    fn on_call(&self, call: &CallEnd) {
        self.0.lock().unwrap().calls.push(*call);
    }

    fn on_reject(&self, rejected: &Rejected) {
        self.0.lock().unwrap().rejected.push(*rejected);
    }
}
