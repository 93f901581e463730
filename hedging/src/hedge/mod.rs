//! The hedging policy: what it is made of, and how it is told otherwise.

use std::{fmt, num::NonZeroU32, time::Duration};

#[cfg(doc)]
use evenkeel_budget::Classify;
use evenkeel_budget::{ErrIsTransient, Unbudgeted, Verdict};

mod flights;
mod kept;
mod launch;
mod policy;
mod race;
mod run;
mod session;

#[cfg(feature = "tower")]
pub(crate) use self::{
    launch::{Failed, Launch, Sent},
    race::Race,
    session::Terms,
};
pub use kept::AllFailed;
pub use policy::{Policy, PolicyFor};
pub use run::Run;

use crate::{Every, OnFailure};

/// How one operation is asked again while it has not answered: a policy value, made once and used for every request.
///
/// [`run`](Self::run) is its combinator, `layer` (feature `tower`) makes it a layer that asks clones of one service, and
/// `Alternates` one that asks several different services.
///
/// - The first attempt is sent at once, and one more each time that a delay has passed and none has succeeded.
/// - A success or a permanent failure is the answer, and ends the others: they are dropped, not awaited.
/// - A transient failure is not, as long as another attempt is in flight or may be sent: it starts the next one at once, and
///   the delays go on from there. A server's hint says exactly when instead, or that there is to be none.
/// - Every further attempt is paid for from the budget when it is due. Where that refuses, those in flight go on.
/// - When all have failed, [`AllFailed`] says whose result is the answer.
///
/// Source: gRFC A6, "Hedging policy".
///
/// ```
/// use evenkeel_hedging::Hedge;
/// use std::time::Duration;
/// use tokio::time::sleep;
///
/// let hedge = Hedge::new([Duration::from_millis(10), Duration::from_millis(10)], sleep);
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let answer = hedge.run(|attempt| async move {
///     sleep(Duration::from_millis(if attempt == 0 { 500 } else { 5 })).await; // the first one is late
///     if attempt == 3 { Err("none is sent") } else { Ok(attempt) }
/// });
/// assert_eq!(answer.await, Ok(1));
///
/// let refused = hedge.run(|attempt| async move { Err::<(), _>(attempt) });
/// assert_eq!(refused.await, Err(2), "three have failed, and this was the last");
/// # });
/// ```
///
/// The type parameters are its parts: delays, sleeper, classifier, budget, observer. Code that is given a policy can ask
/// for a [`PolicyFor<R, E>`](PolicyFor) instead.
#[derive(Clone, Copy)]
#[must_use = "a policy does nothing until something is run with it"]
pub struct Hedge<D, W, C = ErrIsTransient, B = Unbudgeted, O = ()> {
    pub(crate) delays: D,
    pub(crate) sleep: W,
    pub(crate) classify: C,
    pub(crate) budget: B,
    pub(crate) observer: O,
    pub(crate) limits: Limits,
}

/// The limits that a policy sets beside its delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(unreachable_pub, unnameable_types)] // that it cannot be named is the seal of `Policy`
pub struct Limits {
    pub(crate) max_attempts: Option<NonZeroU32>,
    pub(crate) max_server_delay: Duration,
    pub(crate) all_failed: AllFailed,
    /// Each attempt asks someone else.
    pub(crate) elsewhere: bool,
    pub(crate) charge_failures: Option<bool>,
}

/// The attempts, the first included, where the delays have no end and [`max_attempts`](Hedge::max_attempts) is not set. Two:
/// a second request cuts most of the tail (Dean and Barroso, *The Tail at Scale*, 2013), and a third hardly more.
pub const DEFAULT_MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// The longest delay that a server may ask for: a minute, for a caller who waits longer has mostly gone, and can better
/// decide itself with the response in hand.
pub const DEFAULT_MAX_SERVER_DELAY: Duration = Duration::from_secs(60);

impl<D, W> Hedge<D, W> {
    /// Sends further attempts by `delays`, each wait a call of `sleep`.
    ///
    /// Delays are a schedule, whose length is how many further attempts there can be; or [`Every`], [`OnFailure`],
    /// [`AtOnce`](crate::AtOnce), a [`Quantile`](crate::Quantile) and other schedules without end (the upper bound of their
    /// `size_hint` is `None`), which stop at [`DEFAULT_MAX_ATTEMPTS`] unless there are [`max_attempts`](Self::max_attempts).
    ///
    /// The sleeper is your runtime's: `tokio::time::sleep`, `async_io::Timer::after`, `futures_timer::Delay::new`. It is
    /// called when an attempt is found pending, and not for a delay of zero.
    pub const fn new(delays: D, sleep: W) -> Self {
        let limits = Limits {
            max_attempts: None,
            max_server_delay: DEFAULT_MAX_SERVER_DELAY,
            all_failed: AllFailed::Best,
            elsewhere: false,
            charge_failures: None,
        };
        Self { delays, sleep, classify: ErrIsTransient, budget: Unbudgeted, observer: (), limits }
    }
}

impl<W> Hedge<Every, W> {
    /// Sends one further attempt, `delay` after the first: `Hedge::new(Every(delay), sleep)`.
    pub const fn after(delay: Duration, sleep: W) -> Self {
        Self::new(Every(delay), sleep)
    }
}

impl<W> Hedge<OnFailure, W> {
    /// Sends the next attempt when one has failed, and none by time: `Hedge::new(OnFailure, sleep)`. The sleeper is for a
    /// server's hints.
    pub const fn on_failure(sleep: W) -> Self {
        Self::new(OnFailure, sleep)
    }
}

impl<D, W, C, B, O> Hedge<D, W, C, B, O> {
    /// Judges each result with `classify`. The default takes `Ok` for a success and every `Err` for transient, which is
    /// wrong for a client that answers `Ok(503)`: that answer would win. For HTTP there is `evenkeel_backoff::http`; for a
    /// type of your own that implements [`Classify`], [`classify`](Self::classify).
    ///
    /// ```
    /// use evenkeel_hedging::{AtOnce, Hedge, Verdict};
    ///
    /// let hedge = Hedge::new(AtOnce, tokio::time::sleep).when(|result: &Result<u16, &str>| match result {
    ///     Ok(429) => Verdict::throttled(),
    ///     Ok(500..) | Err(_) => Verdict::transient(),
    ///     Ok(400..) => Verdict::permanent(),
    ///     Ok(_) => Verdict::success(),
    /// });
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(hedge.run(|attempt| async move { Ok(if attempt == 0 { 503 } else { 200 }) }).await, Ok(200));
    /// # });
    /// ```
    pub fn when<R, V, F>(self, classify: F) -> Hedge<D, W, F, B, O>
    where
        F: Fn(&Result<R, V>) -> Verdict,
    {
        self.classify(classify)
    }

    /// Judges each result with a type that implements [`Classify`], as [`when`](Self::when) does with a function: one that can
    /// be named, in a struct's field say, and that judges results of any type if it is written so.
    ///
    /// Where errors are boxed (tower's `BoxError`) and a layer's response is awaited in a spawned task, rustc asks for a
    /// classifier of boxes of *every* lifetime, and says that its implementation is "not general enough". Box the finished stack
    /// (`BoxCloneSyncService`) and spawn that; the book's chapter has an example.
    pub fn classify<F>(self, classify: F) -> Hedge<D, W, F, B, O> {
        let Self { delays, sleep, classify: _, budget, observer, limits } = self;
        Hedge { delays, sleep, classify, budget, observer, limits }
    }

    /// Pays for every further attempt from `budget`: what keeps a brown-out, in which all first attempts are late, from
    /// doubling the load. (The gRPC form of a `TokenBudget` counts failures, and there are none in a brown-out: it limits hedges
    /// only when the service fails.) All who call the same service should share it, its retries included: give each policy a
    /// clone. Without one, `run` is bounded by its delays alone, and a layer makes itself a
    /// [`TokenBudget`](evenkeel_budget::TokenBudget). [`Unlimited`](evenkeel_budget::Unlimited) says that none is meant.
    pub fn budget<B2>(self, budget: B2) -> Hedge<D, W, C, B2, O> {
        let Self { delays, sleep, classify, budget: _, observer, limits } = self;
        Hedge { delays, sleep, classify, budget, observer, limits }
    }

    /// Tells `observer` what happens, and what does not and why.
    pub fn observe<O2>(self, observer: O2) -> Hedge<D, W, C, B, O2> {
        let Self { delays, sleep, classify, budget, observer: _, limits } = self;
        Hedge { delays, sleep, classify, budget, observer, limits }
    }

    /// Sends at most this many attempts, the first included, however many delays there are.
    pub const fn max_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.limits.max_attempts = Some(attempts);
        self
    }

    /// Sends no further attempt when the server asks for a longer delay than `max`, by default
    /// [`DEFAULT_MAX_SERVER_DELAY`]: as if it had asked not to be asked again.
    pub const fn max_server_delay(mut self, max: Duration) -> Self {
        self.limits.max_server_delay = max;
        self
    }

    /// Says whose result is the answer when all attempts have failed.
    pub const fn all_failed(mut self, answer: AllFailed) -> Self {
        self.limits.all_failed = answer;
        self
    }

    /// Says that each attempt asks someone else than those before it: another provider, another region. `Alternates` says so
    /// by itself; with [`run`](Self::run) the operation chooses by the attempt's number.
    ///
    /// Then a server's hint is of no concern to who is asked next, who is asked at once; and an attempt that follows a
    /// failure is not paid for, since nobody gets more than one for each request: an outage of the first provider would empty
    /// the budget, and nobody would ask the second. Hedges are paid for as ever, as they multiply the load of all together.
    ///
    /// ```
    /// use evenkeel_hedging::{Hedge, Verdict};
    /// use std::time::Duration;
    ///
    /// let providers = ["primary", "secondary"];
    /// let hedge = Hedge::on_failure(tokio::time::sleep)
    ///     .when(|result: &Result<&str, Duration>| match result {
    ///         Ok(_) => Verdict::success(),
    ///         Err(retry_after) => Verdict::throttled().not_before(*retry_after),
    ///     })
    ///     .elsewhere();
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let answer = hedge.run(|attempt| async move {
    ///     if attempt == 0 { Err(Duration::from_secs(30)) } else { Ok(providers[1]) }
    /// });
    /// assert_eq!(answer.await, Ok("secondary"), "at once: it was not the one who asked for 30 s");
    /// # });
    /// ```
    pub const fn elsewhere(mut self) -> Self {
        self.limits.elsewhere = true;
        self
    }

    /// Whether attempts that follow a failure are paid for from the budget, as hedges are. By default they are, unless they go
    /// [`elsewhere`](Self::elsewhere).
    pub const fn charge_failures(mut self, charge: bool) -> Self {
        self.limits.charge_failures = Some(charge);
        self
    }

    /// The delays, such as the [`Quantile`](crate::Quantile) that they are from.
    pub const fn delays(&self) -> &D {
        &self.delays
    }
}

impl<D: fmt::Debug, W, C, B: fmt::Debug, O> fmt::Debug for Hedge<D, W, C, B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedge")
            .field("delays", &self.delays)
            .field("budget", &self.budget)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
