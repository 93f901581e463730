//! The layer that fails fast, and the service that it makes.

use std::{
    fmt, mem,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::{BreakerFuture, HoldLayer};
use crate::{Breaker, Classify, ErrIsFailure, Error, Handle, Permit};

/// Calls the service under it only when its [`Breaker`] lets the call through, and answers with a rejection at once
/// when not.
///
/// All services that it makes and all their clones share the breaker. It is asked in `call`; if it rejects, the service
/// under it is not called, and what it had reserved to be ready is free again.
///
/// To be ready is what the service under it is. But one that hangs may never be: while that is not ready and the
/// breaker rejects, this service is ready all the same, and the call is rejected, whatever the breaker says by then.
///
/// The service under it is one that can be cloned: of a rejected call a clone takes the place of the instance that was made
/// ready. Around one that cannot, put tower's `Buffer`.
///
/// Put it inside of retries, so that it sees every attempt, and a timeout inside of it, so that a call that hangs is a
/// failure. Where the timeout is outside, set [`abandoned`](crate::BreakerBuilder::abandoned).
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerLayer, Error};
/// use std::{cell::Cell, future::ready};
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// let calls = Cell::new(0);
/// let down = service_fn(|_: &str| {
///     calls.set(calls.get() + 1);
///     ready(Err::<(), _>("down"))
/// });
/// let breaker = Breaker::builder().consecutive_failures(3).build()?;
/// let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(down);
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// for _ in 0..3 {
///     assert_eq!(service.call("/").await, Err(Error::Inner("down")));
/// }
/// let error = service.call("/").await.unwrap_err();
/// let rejected = error.rejected().expect("it is open");
/// assert!(rejected.retry_after().is_some(), "it says when to come back");
/// assert_eq!(calls.get(), 3, "the service is left alone");
///
/// breaker.reset();
/// assert_eq!(service.call("/").await, Err(Error::Inner("down")));
/// # });
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
///
/// `H` is how it holds on to its breaker: by a handle ([`new`](Self::new)), or by reference ([`of`](Self::of)).
pub struct BreakerLayer<K = ErrIsFailure, H = Breaker> {
    breaker: H,
    classify: K,
}

/// The service of a [`BreakerLayer`].
pub struct BreakerService<S, K = ErrIsFailure, H = Breaker> {
    inner: S,
    layer: BreakerLayer<K, H>,
    /// It said that it is ready, and the one under it was not: that one must not be called.
    only_ready_to_reject: bool,
}

impl<C, O> BreakerLayer<ErrIsFailure, Breaker<C, O>> {
    /// Asks `breaker` for each request; an `Err` is a failure.
    #[must_use]
    pub const fn new(breaker: Breaker<C, O>) -> Self {
        Self { breaker, classify: ErrIsFailure }
    }
}

impl<'a, C, O> BreakerLayer<ErrIsFailure, &'a Breaker<C, O>> {
    /// [`new`](Self::new) by reference: no call counts references, and no clone of a service.
    ///
    /// A handle in each response is two writes to a count that all threads share: more than all else that a call costs
    /// while nothing is wrong, and where threads call at the same time the only line that they write. It is worth it for a
    /// service that answers from memory, or for a stack that others clone at each call. Most services outlive every
    /// function, and so must their breaker: `Box::leak` makes one that lives as long as the program. That is what it costs: such
    /// a breaker is never freed, so make a fixed number of them, when the program starts.
    ///
    /// ```
    /// use evenkeel_breaker::{Breaker, BreakerLayer, Error, State};
    /// use tower::{Service, ServiceBuilder, service_fn};
    ///
    /// let breaker: &'static Breaker = Box::leak(Box::new(Breaker::builder().consecutive_failures(1).build()?));
    /// let down = service_fn(async |_: &str| Err::<(), _>("down"));
    /// let mut service = ServiceBuilder::new().layer(BreakerLayer::of(breaker)).service(down);
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// assert_eq!(service.call("/").await, Err(Error::Inner("down")));
    /// assert!(service.call("/").await.unwrap_err().is_open());
    /// assert_eq!(breaker.state(), State::Open);
    /// # });
    /// # Ok::<(), evenkeel_breaker::Invalid>(())
    /// ```
    #[must_use]
    pub const fn of(breaker: &'a Breaker<C, O>) -> Self {
        Self { breaker, classify: ErrIsFailure }
    }
}

