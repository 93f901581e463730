//! The adaptive throttle: not to send what would be refused anyway.

mod admission;
mod builder;
mod call;
mod chance;
mod error;
mod handle;
mod ledger;
mod observe;
mod priority;
mod rule;

use std::{
    fmt,
    future::Future,
    time::{Duration, Instant},
};

pub use admission::Admission;
pub use builder::ThrottleBuilder;
pub use call::Call;
pub use error::{Rejected, ThrottleError};
pub use handle::ThrottleHandle;
pub use observe::ThrottleObserver;
pub use priority::Priority;

use crate::{
    ErrIsTransient,
    sync::Arc,
    unwinding::in_a_drop,
    window::{Moment, Ticks},
};
use chance::Chance;
use ledger::Ledger;
use rule::Rule;

/// Rejects requests before they are sent, the more of them the fewer the service accepts.
///
/// Over a window, 2 minutes by default, it counts the requests and those of them that the service accepted, and rejects
/// the next one with probability
///
/// ```text
/// max(0, (requests − k · accepts) / (requests + 1))
/// ```
///
/// Requests that it rejected count as well. So the service sees at most about `k` times what it accepts, twice by default,
/// however much more is offered; and rejecting costs it nothing, where refusing costs it something. While the service
/// accepts one of `k` requests, nothing is rejected. There is no state that it could be stuck in: one success lets more
/// through, and those let more through.
///
/// A request counts when it has ended, or is rejected: one that is still in flight says nothing about the service. So a
/// client that begins with a thousand requests at once sends them all, and a service that accepts everything is never
/// throttled, however slow it is.
///
/// # When to use it, and when not
///
/// It suits a client with much traffic to one service that is sometimes overloaded. It judges all requests, not only extra
/// ones: put it *inside* of a retry, so that it sees every attempt, beside a [`Budget`](crate::Budget) that limits those. A
/// circuit breaker rejects everything or nothing, and says when to come back; this rejects a share, which suits a service
/// that can do some of the work. A client with a few requests a window learns too little from them: one that failed is
/// reason to reject half of the next.
///
/// # Priorities
///
/// A [`Priority`] decides who is rejected, not how many are: what is to be rejected is filled up from the sheddable requests,
/// then the normal ones, then the critical ones.
///
/// # How fast it recovers
///
/// After an outage of a whole window about one request in a window is sent, to see; from then on what is sent grows
/// exponentially. With the defaults and 100 requests a second that takes 12 minutes on average. A `max_rejection` of 0.99
/// keeps sending one in a hundred, and is back after 6; with 0.9, which an overloaded service feels, it is 4. All of it is
/// in proportion to the window.
///
/// # Time
///
/// The window has twenty ticks; a request counts for the window or up to a tick less. Time does not go back: an instant that
/// is earlier than the latest one recorded is taken for that.
///
/// Cloning is one reference count; every clone is the same throttle. There is no lock, and no allocation after it is built.
///
/// Source: the Google SRE book, [*Handling Overload*](https://sre.google/sre-book/handling-overload/), *Client-Side
/// Throttling*. Envoy's admission control has the maximal probability, and counts requests when they end, as this does.
///
/// ```
/// use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority};
///
/// let throttle = AdaptiveThrottle::builder().seed(1).build()?;
///
/// // The service is well.
/// for _ in 0..100 {
///     throttle.try_acquire(Priority::Normal)?.record(Outcome::Success);
/// }
/// // It is not, and soon it is sent only some of the requests.
/// let sent = (0..1_000)
///     .filter_map(|_| throttle.try_acquire(Priority::Normal).ok())
///     .map(|admission| admission.record(Outcome::Transient))
///     .count();
/// assert!(sent < 450, "{sent} of a thousand");
///
/// let refused = loop {
///     if let Err(refused) = throttle.try_acquire(Priority::Normal) {
///         break refused;
///     }
/// };
/// assert!(refused.probability() > 0.8);
/// assert!(throttle.try_acquire(Priority::Critical).is_ok(), "there are enough of the others to reject");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AdaptiveThrottle<C = fn() -> Instant, O = ()> {
    shared: Arc<Shared<C, O>>,
}

