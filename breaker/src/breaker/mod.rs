//! The breaker: a handle over one shared state.

mod abandoned;
mod blocking;
mod builder;
mod call;
mod checks;
mod core;
mod hot;
mod lease;
mod locked;
mod look;
mod permit;
mod ramp;
mod rejection;
mod shared;
mod snapshot;
mod tell;
mod word;

use std::{
    fmt,
    future::Future,
    time::{Duration, Instant},
};

pub use abandoned::Abandoned;
pub use builder::BreakerBuilder;
pub(crate) use builder::Plan;
pub use call::Call;
pub use permit::{Handle, Permit};
pub use snapshot::Snapshot;

use crate::{BreakerObserver, Classify, ErrIsFailure, Rejected, State, Transitions, sync::Arc};
pub(crate) use checks::{Place, Probe, View};
use shared::Shared;

/// A circuit breaker: it stops calling a service that is down, and finds out by itself when it is well again.
///
/// Cloning is one reference count; every clone is the same breaker.
///
/// ```
/// use evenkeel_breaker::{Breaker, State};
///
/// let breaker = Breaker::builder().consecutive_failures(3).build()?;
///
/// for _ in 0..3 {
///     let permit = breaker.try_acquire().expect("it is closed");
///     permit.failure(); // what the call came to
/// }
/// let rejected = breaker.try_acquire().unwrap_err();
/// assert_eq!(rejected.state(), State::Open);
/// assert!(rejected.retry_after().is_some(), "it says when to come back");
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
pub struct Breaker<C = fn() -> Instant, O = ()> {
    shared: Arc<Shared<C, O>>,
}

impl Breaker {
    /// Ten failures in a row: at a service that fails one call in three by chance that is once in 88,000 calls, and of one that
    /// is down it costs ten calls to find out.
    pub const DEFAULT_CONSECUTIVE_FAILURES: u32 = 10;

    /// Half of the results: above it, more of the work is wasted than done.
    pub const DEFAULT_FAILURE_RATE: f64 = 0.5;

    /// The last 100 results: enough for a share to mean something, few enough to forget an hour of success within
    /// 50 failures. It needs no clock.
    pub const DEFAULT_COUNT_WINDOW: u32 = 100;

    /// 20 results: with fewer, half of them fail by chance too often.
    pub const DEFAULT_MINIMUM_CALLS: u32 = 20;

    /// Up to 5 s the first time: a restart takes about as long.
    pub const DEFAULT_FIRST_OPEN: Duration = Duration::from_secs(5);

    /// Up to 5 min: in an outage of hours one call in minutes is no load, and minutes are what its end is noticed late.
    pub const DEFAULT_LONGEST_OPEN: Duration = Duration::from_secs(5 * 60);

    /// One probe at a time: the least load that finds out.
    pub const DEFAULT_HALF_OPEN_PERMITS: u32 = 1;

    /// One success closes: what is wrong about it the rules will show.
    pub const DEFAULT_HALF_OPEN_SUCCESSES: u32 = 1;

    /// An hour: a service that asks for more, or a clock that is wrong, is not believed.
    pub const DEFAULT_MAX_HINT: Duration = Duration::from_secs(60 * 60);

    /// No more permits, successes or failures in a row: what is counted fits a word.
    pub const MOST: u32 = 1_000;

    /// No more results in a count window: so a breaker takes no more than a kibibyte. Of more, a time window keeps count.
    pub const MOST_IN_COUNT_WINDOW: u32 = 500;

    /// A breaker with the default rules: it opens after ten failures in a row, or when half of the last hundred results are
    /// failures and there are twenty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The settings, each with its default.
    pub fn builder() -> BreakerBuilder {
        BreakerBuilder::new()
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::builder().build().expect("the defaults are in their ranges")
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Breaker<C, O> {
    /// Asks to make a call. Keep the permit while it is in flight, and say how it ended.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when it is not to be made; it says when to come back.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<&Self>, Rejected> {
        Permit::like(&self, None)
    }

    /// [`try_acquire`](Self::try_acquire) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_acquire_at(&self, now: Instant) -> Result<Permit<&Self>, Rejected> {
        Permit::like(&self, Some(now))
    }

