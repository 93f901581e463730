//! Several services that can answer the same request.

mod available;
mod future;
mod services;
mod several;

use std::{
    fmt,
    future::Pending,
    mem,
    task::{Context, Poll, ready},
    time::Duration,
};

use evenkeel_budget::{Always, Budget, ErrIsTransient, Replay, Spend, Unlimited};
use tower_service::Service;

pub use available::{Available, EachAvailable};
pub use future::{AlternatesFuture, Answered};
pub use services::Services;

use crate::{Choose, Chosen, Hedge, Lent, OnFailure, PolicyFor, Shared};

/// Several services that can answer the same request, such as a model API, the same from another provider, and a smaller
/// model: attempt *k* goes to the *k*-th.
///
/// | with the policy | when the next one is asked |
/// | --- | --- |
/// | none: sequential failover | when the one before has failed, or a breaker has rejected the call |
/// | [`Hedge::after`], a schedule, a [`Quantile`](crate::Quantile): staggered | as above, or when a delay has passed |
/// | [`AtOnce`](crate::AtOnce): racing | at once |
///
/// All else is as with [`Hedge`]: a failure never beats a success that is pending, a permanent failure is the answer, and
/// losers are dropped. But each is asked once at most, and hints and payment are those of [`elsewhere`](Hedge::elsewhere): what
/// one asks for is of no concern to the next, and to ask the next after a failure is free.
///
/// The answer says [which alternate](Answered::alternate) gave it. The services are of one type; box different ones (tower's
/// `BoxCloneSyncService`). A classifier should call transient whatever another one may do better: a revoked key, a model
/// that is not there.
///
/// ```
/// use evenkeel_hedging::Alternates;
/// use tower::{Service, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let provider = |name: &'static str, up: bool| {
///     service_fn(move |_: &'static str| async move { if up { Ok(name) } else { Err("connection refused") } })
/// };
///
/// let models = Alternates::new([provider("primary", false), provider("secondary", true)]);
/// let answer = models.oneshot("Is all well?").await.unwrap();
/// assert_eq!((answer.alternate, answer.response), (1, "secondary"));
///
/// let models = Alternates::new([provider("primary", false), provider("secondary", false)]);
/// assert_eq!(models.oneshot("Is all well?").await.unwrap_err(), "connection refused");
/// # });
/// ```
///
/// # Readiness
///
/// It is ready when the first one that is [available](Self::available) is: so the backpressure of that one is passed on, and
/// nobody overflows to the second because the first is busy. No delay runs meanwhile, as there is no request yet: a service that
/// may not become ready for long, such as a breaker that holds back, or a limit on calls that may hang, should rather reject at
/// once, as a breaker that fails fast does, or tower's `LoadShed`. One that fails to become ready is passed over, until the next
/// call; no observer hears of it, for the same reason. The service holds one reservation (a permit of a concurrency limit, a
/// place in a queue) at most.
///
/// A further attempt goes to the first that *is* ready, of those that are available and were not asked: nobody waits for one
/// that is busy if another is not. What is not used is given back (by putting a clone in the service's place) when another is
/// called, when one is no longer available, and when the answer comes.
///
/// # Costs
///
/// All services are cloned for each request: those in an array without an allocation of ours, a `Vec` with one, and boxed ones
/// with one each.
pub struct Alternates<V, C = Shared<Failover>, R = Always, H = EachAvailable> {
    services: V,
    choice: C,
    replay: R,
    health: H,
    /// The one that is being made ready for the next call.
    asked: Option<Asked>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    place: usize,
    is_ready: bool,
    /// A bit for each that failed to become ready before it was this one's turn. They are not asked again for this call: to
    /// turn back to them would cost this one its place in the queue.
    passed: u64,
}

/// The policy of [`Alternates::new`]: the next one when one has failed, none by time. Nothing is slept for, and as all is
/// free, there is no budget.
pub type Failover = Hedge<OnFailure, fn(Duration) -> Pending<()>, ErrIsTransient, Unlimited>;

impl<V: Services> Alternates<V> {
    /// The services in the order in which they are to be asked, in an array or a `Vec`, with sequential failover.
    ///
    /// # Panics
    ///
    /// When there are none, or more than [`MAX`](Self::MAX).
    #[must_use]
    pub fn new(services: V) -> Self {
        let count = services.count();
        assert!((1..=Self::MAX).contains(&count), "{count} services are not from 1 to {}", Self::MAX);
        let wait: fn(Duration) -> Pending<()> = |_| std::future::pending();
        let choice = Hedge::new(OnFailure, wait).budget(Unlimited).shared();
        Self { services, choice, replay: Always, health: EachAvailable, asked: None }
    }