impl<K, H> BreakerLayer<K, H> {
    /// Judges each result with `classify`: a function `|result: &Result<Response, Error>| …` to a
    /// [`Verdict`](crate::Verdict), or a type that implements [`Classify`].
    #[must_use]
    pub fn when<K2>(self, classify: K2) -> BreakerLayer<K2, H> {
        BreakerLayer { breaker: self.breaker, classify }
    }
}

impl<K, H: Handle> BreakerLayer<K, H> {
    /// Holds back instead of failing: a service is not ready before the breaker lets a call through. `sleep` is how it
    /// waits: `tokio::time::sleep`, say.
    ///
    /// For what reads its work from a queue. Where somebody waits for the answer, fail fast: nobody knows how long this
    /// takes. It has a handle in any case.
    #[must_use]
    pub fn hold<W>(self, sleep: W) -> HoldLayer<W, K, H::Clock, H::Observer> {
        HoldLayer::new(self.breaker.breaker().clone(), self.classify, sleep)
    }

    /// The breaker.
    #[must_use]
    pub fn breaker(&self) -> &Breaker<H::Clock, H::Observer> {
        self.breaker.breaker()
    }
}

impl<S, K: Clone, H: Clone> Layer<S> for BreakerLayer<K, H> {
    type Service = BreakerService<S, K, H>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { inner, layer: self.clone(), only_ready_to_reject: false }
    }
}

impl<S, K, H, Req> Service<Req> for BreakerService<S, K, H>
where
    S: Service<Req> + Clone,
    K: Classify<Result<S::Response, S::Error>> + Clone,
    H: Handle + Clone,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = BreakerFuture<S::Future, K, H>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let readiness = self.inner.poll_ready(cx).map_err(Error::Inner);
        self.only_ready_to_reject = readiness.is_pending() && self.layer.breaker().check().is_err();
        if self.only_ready_to_reject { Poll::Ready(Ok(())) } else { readiness }
    }

    #[inline(always)] // The response is made in place.
    fn call(&mut self, request: Req) -> Self::Future {
        let BreakerLayer { breaker, classify } = &self.layer;
        if !self.only_ready_to_reject {
            // The permit of most calls by itself, and not as one of several answers: it is made in its place.
            if let Some(permit) = Permit::at_a_glance(breaker) {
                return BreakerFuture::admitted(permit, self.inner.call(request), classify.clone());
            }
        }
        self.call_otherwise(request)
    }
}

impl<S, K: Clone, H: Handle + Clone> BreakerService<S, K, H> {
    /// What is not admitted at a glance. By itself, so that what is on the way of most calls meets with nothing of it.
    #[inline(never)]
    fn call_otherwise<Req>(&mut self, request: Req) -> BreakerFuture<S::Future, K, H>
    where
        S: Service<Req> + Clone,
    {
        let BreakerLayer { breaker, classify } = &self.layer;
        let asked = if mem::take(&mut self.only_ready_to_reject) {
            Err(breaker.breaker().shared().turn_away())
        } else {
            Permit::like(breaker, None)
        };
        super::call(&mut self.inner, request, asked, classify.clone())
    }
}

impl<K: Clone, H: Clone> Clone for BreakerLayer<K, H> {
    fn clone(&self) -> Self {
        Self { breaker: self.breaker.clone(), classify: self.classify.clone() }
    }
}

impl<S: Clone, K: Clone, H: Clone> Clone for BreakerService<S, K, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone(), only_ready_to_reject: false }
    }
}

impl<K, H: fmt::Debug> fmt::Debug for BreakerLayer<K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerLayer").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, K, H: fmt::Debug> fmt::Debug for BreakerService<S, K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut service = f.debug_struct("BreakerService");
        service.field("inner", &self.inner).field("breaker", &self.layer.breaker).finish_non_exhaustive()
    }
}