    /// [`try_acquire`](Self::try_acquire) with a permit that holds a handle of its own, to be moved anywhere.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_acquire_owned(&self) -> Result<Permit<Self>, Rejected> {
        Permit::like(self, None)
    }

    /// [`try_acquire_owned`](Self::try_acquire_owned) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_acquire_owned_at(&self, now: Instant) -> Result<Permit<Self>, Rejected> {
        Permit::like(self, Some(now))
    }

    /// Whether it is of use to ask now. No slot is taken, nothing changes but what time has changed already, and the observer
    /// hears of no rejection: for whoever chooses among several services before calling one.
    ///
    /// `Ok` while it is closed, for which the clock is not read, and when a probe would be admitted. It is a look and no
    /// promise: another caller may be first, and while it is ramping it may reject all the same.
    ///
    /// ```
    /// use evenkeel_breaker::Breaker;
    /// use std::time::Duration;
    ///
    /// let breakers = [(); 2].map(|()| {
    ///     let breaker = Breaker::builder().consecutive_failures(1).open_for([Duration::from_secs(20)]);
    ///     breaker.build().expect("settings in their ranges")
    /// });
    /// let first_well = || breakers.iter().position(|breaker| breaker.check().is_ok());
    /// assert_eq!(first_well(), Some(0));
    ///
    /// breakers[0].try_acquire()?.failure();
    /// assert_eq!(first_well(), Some(1));
    /// assert!(breakers[0].check().unwrap_err().retry_after().is_some(), "it says when to come back");
    /// # Ok::<(), evenkeel_breaker::Rejected>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What [`try_acquire`](Self::try_acquire) would answer, when it would reject.
    pub fn check(&self) -> Result<(), Rejected> {
        self.shared.look(None)
    }

    /// [`check`](Self::check) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check_at(&self, now: Instant) -> Result<(), Rejected> {
        self.shared.look(Some(now))
    }

    /// Awaits `future` if the breaker lets it through. `Ok` is a success, `Err` a failure.
    #[inline(always)] // The future is made in place.
    pub fn call<F>(&self, future: F) -> Call<F, ErrIsFailure, Self> {
        Call::new(self.clone(), future, ErrIsFailure)
    }

    /// Awaits `future` if the breaker lets it through, and judges its result with `classify`: a function
    /// `|result: &Result<T, E>| …` to a [`Verdict`](crate::Verdict), or a type that implements [`Classify`].
    #[inline(always)]
    pub fn call_with<K, F, T, E>(&self, classify: K, future: F) -> Call<F, K, Self>
    where
        F: Future<Output = Result<T, E>>,
        K: Classify<Result<T, E>>,
    {
        Call::new(self.clone(), future, classify)
    }

    /// What it does with calls now. It changes nothing but what time has changed already.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.state(None)
    }

    /// [`state`](Self::state) at `now`.
    #[must_use]
    pub fn state_at(&self, now: Instant) -> State {
        self.shared.state(Some(now))
    }

    /// When time alone lets a call through: now, if it would at once. `None` when it is forced open.
    #[must_use]
    pub fn ready_at(&self) -> Option<Instant> {
        self.shared.ready_at()
    }

    /// What it is like now: for a health page, or gauges that a scrape reads.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot(None)
    }

    /// [`snapshot`](Self::snapshot) at `now`.
    #[must_use]
    pub fn snapshot_at(&self, now: Instant) -> Snapshot {
        self.shared.snapshot(Some(now))
    }

    /// Its transitions from now on.
    #[must_use]
    pub fn transitions(&self) -> Transitions<C, O> {
        Transitions::new(self.clone())
    }

    /// Rejects all calls from now on, until [`reset`](Self::reset) or [`force_closed`](Self::force_closed).
    pub fn force_open(&self) {
        self.shared.force_open(None);
    }

    /// [`force_open`](Self::force_open) at `now`.
    pub fn force_open_at(&self, now: Instant) {
        self.shared.force_open(Some(now));
    }

    /// Admits all calls from now on and counts none, until [`reset`](Self::reset) or [`force_open`](Self::force_open).
    pub fn force_closed(&self) {
        self.shared.force_closed(None);
    }

    /// [`force_closed`](Self::force_closed) at `now`.
    pub fn force_closed_at(&self, now: Instant) {
        self.shared.force_closed(Some(now));
    }

    /// Closes it, as it was when it was built: nothing counted, no ramp, the open times from the first.
    pub fn reset(&self) {
        self.shared.reset(None);
    }

    /// [`reset`](Self::reset) at `now`.
    pub fn reset_at(&self, now: Instant) {
        self.shared.reset(Some(now));
    }

    /// Its observer.
    #[must_use]
    pub fn observer(&self) -> &O {
        self.shared.observer()
    }

    #[inline(always)]
    pub(crate) fn shared(&self) -> &Shared<C, O> {
        &self.shared
    }
}

impl<C, O> Breaker<C, O> {
    /// See `Shared::detach`.
    pub(crate) fn detach(&self) {
        self.shared.detach();
    }
}

impl<C, O> Clone for Breaker<C, O> {
    #[inline(always)]
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C, O> fmt::Debug for Breaker<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("state", &self.shared.shown()).finish_non_exhaustive()
    }
}