    /// The most services.
    pub const MAX: usize = 64;
}

impl<V, C, R, H> Alternates<V, C, R, H> {
    /// Asks the next one by this policy. Without [`max_attempts`](Hedge::max_attempts), and with delays that have no end, all
    /// may be asked. Where no budget was chosen it gets a [`TokenBudget`](evenkeel_budget::TokenBudget) of its own, for the
    /// hedges.
    #[must_use]
    #[allow(clippy::type_complexity)] // the policy's own parts, one of them exchanged
    pub fn policy<D, W, K, B: Spend, O>(
        self,
        policy: Hedge<D, W, K, B, O>,
    ) -> Alternates<V, Shared<Hedge<D, W, K, B::Layered, O>>, R, H> {
        self.with(policy.shared())
    }

    /// Asks the next one by a policy that outlives all requests, and counts no references to it: see
    /// [`HedgeLayer::of`](crate::HedgeLayer::of). It must have a budget.
    ///
    /// ```
    /// use evenkeel_hedging::{Alternates, Hedge, TokenBudget};
    /// use std::time::Duration;
    /// use tower::{ServiceExt, service_fn};
    ///
    /// let policy = Hedge::after(Duration::from_millis(300), tokio::time::sleep).budget(TokenBudget::default());
    /// let provider = |name: &'static str, up: bool| {
    ///     service_fn(move |()| async move { if up { Ok(name) } else { Err("connection refused") } })
    /// };
    ///
    /// let providers = [provider("primary", false), provider("secondary", true)];
    /// let models = Alternates::new(providers).policy_of(Box::leak(Box::new(policy)));
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(models.oneshot(()).await.unwrap().response, "secondary");
    /// # });
    /// ```
    #[must_use]
    #[allow(clippy::type_complexity)] // the policy's own parts
    pub fn policy_of<D, W, K, B: Budget, O>(
        self,
        policy: &Hedge<D, W, K, B, O>,
    ) -> Alternates<V, Lent<'_, Hedge<D, W, K, B, O>>, R, H> {
        self.with(Lent(policy))
    }

    /// Asks the next one by the policy that `choose` makes for the request, as
    /// [`HedgeLayer::choose`](crate::HedgeLayer::choose) does.
    #[must_use]
    pub fn choose<F>(self, choose: F) -> Alternates<V, Chosen<F>, R, H> {
        self.with(Chosen(choose))
    }

    fn with<C2>(self, choice: C2) -> Alternates<V, C2, R, H> {
        let Self { services, choice: _, replay, health, asked } = self;
        Alternates { services, choice, replay, health, asked }
    }

    /// Asks `replay` which requests may be sent to more than one; by default each may.
    #[must_use]
    pub fn replay<R2>(self, replay: R2) -> Alternates<V, C, R2, H> {
        let Self { services, choice, replay: _, health, asked } = self;
        Alternates { services, choice, replay, health, asked }
    }

    /// Passes over those of which `available` says no, by their place: one whose breaker is open, say. While it says no of
    /// all, it is not heeded, so that the answer is one of theirs.
    ///
    /// It is asked before each attempt. With a breaker it should say yes again when a probe would be admitted, or nobody will
    /// find out that the service has recovered; and a probe is best covered by a delay, as it may take long.
    ///
    /// ```
    /// use evenkeel_hedging::Alternates;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use tower::{ServiceExt, service_fn};
    ///
    /// static PRIMARY_IS_OPEN: AtomicBool = AtomicBool::new(true);
    ///
    /// let provider = |name: &'static str| service_fn(move |()| async move { Ok::<_, ()>(name) });
    /// let models = Alternates::new([provider("primary"), provider("secondary")])
    ///     .available(|place| place != 0 || !PRIMARY_IS_OPEN.load(Ordering::Relaxed));
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(models.clone().oneshot(()).await.unwrap().response, "secondary");
    /// PRIMARY_IS_OPEN.store(false, Ordering::Relaxed);
    /// assert_eq!(models.oneshot(()).await.unwrap().response, "primary");
    /// # });
    /// ```
    #[must_use]
    pub fn available<F: Fn(usize) -> bool>(self, available: F) -> Alternates<V, C, R, F> {
        self.health(available)
    }

    /// Passes over those of which `health` says that they are not available, as [`available`](Self::available) does with a
    /// function: for a type of your own, which a stack that is named needs.
    ///
    /// ```
    /// use evenkeel_hedging::{Alternates, Available};
    /// use tower::{ServiceExt, service_fn};
    ///
    /// /// In maintenance.
    /// #[derive(Clone)]
    /// struct AllBut(usize);
    ///
    /// impl Available for AllBut {
    ///     fn is_available(&self, place: usize) -> bool {
    ///         place != self.0
    ///     }
    /// }
    ///
    /// let region = |name: &'static str| service_fn(move |()| async move { Ok::<_, ()>(name) });
    /// let regions = Alternates::new([region("west"), region("east")]).health(AllBut(0));
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(regions.oneshot(()).await.unwrap().response, "east");
    /// # });
    /// ```
    #[must_use]
    pub fn health<H2: Available>(self, health: H2) -> Alternates<V, C, R, H2> {
        let Self { services, choice, replay, health: _, asked } = self;
        Alternates { services, choice, replay, health, asked }
    }
}

