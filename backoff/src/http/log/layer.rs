//! The layer, and the service that it makes.

use std::{
    fmt,
    task::{Context, Poll},
};

use ::http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{AttemptLog, ErrorKinds, ErrorWords, Watch, flight::Flight};

/// Watches each attempt of the service under it: see [`AttemptLog::layer`].
///
/// It goes inside of the breaker, the retry and the hedge, so that each of their attempts is one to it; and outside of the
/// client's own time limit, so that what takes too long is `timed out` to it. (Of a timeout around it, as of a retry's
/// limit on an attempt, it sees the victims dropped.) Put one around each provider, all of the same log.
///
/// Requests and responses are `http`'s, with any bodies. It adds nothing to the readiness of the service, and clones nothing.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::{Retry, http::{AttemptEnd, AttemptLog, error_kind}};
/// use http::{Request, Response};
/// use std::{io, num::NonZeroUsize, time::Duration};
/// use tower::{BoxError, ServiceBuilder, ServiceExt};
///
/// let log = AttemptLog::new(NonZeroUsize::new(256).unwrap());
/// let retry = Retry::new([Duration::from_millis(50)], tokio::time::sleep)
///     .attempt_timeout(Duration::from_secs(10), || BoxError::from("too late"));
/// let client = ServiceBuilder::new()
///     .layer(retry.layer())
///     // A boxed error is no `Error`, but what is in the box is.
///     .layer(log.layer("openai").errors(|error: &BoxError| error_kind(&**error)))
///     .service_fn(|request: Request<&'static str>| async move {
///         match request.uri().path() {
///             "/slow" => std::future::pending().await,
///             "/refused" => Err(io::Error::from(io::ErrorKind::ConnectionRefused).into()),
///             _ => Ok::<_, BoxError>(Response::new("Hello")),
///         }
///     });
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// for path in ["/", "/slow", "/refused"] {
///     let _ = client.clone().oneshot(Request::get(path).body("").unwrap()).await;
/// }
/// # });
/// let ends: Vec<AttemptEnd> = log.records().into_iter().map(|record| record.end).collect();
/// let (late, refused) = (AttemptEnd::Dropped, AttemptEnd::Failed("connection refused"));
/// assert_eq!(ends, [late, late, refused, refused], "two attempts each");
/// ```
#[derive(Clone)]
pub struct AttemptLogLayer<K = ErrorKinds> {
    log: AttemptLog,
    place: usize,
    words: K,
}

/// The service of an [`AttemptLogLayer`].
#[derive(Clone)]
pub struct AttemptLogService<S, K = ErrorKinds> {
    inner: S,
    layer: AttemptLogLayer<K>,
}

impl AttemptLogLayer {
    pub(super) const fn new(log: AttemptLog, place: usize) -> Self {
        Self { log, place, words: ErrorKinds }
    }
}

impl<K> AttemptLogLayer<K> {
    /// Calls errors what `words` says: for those that are no [`Error`](std::error::Error), such as boxed ones, or to say
    /// more. A function `|error: &E| …` to a `&'static str`.
    #[must_use]
    pub fn errors<W>(self, words: W) -> AttemptLogLayer<W> {
        AttemptLogLayer { log: self.log, place: self.place, words }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &AttemptLog {
        &self.log
    }
}

impl<S, K: Clone> Layer<S> for AttemptLogLayer<K> {
    type Service = AttemptLogService<S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        AttemptLogService { inner, layer: self.clone() }
    }
}

impl<S, K, A, B> Service<Request<A>> for AttemptLogService<S, K>
where
    S: Service<Request<A>, Response = Response<B>>,
    K: ErrorWords<S::Error> + Clone,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Watch<S::Future, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let AttemptLogLayer { log, place, words } = &self.layer;
        let mut flight = Flight::begin(log, *place, request.headers(), Some(request.uri()));
        let attempt = flight.run(|| self.inner.call(request));
        Watch::new(flight, attempt, words.clone())
    }
}

impl<K> fmt::Debug for AttemptLogLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.log.0.totals.service(self.place);
        f.debug_struct("AttemptLogLayer").field("service", &service).field("log", &self.log).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, K> fmt::Debug for AttemptLogService<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut service = f.debug_struct("AttemptLogService");
        service.field("inner", &self.inner).field("layer", &self.layer).finish_non_exhaustive()
    }
}