struct Shared<C, O> {
    ledger: Ledger,
    chance: Chance,
    ticks: Ticks,
    rule: Rule,
    window: Duration,
    clock: C,
    observer: O,
}

/// What an [`AdaptiveThrottle`] has counted, and what follows from it, at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ThrottleSnapshot {
    /// Requests in the window that have ended or were rejected.
    pub requests: u64,
    /// Those that the service accepted.
    pub accepts: u64,
    /// The probability with which the next request is rejected, over all priorities: from 0 to `max_rejection`.
    pub rejection_probability: f64,
    by_priority: [f64; 3],
}

impl ThrottleSnapshot {
    /// The probability with which the next request is rejected if it is of that `priority`.
    #[must_use]
    pub const fn rejection_probability_of(&self, priority: Priority) -> f64 {
        self.by_priority[priority.index()]
    }
}

impl AdaptiveThrottle {
    /// The book's: half of what the service is sent may be wasted on it, so that it is soon noticed when it is well again.
    pub const DEFAULT_K: f64 = 2.0;

    /// The book's: longer than a hiccup, so that only what lasts leads to rejections.
    pub const DEFAULT_WINDOW: Duration = Duration::from_secs(2 * 60);

    /// The book's: as near to everything as one request in the window, for what is refused costs the service as well.
    pub const DEFAULT_MAX_REJECTION: f64 = 1.0;

    /// No shorter: with twenty ticks it would be too fine for the clocks of some systems.
    pub const SHORTEST_WINDOW: Duration = Duration::from_secs(1);

    /// No longer: to recover takes several windows.
    pub const LONGEST_WINDOW: Duration = Duration::from_secs(10 * 60);

    /// The settings, each with its default.
    pub const fn builder() -> ThrottleBuilder {
        ThrottleBuilder::new()
    }
}

impl<C: Fn() -> Instant, O: ThrottleObserver> AdaptiveThrottle<C, O> {
    fn of(builder: ThrottleBuilder<C, O>, rule: Rule) -> Self {
        let ThrottleBuilder { k: _, window, max_rejection: _, seed, clock, observer } = builder;
        let ticks = Ticks::new(clock(), window);
        let (ledger, chance) = (Ledger::new(), Chance::new(seed));
        Self { shared: Arc::new(Shared { ledger, chance, ticks, rule, window, clock, observer }) }
    }

    /// Asks to send one request. Keep the admission while it is in flight, and [`record`](Admission::record) how it ended.
    ///
    /// The admission borrows this handle, which costs nothing; [`try_acquire_owned`](Self::try_acquire_owned) gives it one of
    /// its own.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when it is not to be sent; it counts as a request.
    #[inline]
    pub fn try_acquire(&self, priority: Priority) -> Result<Admission<&Self>, Rejected> {
        Admission::ask(&self, priority)
    }

