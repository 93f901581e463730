//! The retry policy: what it is made of, and how it is told otherwise.

use std::{fmt, num::NonZeroU32, time::Duration, time::Instant};

#[cfg(doc)]
use evenkeel_budget::Classify;
use evenkeel_budget::{ErrIsTransient, Unbudgeted, Verdict};

mod attempt;
mod blocking;
mod observe;
mod pause;
mod policy;
mod run;
mod session;
mod timeout;

#[cfg(feature = "tower")]
pub(crate) use self::{
    attempt::{Attempt, Settled},
    pause::Pause,
    session::{Of, Session},
};
pub use observe::{Observer, Stop};
pub use policy::{Policy, PolicyFor};
pub use run::Run;
pub use timeout::{AttemptTimeout, NoTimeout};

/// How one operation is tried again: a policy value, made once and used for every request.
///
/// [`run`](Self::run) is its combinator for futures, [`run_blocking`](Self::run_blocking) the one for threads, and
/// `layer` (feature `tower`) makes it a tower layer.
///
/// After each failure it asks, in this order, and the first "no" ends the request with the result as it was: the
/// classifier, the server's hint, the limit on attempts, the deadline, the schedule, the budget. So nothing is charged or
/// slept for a retry that will not be sent; and the failed response is dropped before the sleep.
///
/// ```
/// use evenkeel_backoff::{Exponential, Retry};
/// use std::{io, time::Duration};
///
/// let retry = Retry::new(Exponential::new(Duration::from_millis(10)).take(3), tokio::time::sleep);
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let answer = retry.run(|attempt| async move { if attempt < 2 { Err(io::ErrorKind::TimedOut) } else { Ok("done") } });
/// assert_eq!(answer.await, Ok("done"));
///
/// let refused = retry.run(|attempt| async move { Err::<(), _>(attempt) });
/// assert_eq!(refused.await, Err(3), "the last result comes back as it was");
/// # });
/// ```
///
/// The type parameters are its parts: schedule, sleeper, classifier, budget, observer, clock, attempt timeout. Each but
/// the first two has a default, and code that is given a policy can ask for a
/// [`PolicyFor<R, E>`](PolicyFor) instead.
#[derive(Clone, Copy)]
#[must_use = "a policy does nothing until something is run with it"]
pub struct Retry<S, W, C = ErrIsTransient, B = Unbudgeted, O = (), K = fn() -> Instant, T = NoTimeout> {
    pub(crate) schedule: S,
    pub(crate) sleep: W,
    pub(crate) classify: C,
    pub(crate) budget: B,
    pub(crate) observer: O,
    pub(crate) clock: K,
    pub(crate) timeout: T,
    pub(crate) limits: Limits,
}

/// The limits that a policy sets beside its schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_attempts: Option<NonZeroU32>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_server_delay: Duration,
}

/// The attempts, the first included, that a schedule without end gets where neither
/// [`max_attempts`](Retry::max_attempts) nor a [`deadline`](Retry::deadline) limits it. Three, as the standard mode of
/// the AWS SDKs has it: most of what passes at all passes at the second or third.
pub const DEFAULT_MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).unwrap();

/// The longest delay that a server may ask for: a minute, for a caller who waits longer has mostly gone, and can better
/// decide itself with the response in hand.
pub const DEFAULT_MAX_SERVER_DELAY: Duration = Duration::from_secs(60);

impl<S, W> Retry<S, W> {
    /// Waits by `schedule` between attempts, each wait a call of `sleep`.
    ///
    /// A schedule is anything that iterates over `Duration`s and can be cloned: one of this crate's, an array. How many
    /// delays it has is how many retries there can be; one that does not say that it ends (the upper bound of its
    /// `size_hint` is `None`, as of `std::iter::repeat` and `successors`) stops at [`DEFAULT_MAX_ATTEMPTS`], unless there are
    /// [`max_attempts`](Self::max_attempts) or a [`deadline`](Self::deadline).
    ///
    /// It is cloned and begun (`into_iter`) once a request, with the first failure; in a layer no later than that: before the
    /// first attempt if the request may be repeated, to know whether it is worth a copy. So a schedule that measures time
    /// itself measures from there, and not from when the request began: a limit of time is a [`deadline`](Self::deadline).
    ///
    /// The sleeper is your runtime's: `tokio::time::sleep`, `async_io::Timer::after`, `futures_timer::Delay::new`, and
    /// for [`run_blocking`](Self::run_blocking) `std::thread::sleep`.
    pub const fn new(schedule: S, sleep: W) -> Self {
        // The one place where the system's clock is named: as the default of a clock parameter.
        #[allow(clippy::disallowed_methods)]
        let clock: fn() -> Instant = Instant::now;
        Self {
            schedule,
            sleep,
            classify: ErrIsTransient,
            budget: Unbudgeted,
            observer: (),
            clock,
            timeout: NoTimeout,
            limits: Limits { max_attempts: None, deadline: None, max_server_delay: DEFAULT_MAX_SERVER_DELAY },
        }
    }
}

