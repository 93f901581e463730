//! The layer that holds back, and the service that it makes.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tower_layer::Layer;
use tower_service::Service;

use super::{BreakerFuture, Owned};
use crate::{
    Breaker, BreakerObserver, Classify, ErrIsFailure, Error, Permit, Rejected, unwinding::in_a_drop, waiting::Waiting,
};

/// A [`BreakerLayer`](super::BreakerLayer) whose services wait for the breaker instead of failing: its
/// [`hold`](super::BreakerLayer::hold).
///
/// A service is ready when its breaker lets a call through and the service under it is ready. While it waits for the
/// breaker it holds nothing of the service under it. When it is ready it holds a permit, which its next call uses: to
/// others that is a slot that is taken, so call soon. If it is a probe's and its time is over before the call, the slot is free
/// for others and nothing has failed; else that time begins anew with the call. A service that is dropped instead gives
/// its permit back, and that counts for nothing; a clone has none. To wait is not to be rejected: the observer hears of
/// no rejection.
///
/// The service under it is one that can be cloned: of a rejected call a clone takes the place of the instance that was made
/// ready. Around one that cannot, put tower's `Buffer`.
///
/// Its calls are rejected only when the breaker has changed its mind between the two.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerLayer};
/// use std::{future::ready, time::Duration};
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let breaker = Breaker::builder()
///     .consecutive_failures(1)
///     .open_for([Duration::from_secs(20)])
///     .clock(|| tokio::time::Instant::now().into_std())
///     .build()?;
/// let mut service = ServiceBuilder::new()
///     .layer(BreakerLayer::new(breaker).hold(tokio::time::sleep))
///     .service(service_fn(|up: bool| ready(if up { Ok("up") } else { Err("down") })));
///
/// let start = tokio::time::Instant::now();
/// assert!(service.ready().await.unwrap().call(false).await.is_err()); // and it opens
/// assert_eq!(service.ready().await.unwrap().call(true).await, Ok("up"));
/// assert!(start.elapsed() >= Duration::from_secs(20));
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// # }).unwrap();
/// ```
pub struct HoldLayer<W, K = ErrIsFailure, C = fn() -> Instant, O = ()> {
    breaker: Breaker<C, O>,
    classify: K,
    sleep: W,
}

/// The service of a [`HoldLayer`].
pub struct HoldService<S, W, F, K = ErrIsFailure, C: Fn() -> Instant = fn() -> Instant, O: BreakerObserver = ()> {
    inner: S,
    layer: HoldLayer<W, K, C, O>,
    /// The inner service was asked whether it is ready: it may hold something.
    asked_inner: bool,
    reserved: Reserved<C, O>,
    /// Only while it waits for the breaker. It stays in its place when the service is moved.
    waiting: Option<InItsPlace<Waiting<W, F, C, O>>>,
}

type InItsPlace<T> = Pin<Box<T>>;

/// The permit of the next call, released when it is not made.
struct Reserved<C: Fn() -> Instant, O: BreakerObserver>(Option<Owned<C, O>>);

impl<W, K, C, O> HoldLayer<W, K, C, O> {
    pub(super) const fn new(breaker: Breaker<C, O>, classify: K, sleep: W) -> Self {
        Self { breaker, classify, sleep }
    }

    /// Judges each result with `classify`, as [`BreakerLayer::when`](super::BreakerLayer::when) does.
    #[must_use]
    pub fn when<K2>(self, classify: K2) -> HoldLayer<W, K2, C, O> {
        let Self { breaker, classify: _, sleep } = self;
        HoldLayer { breaker, classify, sleep }
    }

    /// The breaker.
    #[must_use]
    pub const fn breaker(&self) -> &Breaker<C, O> {
        &self.breaker
    }
}

impl<S, W, F, K, C, O> Layer<S> for HoldLayer<W, K, C, O>
where
    W: Fn(Duration) -> F + Clone,
    K: Clone,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    type Service = HoldService<S, W, F, K, C, O>;

    fn layer(&self, inner: S) -> Self::Service {
        HoldService::new(inner, self.clone())
    }
}

impl<S, W, F, K, C: Fn() -> Instant, O: BreakerObserver> HoldService<S, W, F, K, C, O> {
    const fn new(inner: S, layer: HoldLayer<W, K, C, O>) -> Self {
        Self { inner, layer, asked_inner: false, reserved: Reserved(None), waiting: None }
    }
}

