//! The layer, and the service that it makes.

use std::{
    fmt, mem,
    ops::Deref,
    sync::Arc,
    task::{Context, Poll},
};

use evenkeel_budget::{Always, Budget, Replay, Spend};
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseFuture;
use crate::retry::{PolicyFor, Retry};

/// Retries each request of the service under it, by one policy.
///
/// All services that it makes and all their clones share the policy, and with it the budget. For each request the
/// instance that was made ready is used; before each further attempt, and not before the wait, it is made ready again.
///
/// ```
/// use evenkeel_backoff::{Exponential, RetryLayer};
/// use std::{future::ready, sync::atomic::{AtomicU32, Ordering}, time::Duration};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// static CALLS: AtomicU32 = AtomicU32::new(0);
/// let flaky = service_fn(|request: u32| {
///     ready(if CALLS.fetch_add(1, Ordering::Relaxed) < 2 { Err("busy") } else { Ok(request + 1) })
/// });
///
/// let schedule = Exponential::new(Duration::from_millis(50)).cap(Duration::from_secs(5)).take(3);
/// let service = ServiceBuilder::new().layer(RetryLayer::new(schedule, tokio::time::sleep)).service(flaky);
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// assert_eq!(service.oneshot(1).await, Ok(2));
/// # });
/// ```
///
/// `P` is how it holds its policy: in an [`Arc`], or by [reference](Self::of).
pub struct RetryLayer<P, R = Always> {
    policy: P,
    replay: R,
}

/// The service of a [`RetryLayer`].
pub struct RetryService<S, P, R = Always> {
    inner: S,
    policy: P,
    replay: R,
}

impl<S, W, C, B: Spend, O, K, T> Retry<S, W, C, B, O, K, T> {
    /// The policy as a layer. Where no budget was chosen it gets a [`TokenBudget`](evenkeel_budget::TokenBudget) of its
    /// own: a layer is shared by many requests, and many requests that retry unchecked are a storm.
    #[must_use]
    #[allow(clippy::type_complexity)] // the policy's own parts, one of them exchanged
    pub fn layer(self) -> RetryLayer<Arc<Retry<S, W, C, B::Layered, O, K, T>>> {
        let Self { schedule, sleep, classify, budget, observer, clock, timeout, limits } = self;
        let budget = budget.layered();
        let policy = Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits };
        RetryLayer { policy: Arc::new(policy), replay: Always }
    }
}

/// The policy of [`Retry::new`] with the budget of a layer.
type Short<S, W> = Retry<S, W, evenkeel_budget::ErrIsTransient, evenkeel_budget::TokenBudget>;

impl<S, W> RetryLayer<Arc<Short<S, W>>> {
    /// [`Retry::new`] as a layer: with a budget, and with no more than
    /// [`DEFAULT_MAX_ATTEMPTS`](crate::DEFAULT_MAX_ATTEMPTS) where the schedule has no end. For all else, make the policy
    /// and ask for its [`layer`](Retry::layer).
    #[must_use]
    pub fn new(schedule: S, sleep: W) -> Self {
        Retry::new(schedule, sleep).layer()
    }
}

impl<'a, S, W, C, B: Budget, O, K, T> RetryLayer<&'a Retry<S, W, C, B, O, K, T>> {
    /// A policy that lives as long as the services, as a layer that counts no references to it.
    ///
    /// [`Retry::layer`] puts the policy into an [`Arc`], of which each response holds a reference: two atomic operations for a
    /// request. Where requests are so many that this is felt, and the policy lasts as long as the program, put it into a
    /// `static` or leak it; what is leaked is never freed, so do that once and not for each connection. A layer cannot
    /// give a budget to a policy that it does not own: the policy must have one, or say that it is
    /// [`Unlimited`](evenkeel_budget::Unlimited), and one without is not accepted.
    ///
    /// ```
    /// use evenkeel_backoff::{Exponential, Retry, RetryLayer, TokenBudget};
    /// use std::time::Duration;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// let schedule = Exponential::new(Duration::from_millis(50)).cap(Duration::from_secs(5)).take(3);
    /// let policy = Retry::new(schedule, tokio::time::sleep).budget(TokenBudget::default());
    /// let layer = RetryLayer::of(Box::leak(Box::new(policy)));
    ///
    /// let service = ServiceBuilder::new().layer(layer).service(service_fn(|n: u32| async move { Ok::<_, ()>(n + 1) }));
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(tokio::spawn(service.oneshot(1)).await.unwrap(), Ok(2));
    /// # });
    /// ```
    ///
    /// Without a budget it does not compile:
    ///
    /// ```compile_fail,E0277
    /// use evenkeel_backoff::{Retry, RetryLayer};
    /// use std::time::Duration;
    ///
    /// let without_a_budget = Retry::new([Duration::ZERO; 2], tokio::time::sleep);
    /// let layer = RetryLayer::of(&without_a_budget);
    /// ```
    #[must_use]
    pub const fn of(policy: &'a Retry<S, W, C, B, O, K, T>) -> Self {
        Self { policy, replay: Always }
    }
}

impl<P> RetryLayer<P> {
    /// Asks `replay` which requests may be sent again; by default each may.
    #[must_use]
    pub fn replay<R>(self, replay: R) -> RetryLayer<P, R> {
        RetryLayer { policy: self.policy, replay }
    }
}

impl<P: Deref, R> RetryLayer<P, R> {
    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &P::Target {
        &self.policy
    }
}

impl<S, P: Clone, R: Clone> Layer<S> for RetryLayer<P, R> {
    type Service = RetryService<S, P, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { inner, policy: self.policy.clone(), replay: self.replay.clone() }
    }
}

impl<S, P, R, Req> Service<Req> for RetryService<S, P, R>
where
    S: Service<Req> + Clone,
    P: PolicyFor<S::Response, S::Error> + Clone,
    R: Replay<Req> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, P, R, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline(always)] // The response is made in place.
    fn call(&mut self, request: Req) -> Self::Future {
        // The instance that is ready is the one to call: a clone need not be.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        ResponseFuture::new(self.policy.clone(), self.replay.clone(), ready, request)
    }
}

impl<P: Clone, R: Clone> Clone for RetryLayer<P, R> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), replay: self.replay.clone() }
    }
}

impl<S: Clone, P: Clone, R: Clone> Clone for RetryService<S, P, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), policy: self.policy.clone(), replay: self.replay.clone() }
    }
}

impl<P: fmt::Debug, R> fmt::Debug for RetryLayer<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryLayer").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, P: fmt::Debug, R> fmt::Debug for RetryService<S, P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut service = f.debug_struct("RetryService");
        service.field("inner", &self.inner).field("policy", &self.policy).finish_non_exhaustive()
    }
}
