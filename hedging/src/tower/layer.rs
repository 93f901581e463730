//! The layer, and the service that it makes.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use evenkeel_budget::{Always, Budget, ErrIsTransient, Replay, Spend, TokenBudget};
use tower_layer::Layer;
use tower_service::Service;

use super::{Choose, Chosen, Lent, ResponseFuture, Shared};
use crate::{Hedge, PolicyFor};

/// Hedges each request of the service under it, by one policy.
///
/// All services that it makes and all their clones share the policy, and with it the budget and the estimate. For each
/// request the instance that was made ready is used, and made ready again before each further attempt.
///
/// A request is copied only while another attempt can still follow, and moved into the last; one that must not be sent twice
/// is sent once, and not copied: see [`replay`](Self::replay).
///
/// ```
/// use evenkeel_hedging::{HedgeLayer, Quantile};
/// use std::{future::ready, sync::atomic::{AtomicU32, Ordering}};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// static CALLS: AtomicU32 = AtomicU32::new(0);
/// let flaky = service_fn(|request: u32| {
///     ready(if CALLS.fetch_add(1, Ordering::Relaxed) == 0 { Err("reset") } else { Ok(request + 1) })
/// });
///
/// let service = ServiceBuilder::new().layer(HedgeLayer::new(Quantile::p95(), tokio::time::sleep)).service(flaky);
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// assert_eq!(service.oneshot(1).await, Ok(2));
/// # });
/// ```
pub struct HedgeLayer<C, R = Always> {
    choice: C,
    replay: R,
}

/// The service of a [`HedgeLayer`].
pub struct HedgeService<S, C, R = Always> {
    inner: S,
    choice: C,
    replay: R,
}

impl<D, W, C, B: Spend, O> Hedge<D, W, C, B, O> {
    /// The policy as a layer. Where no budget was chosen it gets a [`TokenBudget`] of its own: a layer is shared by many
    /// requests, and when all of them are slow, all that are hedged unchecked are twice the load.
    #[must_use]
    #[allow(clippy::type_complexity)] // the policy's own parts, one of them exchanged
    pub fn layer(self) -> HedgeLayer<Shared<Hedge<D, W, C, B::Layered, O>>> {
        HedgeLayer { choice: self.shared(), replay: Always }
    }

    pub(crate) fn shared(self) -> Shared<Hedge<D, W, C, B::Layered, O>> {
        let Self { delays, sleep, classify, budget, observer, limits } = self;
        Shared(Arc::new(Hedge { delays, sleep, classify, budget: budget.layered(), observer, limits }))
    }
}

/// The policy of [`Hedge::new`] with the budget of a layer.
type Short<D, W> = Hedge<D, W, ErrIsTransient, TokenBudget>;

impl<D, W> HedgeLayer<Shared<Short<D, W>>> {
    /// [`Hedge::new`] as a layer, with a budget. For all else, make the policy and ask for its [`layer`](Hedge::layer).
    #[must_use]
    pub fn new(delays: D, sleep: W) -> Self {
        Hedge::new(delays, sleep).layer()
    }
}

impl<'a, D, W, C, B: Budget, O> HedgeLayer<Lent<'a, Hedge<D, W, C, B, O>>> {
    /// Hedges by a policy that outlives all requests: one in a `static`, or one that is leaked. A layer that owns its policy
    /// counts a reference to it for each request, in one word that all threads write; this one counts nothing. It is worth it
    /// where hundreds of thousands of requests a second are hedged, or many threads share the layer. A policy that is leaked is
    /// never freed, and what its budget and estimate hold (16 KiB) neither: make it once for each client, and not for each
    /// request. It must have a budget, for here nobody can give it one.
    ///
    /// ```
    /// use evenkeel_hedging::{Hedge, HedgeLayer, Quantile, TokenBudget};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// let policy = Hedge::new(Quantile::p95(), tokio::time::sleep).budget(TokenBudget::default());
    /// let layer = HedgeLayer::of(Box::leak(Box::new(policy)));
    ///
    /// let service = ServiceBuilder::new().layer(layer).service(service_fn(|()| async { Ok::<_, ()>("done") }));
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(service.oneshot(()).await, Ok("done"));
    /// # });
    /// ```
    ///
    /// Without a budget it is refused:
    ///
    /// ```compile_fail,E0277
    /// use evenkeel_hedging::{Hedge, HedgeLayer, Quantile};
    ///
    /// let policy = Hedge::new(Quantile::p95(), tokio::time::sleep);
    /// let layer = HedgeLayer::of(&policy);
    /// ```
    #[must_use]
    pub const fn of(policy: &'a Hedge<D, W, C, B, O>) -> Self {
        Self { choice: Lent(policy), replay: Always }
    }
}

