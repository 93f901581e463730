//! A log of the attempts that failed, for the report to the provider's support: bounded, without bodies, without secrets.

mod builder;
mod credential;
mod flight;
mod ids;
#[cfg(feature = "tower")]
mod layer;
mod percent;
mod record;
mod report;
mod ring;
mod secrets;
mod table;
mod totals;
mod watch;
mod words;

use std::{
    fmt,
    hash::RandomState,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
    vec::Vec,
};

use ::http::{HeaderMap, Response};

use self::{
    flight::Flight,
    ids::IdHeaders,
    ring::{Kept, Ring},
    totals::Totals,
};

pub use self::{
    builder::AttemptLogBuilder,
    record::{AttemptEnd, AttemptRecord, RequestId},
    report::Report,
    totals::ServiceTotals,
    watch::Watch,
    words::{ErrorKinds, ErrorWords, error_kind},
};
#[cfg(feature = "tower")]
pub use layer::{AttemptLogLayer, AttemptLogService};

/// Keeps the last attempts that failed: when, how, after what time, and the ids by which the provider finds them.
///
/// After an incident the provider's support asks for times, statuses and request ids. This collects them while it lasts,
/// and [`report`](Self::report) is the text to send. Clones are handles to the same log.
///
/// It watches attempts, and so goes around the HTTP client of each provider, all of one log: inside of the retry, the hedge and
/// the breaker, so that each of their attempts is one to it and a rejection is none; and outside of the client's own time
/// limit, so that what takes too long is an error there, `timed out`, and not merely dropped.
///
/// An [`Observer`](crate::Observer) would not do. It hears verdicts, not answers, so that it never sees a request id; and of the
/// attempts that a timeout, a hedge or a caller gives up it hears nothing, though they are the ones that support can
/// explain best.
///
/// # What is recorded
///
/// | an attempt that | is recorded as |
/// | --- | --- |
/// | is answered with a status of 400 or above, which the [`Classifier`](super::Classifier) does not call a success | [`Status`](AttemptEnd::Status) |
/// | ends in an error | [`Failed`](AttemptEnd::Failed), with what [`error_kind`] calls it |
/// | is dropped before it has answered: a timeout around it, the loser of a hedge, a caller that left | [`Dropped`](AttemptEnd::Dropped), at its drop, unless it was [soon](AttemptLogBuilder::dropped_after) |
/// | panics, in the client's `call` or its future | [`Failed`](AttemptEnd::Failed), `panicked`, however soon |
/// | is answered with any other status, or dropped [soon](AttemptEnd::DroppedSoon) | not at all; it is counted ([`everything`](AttemptLogBuilder::everything) records it) |
/// | is dropped before it was polled, or fails to become ready | not at all: nothing was sent |
///
/// An attempt ends with the head of its response; bodies are not watched, neither for how long they take nor for how they
/// end.
///
/// # What cannot be in it
///
/// - **No body, no path, no query, no method, no header but the ids'.** There is no place for them.
/// - **No text of an error**: it may quote a URL, and with it a key. What an error is called is a `&'static str`, and
///   so was written by a programmer before there was a secret.
/// - **No header that carries credentials.** Ids are read from a list of headers, to which one whose name has `auth`,
///   `cookie`, `key`, `token`, `secret`, `password` or the like in it [cannot be added](AttemptLogBuilder::id_header).
/// - **No id that is a secret of its own request**, as far as one is known again: see below.
/// - **Nothing long, and nothing that is not visible ASCII**: an id has at most 128 bytes, an attempt at most four of them.
///
/// What the program itself writes, the words for errors and the names of services, is as it is, but that it stays on one line,
/// and of a name the first 64 characters count: services that differ only behind them are one.
///
/// # Which secrets are known again
///
/// Some servers echo. So a value that is [marked] is no id, nor one that is the same as any of these:
///
/// - a header of the request that is marked, or has such a part in its name: whole; without its scheme; of
///   `Token token="abc", …` and of cookies each value, with its quotes and without them;
/// - in the [layer](Self::layer), which sees the URL: a parameter of the query that has such a part in its name, or is called
///   `pass`, `pwd`, `sig` or `code`; and what is before the `@` of the authority, each half and both; as they are
///   written, and with each `%2F` read. (`author`, `keyword` and `max_tokens` are none.)
///
/// Not known again is what the server has changed: a secret *within* a longer id, in other letters, hashed, or the user and
/// password that a `Basic` has in base64. Nor is one that nothing says is one: in the path, by a name such as `x-tenant`, or to
/// [`watch`](Self::watch), which sees headers alone, in the URL. Mark what goes in a header.
///
/// Sixteen are told apart, each cookie and each parameter of an `Authorization` being one. Of an attempt whose request has
/// more, **all ids are left out**, for any might be one; everything else of it is recorded.
///
/// [marked]: https://docs.rs/http/1/http/header/struct.HeaderValue.html#method.is_sensitive
///
/// # Ids
///
/// Of the response, in this order: `x-client-request-id`, `x-request-id`, `request-id`, `x-amzn-requestid`,
/// `x-ms-request-id`, `apim-request-id`, `cf-ray`. The first also of the request: of an attempt that times out nothing comes
/// back, so an id of one's own is the only one there is. Send one, and if it goes by another name,
/// [say so](AttemptLogBuilder::id_header).
///
/// # Cost
///
/// An attempt that succeeds reads the clock once, looks through the names of its request's headers, adds to a counter and
/// holds a handle; it takes no lock and allocates nothing. Its future is less than 300 bytes larger. One that fails writes a
/// record of less than a kibibyte to a place of its own: places are taken in turn, and two attempts that end at the same
/// time meet only if the log has gone round in between.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::http::{AttemptEnd, AttemptLog};
/// use http::{HeaderMap, Response, StatusCode};
/// use std::{convert::Infallible, num::NonZeroUsize};
///
/// let log = AttemptLog::new(NonZeroUsize::new(256).unwrap());
/// let request = HeaderMap::new();
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// for (status, id) in [(200, "req_1"), (503, "req_2")] {
///     let attempt = async move { Response::builder().status(status).header("x-request-id", id).body("") };
///     log.watch("openai", &request, attempt).await.unwrap();
/// }
/// # });
/// let records = log.records();
/// assert_eq!(records.len(), 1, "the 200 is counted, and not recorded");
/// assert_eq!(records[0].end, AttemptEnd::Status(StatusCode::SERVICE_UNAVAILABLE));
/// assert_eq!(&*records[0].request_ids[0].value, "req_2");
///
/// let report = log.report().to_string();
/// assert!(report.contains("openai: 1 of 2 attempts failed"), "{report}");
/// assert!(report.contains("x-request-id=req_2"), "{report}");
/// ```
#[derive(Clone)]
pub struct AttemptLog(Arc<Shared>);