    /// [`try_acquire`](Self::try_acquire) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_acquire_at(&self, priority: Priority, now: Instant) -> Result<Admission<&Self>, Rejected> {
        Admission::ask_at(&self, priority, now)
    }

    /// [`try_acquire`](Self::try_acquire) with an admission that holds a handle of its own, to be kept wherever: in a task, say.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_acquire_owned(&self, priority: Priority) -> Result<Admission<Self>, Rejected> {
        Admission::ask(self, priority)
    }

    /// [`try_acquire_owned`](Self::try_acquire_owned) at `now`.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_acquire_owned_at(&self, priority: Priority, now: Instant) -> Result<Admission<Self>, Rejected> {
        Admission::ask_at(self, priority, now)
    }

    /// Awaits `future` if the throttle lets it through.
    ///
    /// It is asked at the first poll, as for a [`Normal`](Priority::Normal) request, and an `Err` is taken for a failure of
    /// the service: [`priority`](Call::priority) and [`when`](Call::when) change that.
    ///
    /// ```
    /// use evenkeel_budget::{AdaptiveThrottle, Priority, ThrottleError, Verdict};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let throttle = AdaptiveThrottle::default();
    /// let fetch = async |status: u16| Ok::<_, std::io::Error>(status);
    /// let judge = |result: &std::io::Result<u16>| match result {
    ///     Ok(500..) | Err(_) => Verdict::transient(),
    ///     Ok(_) => Verdict::success(),
    /// };
    ///
    /// let status = throttle.call(fetch(200)).priority(Priority::Critical).when(judge).await;
    /// assert_eq!(status.unwrap(), 200);
    ///
    /// while throttle.call(fetch(503)).when(judge).await.is_ok() {}
    /// let sheddable = throttle.call(fetch(200)).priority(Priority::Sheddable).await;
    /// assert!(matches!(sheddable, Err(ThrottleError::Rejected(_))), "before any other is");
    /// # });
    /// ```
    pub fn call<F, T, E>(&self, future: F) -> Call<F, ErrIsTransient, Self>
    where
        F: Future<Output = Result<T, E>>,
    {
        Call::new(self.clone(), future)
    }

    /// What it has counted until now.
    #[must_use]
    pub fn snapshot(&self) -> ThrottleSnapshot {
        self.snapshot_at(self.now())
    }

    /// What it has counted until `now`, or until the latest moment recorded if that is later.
    #[must_use]
    pub fn snapshot_at(&self, now: Instant) -> ThrottleSnapshot {
        let Shared { ledger, ticks, rule, .. } = &*self.shared;
        let counts = ledger.counts(ticks.at(now));
        ThrottleSnapshot {
            requests: counts.requests(),
            accepts: counts.accepts(),
            rejection_probability: rule.aggregate(&counts),
            by_priority: Priority::ALL.map(|priority| rule.next(&counts, priority)),
        }
    }

    /// Asks, and counts what is rejected; what is not is to be admitted. The probability with which it might have been
    /// rejected.
    #[inline]
    fn judge(&self, priority: Priority, now: Instant) -> Result<f64, Rejected> {
        let Shared { ledger, ticks, .. } = &*self.shared;
        let at = ticks.at(now);
        ledger.advance(at);
        // Of accepts alone there are never more than k allows.
        if ledger.has_only_accepts(at) { Ok(0.0) } else { self.weigh(priority, at) }
    }

    /// [`judge`](Self::judge)s by all counts. Out of line: while the service is well nobody comes here.
    #[inline(never)]
    fn weigh(&self, priority: Priority, at: Moment) -> Result<f64, Rejected> {
        let Shared { ledger, chance, rule, observer, .. } = &*self.shared;
        let probability = rule.next(&ledger.counts(at), priority);
        if !chance.hits(probability) {
            return Ok(probability);
        }
        ledger.count(priority, false);
        observer.on_reject(priority, probability);
        Err(Rejected::new(probability))
    }

    #[inline]
    fn now(&self) -> Instant {
        (self.shared.clock)()
    }

    /// A request that was admitted has ended: told in a drop.
    #[inline]
    fn settle(&self, priority: Priority, accepted: bool) {
        self.shared.ledger.count(priority, accepted);
        in_a_drop(|| self.shared.observer.on_outcome(accepted));
    }
}

impl<C, O> AdaptiveThrottle<C, O> {
    /// How many requests are sent for each one that is accepted.
    #[must_use]
    pub fn k(&self) -> f64 {
        self.shared.rule.k
    }

    /// How long a request counts.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.shared.window
    }

    /// What the probability to reject is never above.
    #[must_use]
    pub fn max_rejection(&self) -> f64 {
        self.shared.rule.max_rejection
    }
}

/// The settings of [`AdaptiveThrottle::builder`].
impl Default for AdaptiveThrottle {
    fn default() -> Self {
        Self::builder().build().expect("the defaults are in their ranges")
    }
}

impl<C, O> Clone for AdaptiveThrottle<C, O> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C, O> fmt::Debug for AdaptiveThrottle<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveThrottle")
            .field("k", &self.k())
            .field("window", &self.window())
            .field("max_rejection", &self.max_rejection())
            .finish_non_exhaustive()
    }
}