impl<S, W, F, K, C, O, Req> Service<Req> for HoldService<S, W, F, K, C, O>
where
    S: Service<Req> + Clone,
    W: Fn(Duration) -> F + Clone,
    F: Future,
    K: Classify<Result<S::Response, S::Error>> + Clone,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = BreakerFuture<S::Future, K, Breaker<C, O>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.reserved.is_usable() {
            return Poll::Ready(Ok(()));
        }
        self.reserved.release();
        let Self { inner, layer, asked_inner, waiting, .. } = self;
        let mut ask = |breaker: &Breaker<C, O>, cx: &mut Context<'_>| reserve(inner, asked_inner, breaker, cx);
        let answer = match waiting {
            Some(waiting) => ready!(waiting.as_mut().poll_for(cx, ask)),
            None => match ready!(ask(&layer.breaker, cx)) {
                Ok(answer) => answer,
                Err(_) => {
                    let begun = Waiting::new(layer.breaker.clone(), layer.sleep.clone());
                    ready!(waiting.insert(Box::pin(begun)).as_mut().poll_for(cx, ask))
                }
            },
        };
        *waiting = None;
        self.reserved.0 = Some(answer.map_err(Error::Inner)?);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let asked = match self.reserved.begin() {
            Some(permit) => Ok(permit),
            None => self.layer.breaker.try_acquire_owned(),
        };
        self.asked_inner = false;
        super::call(&mut self.inner, request, asked, self.layer.classify.clone())
    }
}

/// The service's own error ends the wait, as a permit does; a rejection does not.
type Answer<T, E> = Result<Result<T, E>, Rejected>;

/// A permit, when the service is ready to use it. When the breaker does not give one, the service holds nothing.
fn reserve<S, Req, C, O>(
    inner: &mut S,
    asked_inner: &mut bool,
    breaker: &Breaker<C, O>,
    cx: &mut Context<'_>,
) -> Poll<Answer<Owned<C, O>, S::Error>>
where
    S: Service<Req> + Clone,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    let asked = match breaker.shared().look(None) {
        Ok(()) => {
            *asked_inner = true;
            if let Err(error) = ready!(inner.poll_ready(cx)) {
                return Poll::Ready(Ok(Err(error)));
            }
            // After the service is ready: a slot is for a call, and not for waiting.
            breaker.ask_owned().inspect(Permit::reserve)
        }
        Err(rejected) => Err(rejected),
    };
    if asked.is_err() && *asked_inner {
        *inner = inner.clone();
        *asked_inner = false;
    }
    Poll::Ready(asked.map(Ok))
}

impl<C: Fn() -> Instant, O: BreakerObserver> Reserved<C, O> {
    fn is_usable(&self) -> bool {
        self.0.as_ref().is_some_and(Permit::is_usable)
    }

    /// The permit, if the call that begins now can be made with it.
    fn begin(&mut self) -> Option<Owned<C, O>> {
        if self.0.as_mut().is_some_and(Permit::restart) {
            return self.0.take();
        }
        self.release();
        None
    }

    fn release(&mut self) {
        if let Some(permit) = self.0.take() {
            permit.release();
        }
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Reserved<C, O> {
    fn drop(&mut self) {
        in_a_drop(|| self.release());
    }
}

impl<W: Clone, K: Clone, C, O> Clone for HoldLayer<W, K, C, O> {
    fn clone(&self) -> Self {
        Self { breaker: self.breaker.clone(), classify: self.classify.clone(), sleep: self.sleep.clone() }
    }
}

/// Without the permit, if there is one, and without its place among those who wait.
impl<S, W, F, K, C, O> Clone for HoldService<S, W, F, K, C, O>
where
    S: Clone,
    W: Clone,
    K: Clone,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.layer.clone())
    }
}

impl<W, K, C, O> fmt::Debug for HoldLayer<W, K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldLayer").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, W, F, K, C: Fn() -> Instant, O: BreakerObserver> fmt::Debug for HoldService<S, W, F, K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldService")
            .field("inner", &self.inner)
            .field("breaker", &self.layer.breaker)
            .field("reserved", &self.reserved.0.is_some())
            .field("waiting", &self.waiting.is_some())
            .finish_non_exhaustive()
    }
}
