//! The layer, and the service that it makes.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use evenkeel_budget::{Always, Replay, Spend};
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
pub struct RetryLayer<P, R = Always> {
    policy: Arc<P>,
    replay: R,
}

/// The service of a [`RetryLayer`].
pub struct RetryService<S, P, R = Always> {
    inner: S,
    policy: Arc<P>,
    replay: R,
}

impl<S, W, C, B: Spend, O, K, T> Retry<S, W, C, B, O, K, T> {
    /// The policy as a layer. Where no budget was chosen it gets a [`TokenBudget`](evenkeel_budget::TokenBudget) of its
    /// own: a layer is shared by many requests, and many requests that retry unchecked are a storm.
    #[must_use]
    #[allow(clippy::type_complexity)] // the policy's own parts, one of them exchanged
    pub fn layer(self) -> RetryLayer<Retry<S, W, C, B::Layered, O, K, T>> {
        let Self { schedule, sleep, classify, budget, observer, clock, timeout, limits } = self;
        let budget = budget.layered();
        let policy = Retry { schedule, sleep, classify, budget, observer, clock, timeout, limits };
        RetryLayer { policy: Arc::new(policy), replay: Always }
    }
}

/// The policy of [`Retry::new`] with the budget of a layer.
type Short<S, W> = Retry<S, W, evenkeel_budget::ErrIsTransient, evenkeel_budget::TokenBudget>;

impl<S, W> RetryLayer<Short<S, W>> {
    /// [`Retry::new`] as a layer: with a budget, and with no more than
    /// [`DEFAULT_MAX_ATTEMPTS`](crate::DEFAULT_MAX_ATTEMPTS) where the schedule has no end. For all else, make the policy
    /// and ask for its [`layer`](Retry::layer).
    #[must_use]
    pub fn new(schedule: S, sleep: W) -> Self {
        Retry::new(schedule, sleep).layer()
    }
}

impl<P> RetryLayer<P> {
    /// Asks `replay` which requests may be sent again; by default each may.
    #[must_use]
    pub fn replay<R>(self, replay: R) -> RetryLayer<P, R> {
        RetryLayer { policy: self.policy, replay }
    }
}

impl<P, R> RetryLayer<P, R> {
    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &P {
        &self.policy
    }
}

impl<S, P, R: Clone> Layer<S> for RetryLayer<P, R> {
    type Service = RetryService<S, P, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { inner, policy: Arc::clone(&self.policy), replay: self.replay.clone() }
    }
}

impl<S, P, R, Req> Service<Req> for RetryService<S, P, R>
where
    S: Service<Req> + Clone,
    P: PolicyFor<S::Response, S::Error>,
    R: Replay<Req> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, P, R, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        // The instance that is ready is the one to call: a clone need not be.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        ResponseFuture::new(Arc::clone(&self.policy), self.replay.clone(), ready, request)
    }
}

impl<P, R: Clone> Clone for RetryLayer<P, R> {
    fn clone(&self) -> Self {
        Self { policy: Arc::clone(&self.policy), replay: self.replay.clone() }
    }
}

impl<S: Clone, P, R: Clone> Clone for RetryService<S, P, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), policy: Arc::clone(&self.policy), replay: self.replay.clone() }
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
