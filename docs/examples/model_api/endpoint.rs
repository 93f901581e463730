//! One provider: its breaker, its requests, and what becomes of an attempt there.

use std::{
    fmt,
    future::Future,
    io,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use evenkeel_backoff::{
    Hint, Outcome,
    http::{AttemptLog, Classifier},
};
use evenkeel_breaker::{self as breaker, Breaker, BreakerLayer, BreakerMetrics, BreakerObserver, Error, Transition};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::json;
use tower::{Service, ServiceBuilder, service_fn};

use super::config::Provider;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) prompt: Arc<str>,
}

/// What a provider answers, whatever its status.
pub(crate) type Answer = Response<Bytes>;

/// There is no answer: it was not asked, as its breaker is open, or it did not come.
pub(crate) type Failure = Error<io::Error>;

/// A provider's breaker, for those who operate the program.
pub(crate) type Guard = Breaker<fn() -> Instant, (BreakerMetrics, Diary)>;

/// A provider as it is called. All clones share its breaker.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) breaker: Guard,
    provider: Arc<Provider>,
    authorization: Option<HeaderValue>,
    http: reqwest::Client,
}

impl Endpoint {
    pub(crate) fn new(provider: &Provider, authorization: Option<HeaderValue>, http: &reqwest::Client) -> Self {
        let metrics = BreakerMetrics::new(provider.name.clone()).with_durations();
        let breaker = provider.breaker.builder().observe((metrics, Diary(provider.name.clone())));
        Self {
            breaker: breaker.build().expect("the settings were checked when they were read"),
            provider: Arc::new(provider.clone()),
            authorization,
            http: http.clone(),
        }
    }

    /// The layers that each attempt goes through.
    pub(crate) fn service(
        &self,
        log: &AttemptLog,
    ) -> impl Service<Chat, Response = Answer, Error = Failure, Future: Send> + Clone + Send + Sync + use<> {
        let (writer, sender) = (self.clone(), self.clone());
        ServiceBuilder::new()
            // Outside of the time limit, so that what hangs is a failure to it.
            .layer(BreakerLayer::new(self.breaker.clone()).when(health))
            // Here, for each provider has its own key and model.
            .map_request(move |chat: Chat| writer.request(&chat.prompt, None))
            // Inside of the breaker, whose rejections are no attempts; outside of the time limit, so that it is called one.
            .layer(log.layer(&self.provider.name))
            .service(service_fn(move |request| sender.clone().send(request)))
    }

    /// What tests it all the time: a future to spawn, which never ends.
    pub(crate) fn prober<W, D>(&self, sleep: W) -> impl Future<Output: Send> + Send + use<W, D>
    where
        W: Fn(Duration) -> D + Send + 'static,
        D: Future + Send + 'static,
    {
        let endpoint = self.clone();
        // What users ask for, and as little of it as there is: a page that says "ok" knows nothing of the model.
        let check = move || endpoint.clone().send(endpoint.request("Say yes.", Some(1)));
        self.breaker
            .prober(sleep, check)
            .when(health)
            .timeout(self.provider.attempt_timeout)
            .while_closed(self.provider.check_every)
    }

    fn request(&self, prompt: &str, max_tokens: Option<u32>) -> Request<Bytes> {
        let Provider { url, model, .. } = &*self.provider;
        let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": prompt }] });
        if let Some(tokens) = max_tokens {
            body["max_tokens"] = tokens.into();
        }
        let mut request = Request::new(Bytes::from(body.to_string()));
        (*request.method_mut(), *request.uri_mut()) = (http::Method::POST, url.clone());
        let headers = request.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        // Of an attempt that times out there is no id of the provider's; this one is the log's as well.
        headers.insert("x-client-request-id", request_id());
        if let Some(authorization) = &self.authorization {
            headers.insert("authorization", authorization.clone());
        }
        request
    }

    /// One attempt. The body is read within it: one that breaks off is a failure of the attempt.
    async fn send(self, request: Request<Bytes>) -> io::Result<Answer> {
        let mut request = reqwest::Request::try_from(request).map_err(transport)?;
        *request.timeout_mut() = Some(self.provider.attempt_timeout);
        let response = self.http.execute(request).await.map_err(transport)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut answer = Response::new(response.bytes().await.map_err(transport)?);
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        Ok(answer)
    }
}

/// Unlike any other: the time at which the program began, and a number.
fn request_id() -> HeaderValue {
    static BEGUN: LazyLock<u128> = LazyLock::new(|| SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:x}-{}", *BEGUN, COUNT.fetch_add(1, Ordering::Relaxed));
    id.try_into().expect("digits, letters and a dash")
}

/// In the terms of the system's errors, which all layers can judge, and without the URL. Where there is an error of the
/// system's in it, that one is believed.
fn transport(error: reqwest::Error) -> io::Error {
    let kind = match () {
        () if error.is_timeout() => io::ErrorKind::TimedOut,
        () if error.is_builder() => io::ErrorKind::InvalidInput,
        // The name was not found, say.
        () if error.is_connect() => io::ErrorKind::HostUnreachable,
        () => io::ErrorKind::ConnectionReset,
    };
    io::Error::new(kind, error.without_url())
}

pub(crate) const CLASSIFIER: Classifier = Classifier::new();

/// What an attempt says about a provider: it is well when only the request was wrong. When it refuses us, or cannot be
/// trusted, it is of no more use than one that is down.
fn health(attempt: &io::Result<Answer>) -> breaker::Verdict {
    let verdict = CLASSIFIER.result(attempt);
    match (attempt, verdict.outcome()) {
        (Ok(answer), Outcome::Success | Outcome::Permanent) if !refuses_us(answer) => breaker::Verdict::success(),
        _ => match verdict.hint() {
            Some(Hint::NotBefore(wait) | Hint::Exactly(wait)) => breaker::Verdict::failure().not_before(wait),
            Some(Hint::Never) | None => breaker::Verdict::failure(),
        },
    }
}

/// 401 and 403: our key; 402: our bill; 404: the model's name.
pub(crate) fn refuses_us(answer: &Answer) -> bool {
    const REFUSALS: [StatusCode; 4] =
        [StatusCode::UNAUTHORIZED, StatusCode::PAYMENT_REQUIRED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
    REFUSALS.contains(&answer.status())
}

/// Writes down what a breaker did, and when: a metric is scraped every so often, and tells less.
pub(crate) struct Diary(String);

impl BreakerObserver for Diary {
    fn on_transition(&self, transition: &Transition) {
        // A program that logs would log it.
        eprintln!("{} {}: {transition}", humantime::format_rfc3339_seconds(SystemTime::now()), self.0);
    }
}

impl fmt::Debug for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Diary").field(&self.0).finish()
    }
}
