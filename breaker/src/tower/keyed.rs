//! The layer of a map, and the service that it makes.

use std::{
    fmt,
    hash::Hash,
    task::{Context, Poll, ready},
    time::Instant,
};

use tower_layer::Layer;
use tower_service::Service;

use super::BreakerFuture;
use crate::{Breaker, BreakerMap, BreakerObserver, Classify, ErrIsFailure, Error};

/// Sends the service under it only what the breaker of the request's key lets through, as a [`BreakerMap`] has it.
///
/// All services that it makes and all their clones share the map. Its breaker is asked in `call`; if it rejects, the response
/// is the rejection, the service under it is not called, and what it had reserved to be ready is free again. There is no
/// waiting in `poll_ready`: the key is not known yet.
///
/// The service under it is one that can be cloned: of a rejected call a clone takes the place of the instance that was made
/// ready. Around one that cannot, put tower's `Buffer`.
///
/// `key` makes the key of a request; to look up one that is there allocates nothing beyond that. Let it be small, and of what
/// the operator has chosen (a host of a list, a model) rather than of what anybody can send.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerMap, BreakerMapLayer};
/// use std::{future::ready, num::NonZeroUsize};
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// let breaker = Breaker::builder().consecutive_failures(1);
/// let breakers = BreakerMap::builder(NonZeroUsize::new(100).unwrap(), breaker).build()?;
/// let layer = BreakerMapLayer::new(breakers, |request: &(&'static str, u32)| request.0);
/// let mut service = ServiceBuilder::new().layer(layer).service(service_fn(|(host, number): (&str, u32)| {
///     ready(if host == "down" { Err("refused") } else { Ok(number) })
/// }));
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(service.call(("down", 1)).await.unwrap_err().into_inner(), Some("refused"));
/// assert!(service.call(("down", 2)).await.unwrap_err().is_open());
/// assert_eq!(service.call(("up", 3)).await, Ok(3));
/// # });
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
pub struct BreakerMapLayer<F, K, J = ErrIsFailure, C = fn() -> Instant, O = ()> {
    map: BreakerMap<K, C, O>,
    key: F,
    classify: J,
}

/// The service of a [`BreakerMapLayer`].
pub struct BreakerMapService<S, F, K, J = ErrIsFailure, C = fn() -> Instant, O = ()> {
    inner: S,
    layer: BreakerMapLayer<F, K, J, C, O>,
}

impl<F, K, C, O> BreakerMapLayer<F, K, ErrIsFailure, C, O> {
    /// Asks the breaker of `key(&request)` in `map` for each request; an `Err` is a failure of the service.
    #[must_use]
    pub const fn new(map: BreakerMap<K, C, O>, key: F) -> Self {
        Self { map, key, classify: ErrIsFailure }
    }
}

impl<F, K, J, C, O> BreakerMapLayer<F, K, J, C, O> {
    /// Judges each result with `classify`: a function `|result: &Result<Response, Error>| …` to a
    /// [`Verdict`](crate::Verdict), or a type that implements [`Classify`].
    #[must_use]
    pub fn when<J2>(self, classify: J2) -> BreakerMapLayer<F, K, J2, C, O> {
        let Self { map, key, classify: _ } = self;
        BreakerMapLayer { map, key, classify }
    }

    /// The map.
    #[must_use]
    pub const fn map(&self) -> &BreakerMap<K, C, O> {
        &self.map
    }
}

impl<S, F: Clone, K, J: Clone, C, O> Layer<S> for BreakerMapLayer<F, K, J, C, O> {
    type Service = BreakerMapService<S, F, K, J, C, O>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerMapService { inner, layer: self.clone() }
    }
}

impl<S, F, K, J, C, O, Req> Service<Req> for BreakerMapService<S, F, K, J, C, O>
where
    S: Service<Req> + Clone,
    F: Fn(&Req) -> K,
    K: Hash + Eq + Clone,
    J: Classify<Result<S::Response, S::Error>> + Clone,
    C: Fn() -> Instant + Clone,
    O: BreakerObserver,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = BreakerFuture<S::Future, J, Breaker<C, O>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(ready!(self.inner.poll_ready(cx)).map_err(Error::Inner))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let BreakerMapLayer { map, key, classify } = &self.layer;
        let asked = map.try_acquire(&key(&request));
        super::call(&mut self.inner, request, asked, classify.clone())
    }
}

impl<F: Clone, K, J: Clone, C, O> Clone for BreakerMapLayer<F, K, J, C, O> {
    fn clone(&self) -> Self {
        Self { map: self.map.clone(), key: self.key.clone(), classify: self.classify.clone() }
    }
}

impl<S: Clone, F: Clone, K, J: Clone, C, O> Clone for BreakerMapService<S, F, K, J, C, O> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<F, K, J, C, O> fmt::Debug for BreakerMapLayer<F, K, J, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerMapLayer").field("map", &self.map).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, F, K, J, C, O> fmt::Debug for BreakerMapService<S, F, K, J, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut service = f.debug_struct("BreakerMapService");
        service.field("inner", &self.inner).field("map", &self.layer.map).finish_non_exhaustive()
    }
}
