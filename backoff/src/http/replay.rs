//! Which requests may be sent a second time.

use ::http::Request;

use crate::Repeat;

/// Whether `request` may be sent again: [`Repeat::Always`] where its method is idempotent (RFC 9110, section 9.2.2) or it
/// has an `Idempotency-Key`, else [`Repeat::IfUnprocessed`].
///
/// | request | may be sent again |
/// | --- | --- |
/// | GET, HEAD, OPTIONS, TRACE, PUT, DELETE; QUERY where the `http` crate knows it | always |
/// | any with an `Idempotency-Key` that is not empty | always: the service tells a second one from a new one |
/// | POST, PATCH, CONNECT, any other | after a refusal at the door: a refused connection, 425, 429, 503 with `Retry-After` |
///
/// The key has to be there before the first attempt, since each is sent with a copy of the same headers. Give a layer's
/// [`replay`](crate::RetryLayer::replay) a function of your own where a POST of yours may be repeated without one.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::{Exponential, Repeat, Retry, http};
/// use ::http::{Request, Response};
/// use std::{cell::Cell, convert::Infallible, future::ready, time::Duration};
/// use tower::{Service, ServiceBuilder};
///
/// let read = Request::get("/orders").body("")?;
/// assert_eq!(http::by_method(&read), Repeat::Always);
///
/// let order = Request::post("/orders").body("one teapot")?;
/// assert_eq!(http::by_method(&order), Repeat::IfUnprocessed, "two might come");
///
/// let keyed = Request::post("/orders").header("Idempotency-Key", "b2f6").body("one teapot")?;
/// assert_eq!(http::by_method(&keyed), Repeat::Always);
///
/// let retry = Retry::new(Exponential::new(Duration::from_millis(100)).take(2), tokio::time::sleep).when(http::classify);
/// let calls = Cell::new(0);
/// let mut service = ServiceBuilder::new().layer(retry.layer().replay(http::by_method)).service_fn(|_: Request<&str>| {
///     calls.set(calls.get() + 1);
///     ready(Ok::<_, Infallible>(Response::builder().status(502).body(()).unwrap()))
/// });
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// for (request, attempts) in [(read, 3), (order, 1), (keyed, 3)] {
///     calls.set(0);
///     assert_eq!(service.call(request).await.unwrap().status(), 502);
///     assert_eq!(calls.get(), attempts);
/// }
/// # });
/// # Ok::<(), ::http::Error>(())
/// ```
#[must_use]
pub fn by_method<B>(request: &Request<B>) -> Repeat {
    if request.method().is_idempotent() || has_key(request) { Repeat::Always } else { Repeat::IfUnprocessed }
}

/// A key is a quoted string, by the draft (draft-ietf-httpapi-idempotency-key-header), or a bare one, by custom.
fn has_key<B>(request: &Request<B>) -> bool {
    let keys = request.headers().get_all("idempotency-key");
    keys.into_iter().any(|key| !matches!(key.as_bytes().trim_ascii(), b"" | b"\"\""))
}