impl<F> HedgeLayer<Chosen<F>> {
    /// Hedges each request by the policy that `choose` makes for it: with one estimate for each endpoint and one budget for
    /// each host, say. The policy must have a budget, since one that it made itself would be a new one for each request.
    ///
    /// ```
    /// use evenkeel_hedging::{BudgetMap, Hedge, HedgeLayer, Quantile, QuantileMap, TokenBudget};
    /// use std::num::NonZeroUsize;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// let estimates: QuantileMap<String> = QuantileMap::new(NonZeroUsize::new(100).unwrap(), Quantile::p95);
    /// let budgets: BudgetMap<String> = BudgetMap::new(NonZeroUsize::new(20).unwrap(), TokenBudget::default);
    ///
    /// let by_endpoint = estimates.clone();
    /// let layer = HedgeLayer::choose(move |request: &http::Request<()>| {
    ///     let (endpoint, host) = (request.uri().path(), request.uri().host().unwrap_or_default());
    ///     Hedge::new(by_endpoint.quantile(endpoint), tokio::time::sleep).budget(budgets.budget(host))
    /// });
    ///
    /// let service = ServiceBuilder::new().layer(layer).service(service_fn(|_| async {
    ///     tokio::task::yield_now().await;
    ///     Ok::<_, ()>("done")
    /// }));
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let request = http::Request::get("http://10.0.0.1/v1/models").body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await, Ok("done"));
    /// # });
    /// assert_eq!(estimates.quantile("/v1/models").snapshot().count, 1);
    /// ```
    #[must_use]
    pub const fn choose(choose: F) -> Self {
        Self { choice: Chosen(choose), replay: Always }
    }
}

impl<C> HedgeLayer<C> {
    /// Asks `replay` which requests may be sent again; by default each may. For HTTP: `evenkeel_backoff::http::by_method`.
    ///
    /// One that may be sent again only [if it was not processed](evenkeel_budget::Repeat::IfUnprocessed) is not hedged, for
    /// the first attempt may be at work; it is sent again when that was surely turned away.
    ///
    /// ```
    /// use evenkeel_hedging::{HedgeLayer, Quantile, Repeat};
    ///
    /// let safe = |request: &http::Request<()>| {
    ///     let twice = request.method().is_idempotent() || request.headers().contains_key("idempotency-key");
    ///     if twice { Repeat::Always } else { Repeat::IfUnprocessed }
    /// };
    /// let layer = HedgeLayer::new(Quantile::p95(), tokio::time::sleep).replay(safe);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn replay<R>(self, replay: R) -> HedgeLayer<C, R> {
        HedgeLayer { choice: self.choice, replay }
    }
}

impl<P, R> HedgeLayer<Shared<P>, R> {
    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &P {
        &self.choice.0
    }
}

impl<'a, P, R> HedgeLayer<Lent<'a, P>, R> {
    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &'a P {
        self.choice.0
    }
}

impl<S, C: Clone, R: Clone> Layer<S> for HedgeLayer<C, R> {
    type Service = HedgeService<S, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        HedgeService { inner, choice: self.choice.clone(), replay: self.replay.clone() }
    }
}

impl<S, C, R, Req> Service<Req> for HedgeService<S, C, R>
where
    S: Service<Req> + Clone,
    C: Choose<Req>,
    C::Policy: PolicyFor<S::Response, S::Error>,
    R: Replay<Req> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, C::Policy, R, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline(always)] // The response is made in place.
    fn call(&mut self, request: Req) -> Self::Future {
        // The instance that is ready is the one to call: a clone need not be.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        ResponseFuture::new(self.choice.choose(&request), self.replay.clone(), ready, request)
    }
}

impl<C: Clone, R: Clone> Clone for HedgeLayer<C, R> {
    fn clone(&self) -> Self {
        Self { choice: self.choice.clone(), replay: self.replay.clone() }
    }
}

impl<S: Clone, C: Clone, R: Clone> Clone for HedgeService<S, C, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), choice: self.choice.clone(), replay: self.replay.clone() }
    }
}

impl<C: fmt::Debug, R> fmt::Debug for HedgeLayer<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeLayer").field("choice", &self.choice).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, C: fmt::Debug, R> fmt::Debug for HedgeService<S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeService").field("inner", &self.inner).field("choice", &self.choice).finish_non_exhaustive()
    }
}