/// What all handles share.
struct Shared {
    ring: Ring,
    totals: Totals,
    ids: IdHeaders,
    everything: bool,
    dropped_after: Duration,
    clock: fn() -> Instant,
    wall_clock: fn() -> SystemTime,
    /// The key of the fingerprints by which a secret is known again.
    key: RandomState,
}

impl AttemptLog {
    /// As many attempts as a log can keep. A report of more is for a program to read, which has its own log of everything.
    pub const MAX_CAPACITY: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

    /// As many services as a log counts apart: names are the program's own, and few. If they are not, all that are beyond are
    /// one, `others`, and with them a service that the program itself calls so.
    pub const MAX_SERVICES: usize = 64;

    /// A log of the last `capacity` attempts that failed; of the last [`MAX_CAPACITY`](Self::MAX_CAPACITY), if it is above
    /// that.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        AttemptLogBuilder::new(capacity.min(Self::MAX_CAPACITY)).log()
    }

    /// The same with settings.
    ///
    /// ```
    /// use evenkeel_backoff::http::AttemptLog;
    /// use http::HeaderName;
    /// use std::num::NonZeroUsize;
    ///
    /// let capacity = NonZeroUsize::new(256).unwrap();
    /// let log = AttemptLog::builder(capacity).id_header(HeaderName::from_static("x-trace")).everything().build()?;
    /// # let _ = log;
    ///
    /// let refused = AttemptLog::builder(capacity).id_header(http::header::AUTHORIZATION).build().unwrap_err();
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "id_header has `auth` in its name: it must be a header that carries no credentials"
    /// );
    /// # Ok::<(), evenkeel_backoff::Invalid>(())
    /// ```
    #[must_use]
    pub const fn builder(capacity: NonZeroUsize) -> AttemptLogBuilder {
        AttemptLogBuilder::new(capacity)
    }

    /// Watches the attempts of a tower service, by the name of `service`: at most 64 characters, what is beyond does not count.
    #[cfg(feature = "tower")]
    #[must_use]
    pub fn layer(&self, service: &str) -> AttemptLogLayer {
        AttemptLogLayer::new(self.clone(), self.0.totals.place(service))
    }

    /// Watches one attempt, without tower: a future of a response, sent with these headers.
    ///
    /// `service` is whom it asks, a name of the program's. Give it the headers of the request as they are sent: of them are
    /// the id of one's own, and the secrets that must not come back as an id. An empty map will do where there are neither.
    /// What is secret in the URL it does not see: the [layer](Self::layer) does.
    ///
    /// # Examples
    ///
    /// Around each attempt of a retry, and inside of its limit on an attempt, which drops the one that takes too long:
    ///
    /// ```
    /// use evenkeel_backoff::{Retry, http::{AttemptEnd, AttemptLog, classify}};
    /// use http::{HeaderMap, HeaderValue, Response};
    /// use std::{future::pending, io, num::NonZeroUsize, time::Duration};
    ///
    /// let log = AttemptLog::new(NonZeroUsize::new(256).unwrap());
    /// let retry = Retry::new([Duration::from_millis(50)], tokio::time::sleep)
    ///     .when(classify)
    ///     .attempt_timeout(Duration::from_secs(8), || io::Error::from(io::ErrorKind::TimedOut));
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let answer = retry.run(|attempt| {
    ///     let id = HeaderValue::from_str(&format!("chat-{attempt}")).unwrap();
    ///     let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-client-request-id"), id)]);
    ///     let answer = async move { if attempt == 0 { pending().await } else { Ok(Response::new("Hello")) } };
    ///     log.watch("openai", &headers, answer)
    /// });
    /// assert_eq!(answer.await.unwrap().into_body(), "Hello");
    /// # });
    /// let late = &log.records()[0];
    /// assert_eq!((late.end, &*late.request_ids[0].value), (AttemptEnd::Dropped, "chat-0"));
    /// ```
    pub fn watch<F>(&self, service: &str, request: &HeaderMap, attempt: F) -> Watch<F> {
        Watch::new(Flight::begin(self, self.0.totals.place(service), request, None), attempt, ErrorKinds)
    }

    /// Watches one attempt that a thread makes: the twin of [`watch`](Self::watch).
    ///
    /// ```
    /// use evenkeel_backoff::http::{AttemptEnd, AttemptLog};
    /// use http::{HeaderMap, Response};
    /// use std::{io, num::NonZeroUsize};
    ///
    /// let log = AttemptLog::new(NonZeroUsize::MIN);
    /// let reset = || Err::<Response<()>, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    /// log.watch_blocking("openai", &HeaderMap::new(), reset).unwrap_err();
    /// assert_eq!(log.records()[0].end, AttemptEnd::Failed("connection reset"));
    /// ```
    ///
    /// # Errors
    ///
    /// That of the attempt.
    ///
    /// # Panics
    ///
    /// A panic of the attempt goes through it; it is recorded as `panicked`.
    pub fn watch_blocking<B, E>(
        &self,
        service: &str,
        request: &HeaderMap,
        attempt: impl FnOnce() -> Result<Response<B>, E>,
    ) -> Result<Response<B>, E>
    where
        ErrorKinds: ErrorWords<E>,
    {
        let mut flight = Flight::begin(self, self.0.totals.place(service), request, None);
        let result = flight.run(attempt);
        flight.end(&result, &ErrorKinds);
        result
    }

    /// What is on record, in the order in which the attempts ended: the oldest first, at most as many as the capacity.
    #[must_use]
    pub fn records(&self) -> Vec<AttemptRecord> {
        let mut kept = self.0.ring.kept();
        kept.retain(|kept| self.0.totals.is_current(kept.counted));
        kept.into_iter().map(Kept::into_record).collect()
    }

    /// All of it as a text for the support; [`Report`] has ways to choose.
    #[must_use]
    pub fn report(&self) -> Report {
        // The records first: what is on record was counted before.
        let mut kept = self.0.ring.kept();
        let totals = self.0.totals.counts(&mut kept);
        let records = kept.into_iter().map(Kept::into_record).collect();
        Report::new(records, totals, self.0.everything, self.0.ring.since())
    }

    /// Forgets what is on record, and what was counted. An attempt that ends in this moment is either forgotten, or counted
    /// and on record: totals and records agree.
    pub fn clear(&self) {
        let now = (self.0.wall_clock)();
        // The totals first: they say what of the ring is old.
        self.0.totals.clear();
        self.0.ring.clear(now, |counted| self.0.totals.is_current(counted));
    }

    /// As many records as it keeps.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.0.ring.capacity()
    }
}

impl fmt::Debug for AttemptLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptLog").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