impl<S, W, C, B, O, K, T> Retry<S, W, C, B, O, K, T> {
    /// Judges each result with `classify`. The default takes `Ok` for a success and every `Err` for transient, which is
    /// wrong for a client that answers `Ok(503)`; feature `http` has the one for HTTP. For a type of your own that implements
    /// [`Classify`] there is [`classify`](Self::classify).
    ///
    /// ```
    /// use evenkeel_backoff::{Retry, Verdict};
    /// use std::time::Duration;
    ///
    /// let retry = Retry::new([Duration::ZERO; 2], std::thread::sleep).when(|result: &Result<u16, &str>| match result {
    ///     Ok(429) => Verdict::throttled(),
    ///     Ok(500..) | Err(_) => Verdict::transient(),
    ///     Ok(400..) => Verdict::permanent(),
    ///     Ok(_) => Verdict::success(),
    /// });
    /// assert_eq!(retry.run_blocking(|attempt| Ok(if attempt == 0 { 503 } else { 200 })), Ok(200));
    /// ```
    pub fn when<R, V, F>(self, classify: F) -> Retry<S, W, F, B, O, K, T>
    where
        F: Fn(&Result<R, V>) -> Verdict,
    {
        self.classify(classify)
    }

    /// Judges each result with a type that implements [`Classify`], as [`when`](Self::when) does with a function: one
    /// that can be named, in a struct's field say, and that judges results of any type if it is written so.
    ///
    /// Where errors are boxed (tower's `BoxError`) and a layer's response is awaited in a spawned task, rustc asks for a
    /// classifier of boxes of *every* lifetime, and says that its implementation is "not general enough". Box the finished
    /// stack (`BoxCloneSyncService`) and spawn that.
    ///
    /// ```
    /// use evenkeel_backoff::{Classify, Retry, Verdict};
    /// use std::time::Duration;
    ///
    /// struct NeverAgain;
    ///
    /// impl<T, E> Classify<Result<T, E>> for NeverAgain {
    ///     fn classify(&self, result: &Result<T, E>) -> Verdict {
    ///         if result.is_ok() { Verdict::success() } else { Verdict::permanent() }
    ///     }
    /// }
    ///
    /// let retry = Retry::new([Duration::ZERO; 9], std::thread::sleep).classify(NeverAgain);
    /// assert_eq!(retry.run_blocking(Err::<(), _>), Err(0));
    /// ```
    pub fn classify<F>(self, classify: F) -> Retry<S, W, F, B, O, K, T> {
        let Self { schedule, sleep, classify: _, budget, observer, clock, timeout, limits } = self;
        Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits }
    }

    /// Pays for every retry from `budget`, which all who call the same service should share: give each policy a clone.
    /// Without one, `run` is bounded by its schedule alone, and a layer makes itself a
    /// [`TokenBudget`](evenkeel_budget::TokenBudget). [`Unlimited`](evenkeel_budget::Unlimited) says that none is meant.
    pub fn budget<B2>(self, budget: B2) -> Retry<S, W, C, B2, O, K, T> {
        let Self { schedule, sleep, classify, budget: _, observer, clock, timeout, limits } = self;
        Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits }
    }

    /// Tells `observer` what happens, and what does not and why.
    pub fn observe<O2>(self, observer: O2) -> Retry<S, W, C, B, O2, K, T> {
        let Self { schedule, sleep, classify, budget, observer: _, clock, timeout, limits } = self;
        Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits }
    }

    /// Asks `clock` for the time; read only where a deadline is set. Under tokio's paused clock:
    /// `|| tokio::time::Instant::now().into_std()`. One that runs backwards or stands still lengthens the deadline, for ever
    /// if need be: in a test with paused time give the policy that clock, or a limit on attempts as well.
    pub fn clock<K2: Fn() -> Instant>(self, clock: K2) -> Retry<S, W, C, B, O, K2, T> {
        let Self { schedule, sleep, classify, budget, observer, clock: _, timeout, limits } = self;
        Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits }
    }

    /// Gives each attempt no more than `limit`, or what is left of the [`deadline`](Self::deadline) where that is less. An
    /// attempt that takes longer is dropped, and its result is `Err(make_error())`, which the classifier judges like any
    /// other. In a layer, the wait until the service is ready for a retry has the same limit, for itself; one that passes it
    /// ends the request with `make_error()`, as [`Stop::NotReady`].
    ///
    /// The timer is armed when an attempt is first found pending: one that is ready at once costs none.
    pub fn attempt_timeout<M>(self, limit: Duration, make_error: M) -> Retry<S, W, C, B, O, K, AttemptTimeout<M>> {
        self.timeout(AttemptTimeout::new(Some(limit), make_error))
    }

    pub(crate) fn timeout<T2>(self, timeout: T2) -> Retry<S, W, C, B, O, K, T2> {
        let Self { schedule, sleep, classify, budget, observer, clock, timeout: _, limits } = self;
        Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits }
    }

    /// Waits for no retry that could begin only when `total` has passed since the first attempt.
    ///
    /// With an [`attempt_timeout`](Self::attempt_timeout) the request as a whole ends by then. Without one there is no error
    /// to end it with: an attempt that has begun is left to end by itself, and a retry is sent even if its sleep, or in a
    /// layer the wait until the service is ready, takes longer than it was to.
    pub const fn deadline(mut self, total: Duration) -> Self {
        self.limits.deadline = Some(total);
        self
    }

    /// Sends at most this many attempts, the first included, however long the schedule is.
    pub const fn max_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.limits.max_attempts = Some(attempts);
        self
    }

    /// Returns the response at once when the server asks for a longer delay than `max`: by default
    /// [`DEFAULT_MAX_SERVER_DELAY`]. `Duration::ZERO` does so for every delay that it asks for.
    pub const fn max_server_delay(mut self, max: Duration) -> Self {
        self.limits.max_server_delay = max;
        self
    }
}

impl<S, W, C, B, O, K, T> fmt::Debug for Retry<S, W, C, B, O, K, T>
where
    S: fmt::Debug,
    B: fmt::Debug,
    T: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("schedule", &self.schedule)
            .field("budget", &self.budget)
            .field("timeout", &self.timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