impl<V, C, R, H, Req> Service<Req> for Alternates<V, C, R, H>
where
    V: Services,
    V::Service: Service<Req>,
    C: Choose<Req>,
    C::Policy: PolicyFor<ResponseOf<V, Req>, ErrorOf<V, Req>>,
    R: Replay<Req> + Clone,
    H: Available + Clone,
{
    type Response = Answered<ResponseOf<V, Req>>;
    type Error = ErrorOf<V, Req>;
    type Future = AlternatesFuture<V, C::Policy, R, H, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let mut passed = self.asked.map_or(0, |asked| asked.passed);
        let mut refused = None;
        loop {
            let Some(place) = available::next(&self.health, self.services.count(), passed) else {
                self.turn_to(None);
                match refused {
                    Some(error) => return Poll::Ready(Err(error)),
                    // What failed before is available again, and the others no longer are.
                    None => passed = 0,
                }
                continue;
            };
            self.turn_to(Some(Asked { place, is_ready: false, passed }));
            match ready!(self.services.at(place).poll_ready(cx)) {
                Ok(()) => {
                    self.asked = Some(Asked { place, is_ready: true, passed });
                    return Poll::Ready(Ok(()));
                }
                Err(error) => {
                    passed |= 1 << place;
                    refused = Some(error);
                    self.turn_to(None);
                }
            }
        }
    }

    /// # Panics
    ///
    /// When it is not ready.
    #[inline(always)] // The response is made in place.
    fn call(&mut self, request: Req) -> Self::Future {
        let place = match self.asked {
            Some(Asked { place, is_ready: true, .. }) => place,
            Some(Asked { is_ready: false, .. }) | None => panic!("`Alternates` called before it was ready"),
        };
        // The instance that is ready is the one to call: a clone need not be.
        let mut services = self.services.clone();
        mem::swap(services.at(place), self.services.at(place));
        self.asked = None;
        AlternatesFuture::new(
            self.choice.choose(&request),
            services,
            place,
            (self.replay.clone(), self.health.clone()),
            request,
        )
    }
}

/// The response of one of the services.
type ResponseOf<V, Req> = <<V as Services>::Service as Service<Req>>::Response;

/// The error of one of the services.
type ErrorOf<V, Req> = <<V as Services>::Service as Service<Req>>::Error;

impl<V: Services, C, R, H> Alternates<V, C, R, H> {
    /// Begins to make this one ready, or none. What another has reserved that was asked before is given back.
    fn turn_to(&mut self, next: Option<Asked>) {
        if let Some(Asked { place, .. }) = self.asked {
            if next.is_none_or(|next| next.place != place) {
                services::renew(&mut self.services, place);
            }
        }
        self.asked = next;
    }
}

/// A clone is made ready by itself.
impl<V: Clone, C: Clone, R: Clone, H: Clone> Clone for Alternates<V, C, R, H> {
    fn clone(&self) -> Self {
        Self {
            services: self.services.clone(),
            choice: self.choice.clone(),
            replay: self.replay.clone(),
            health: self.health.clone(),
            asked: None,
        }
    }
}

impl<V: fmt::Debug, C: fmt::Debug, R, H> fmt::Debug for Alternates<V, C, R, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alternates")
            .field("services", &self.services)
            .field("choice", &self.choice)
            .finish_non_exhaustive()
    }
}
