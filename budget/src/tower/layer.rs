//! The layer, and the service that it makes.

use std::{
    fmt,
    task::{Context, Poll, ready},
};

use tower_layer::Layer;
use tower_service::Service;

use super::ThrottleFuture;
use crate::{AdaptiveThrottle, Admission, Classify, ErrIsTransient, Priority, ThrottleError, ThrottleHandle};

/// Sends the service under it only what its [`AdaptiveThrottle`] lets through.
///
/// All services that it makes and all their clones share the throttle. It is asked in `call`; if it rejects, the service
/// under it is not called, and what it had reserved to be ready is free again.
///
/// Under a retry layer it sees every attempt, and rejects some; [`ThrottleError::is_rejected`] tells a classifier which,
/// for to send those again at once is of no use.
///
/// ```
/// use evenkeel_budget::{AdaptiveThrottle, Priority, ThrottleLayer};
/// use std::future::ready;
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// let throttle = AdaptiveThrottle::default();
/// let layer = ThrottleLayer::new(throttle.clone()).priority(|request: &&str| match *request {
///     "/pay" => Priority::Critical,
///     _ => Priority::Normal,
/// });
/// let mut down = ServiceBuilder::new().layer(layer).service(service_fn(|_: &str| ready(Err::<(), _>("down"))));
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// for _ in 0..1_000 {
///     assert!(down.call("/search").await.is_err());
/// }
/// assert!(throttle.snapshot().rejection_probability > 0.99, "next to nothing is sent");
/// assert!(!down.call("/pay").await.unwrap_err().is_rejected(), "but this is");
/// # });
/// ```
///
/// # By reference
///
/// A layer of a `&'static AdaptiveThrottle` counts no references, which is half of what it costs besides its clock. A
/// client that lives as long as the program can leak its throttle once; it is then never freed.
///
/// ```
/// use evenkeel_budget::{AdaptiveThrottle, ThrottleLayer};
/// use std::future::ready;
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// let throttle: &'static AdaptiveThrottle = Box::leak(Box::new(AdaptiveThrottle::default()));
/// let well = service_fn(|_: &str| ready(Ok::<_, &str>("well")));
/// let mut service = ServiceBuilder::new().layer(ThrottleLayer::new(throttle)).service(well);
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(service.call("/").await, Ok("well"));
/// assert_eq!(throttle.snapshot().accepts, 1);
/// # });
/// ```
pub struct ThrottleLayer<K = ErrIsTransient, P = Priority, T = AdaptiveThrottle> {
    throttle: T,
    classify: K,
    priority: P,
}

/// The service of a [`ThrottleLayer`].
pub struct ThrottleService<S, K = ErrIsTransient, P = Priority, T = AdaptiveThrottle> {
    inner: S,
    layer: ThrottleLayer<K, P, T>,
}

/// Knows how much a request matters. Any `Fn(&Req) -> Priority` does, and a [`Priority`] is that of all requests.
pub trait Prioritize<Req> {
    /// How much `request` matters.
    fn priority(&self, request: &Req) -> Priority;
}

impl<Req, F: Fn(&Req) -> Priority> Prioritize<Req> for F {
    fn priority(&self, request: &Req) -> Priority {
        self(request)
    }
}

impl<Req> Prioritize<Req> for Priority {
    fn priority(&self, _: &Req) -> Priority {
        *self
    }
}

impl<T> ThrottleLayer<ErrIsTransient, Priority, T> {
    /// Asks `throttle` for each request, as for a [`Normal`](Priority::Normal) one; an `Err` is taken for a failure of the
    /// service. The throttle is a handle of it, or a reference to one.
    #[must_use]
    pub const fn new(throttle: T) -> Self {
        Self { throttle, classify: ErrIsTransient, priority: Priority::Normal }
    }
}

impl<K, P, T> ThrottleLayer<K, P, T> {
    /// Judges each result with `classify`: a function `|result: &Result<Response, Error>| …` to a
    /// [`Verdict`](crate::Verdict), or a type that implements [`Classify`]. `Success` and `Permanent` are accepts.
    #[must_use]
    pub fn when<K2>(self, classify: K2) -> ThrottleLayer<K2, P, T> {
        let Self { throttle, classify: _, priority } = self;
        ThrottleLayer { throttle, classify, priority }
    }

    /// Asks for each request with its own priority.
    #[must_use]
    pub fn priority<P2>(self, priority: P2) -> ThrottleLayer<K, P2, T> {
        let Self { throttle, classify, priority: _ } = self;
        ThrottleLayer { throttle, classify, priority }
    }

    /// The throttle.
    #[must_use]
    pub const fn throttle(&self) -> &T {
        &self.throttle
    }
}

impl<S, K: Clone, P: Clone, T: Clone> Layer<S> for ThrottleLayer<K, P, T> {
    type Service = ThrottleService<S, K, P, T>;

    fn layer(&self, inner: S) -> Self::Service {
        ThrottleService { inner, layer: self.clone() }
    }
}

impl<S, K, P, T, Req> Service<Req> for ThrottleService<S, K, P, T>
where
    S: Service<Req> + Clone,
    K: Classify<Result<S::Response, S::Error>> + Clone,
    P: Prioritize<Req>,
    T: ThrottleHandle,
{
    type Response = S::Response;
    type Error = ThrottleError<S::Error>;
    type Future = ThrottleFuture<S::Future, K, T>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(ready!(self.inner.poll_ready(cx)).map_err(ThrottleError::Inner))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let ThrottleLayer { throttle, classify, priority } = &self.layer;
        let asked = Admission::ask(throttle, priority.priority(&request));
        // The instance that is ready is called. If it is not to be, a clone takes its place, and what it had reserved to be
        // ready, such as a permit, is free: this service may be held for as long as a retry waits.
        let asked = match asked {
            Ok(admission) => Ok((self.inner.call(request), admission)),
            Err(rejected) => {
                self.inner = self.inner.clone();
                Err(rejected)
            }
        };
        ThrottleFuture::new(asked, classify.clone())
    }
}

impl<K: Clone, P: Clone, T: Clone> Clone for ThrottleLayer<K, P, T> {
    fn clone(&self) -> Self {
        Self { throttle: self.throttle.clone(), classify: self.classify.clone(), priority: self.priority.clone() }
    }
}

impl<S: Clone, K: Clone, P: Clone, T: Clone> Clone for ThrottleService<S, K, P, T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<K, P, T: fmt::Debug> fmt::Debug for ThrottleLayer<K, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleLayer").field("throttle", &self.throttle).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, K, P, T: fmt::Debug> fmt::Debug for ThrottleService<S, K, P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut service = f.debug_struct("ThrottleService");
        service.field("inner", &self.inner).field("throttle", &self.layer.throttle).finish_non_exhaustive()
    }
}
