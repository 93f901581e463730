//! What a strategy is given: one request, and the means to send it, every attempt counted.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode, header::HeaderMap};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::Instant;

use super::{
    counted::Counted,
    provider::Provider,
    service::{Reply, Service},
};

/// The final answer to a request, and the result of each attempt. Any status is `Ok`; an error is an answer that did not
/// come, and its kind says why: `ConnectionRefused`, `ConnectionReset`, or a strategy's own `TimedOut`. A response has its
/// [`Provider`] as an extension.
pub type Answer = io::Result<Response<Bytes>>;

/// One request of the load: what a strategy turns into one final [`Answer`].
#[derive(Debug)]
pub struct Request {
    id: u64,
    attempts: Attempts,
    client: Arc<Client>,
}

/// How many attempts of a request were sent to each provider. The copies of its HTTP form share it, as an extension.
#[derive(Clone, Debug, Default)]
struct Attempts(Arc<[AtomicU32; 2]>);

impl Request {
    /// The request with this number, not sent yet.
    #[must_use]
    pub fn new(id: u64, client: Arc<Client>) -> Self {
        Self { id, attempts: Attempts::default(), client }
    }

    /// Its HTTP form, for a strategy that sends it through a stack of its own over [`Client::send`]. All copies of it
    /// are attempts of this request; its `Idempotency-Key` says so to the service, and its number is the key.
    #[must_use]
    pub fn message(&self) -> http::Request<Bytes> {
        http::Request::post("/v1/chat/completions")
            .header("content-type", "application/json")
            .header(IDEMPOTENCY_KEY, self.id)
            .extension(self.attempts.clone())
            .body(Bytes::from_static(PROMPT))
            // Of constants and a number.
            .expect("a request of legal parts")
    }

    /// Sends it (again) to the primary, with no limit of time other than the caller's patience.
    ///
    /// # Errors
    ///
    /// When there is no answer; see [`Answer`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection. The service goes on with the work.
    pub async fn send(&self) -> Answer {
        self.client.send(Provider::Primary, self.message()).await
    }
}

/// The client of one run: it sends attempts, and writes down each.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    start: Instant,
    sent: Mutex<Vec<Sent>>,
    /// As `sent`, for a recorder, by the place of the provider.
    counted: [Counted; 2],
}

/// An attempt that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub to: Provider,
    /// When, since the start of the incident.
    pub at: Duration,
}

/// How attempts reach the services, which are in the order of [`Provider::ALL`].
#[derive(Debug)]
enum Transport {
    Http { client: Box<legacy::Client<HttpConnector, Full<Bytes>>>, servers: [SocketAddr; 2] },
    Direct([Arc<Service>; 2]),
}

impl Client {
    /// A client that calls the providers' servers over TCP, with keep-alive; its clock begins at `start`.
    #[must_use]
    pub fn http(servers: [SocketAddr; 2], start: Instant) -> Arc<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // It sends again by itself only what found its pooled connection closed, and so was never sent.
        let client = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self::over(Transport::Http { client: Box::new(client), servers }, start)
    }

    /// A client that calls the models of the providers' services in this process, without a network, with the same outage:
    /// what runs in an instant under tokio's paused clock. Its clock begins with the primary's incident.
    #[must_use]
    pub fn direct(services: [Arc<Service>; 2]) -> Arc<Self> {
        let start = services[Provider::Primary.place()].start();
        Self::over(Transport::Direct(services), start)
    }

    fn over(transport: Transport, start: Instant) -> Arc<Self> {
        Arc::new(Self { transport, start, sent: Mutex::default(), counted: Provider::ALL.map(Counted::new) })
    }

    /// Every attempt that was sent, refused ones included.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When its clock began.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// Sends a [message](Request::message) as the next attempt of its request at that provider.
    ///
    /// # Errors
    ///
    /// When there is no answer; see [`Answer`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection. The service goes on with the work.
    pub async fn send(&self, to: Provider, mut message: http::Request<Bytes>) -> Answer {
        let attempts = message.extensions_mut().get_or_insert_default::<Attempts>();
        let attempt = attempts.0[to.place()].fetch_add(1, Ordering::Relaxed);
        let sent = Sent { to, at: self.start.elapsed() };
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        let flight = self.counted[to.place()].send();
        let answer = match &self.transport {
            Transport::Http { client, servers } => send_http(client, servers[to.place()], message, attempt).await,
            Transport::Direct(services) => {
                send_direct(&services[to.place()], number(message.headers(), IDEMPOTENCY_KEY), attempt).await
            }
        };
        flight.end(&answer);
        answer.map(|mut response| {
            response.extensions_mut().insert(to);
            response
        })
    }
}

/// They tell the server which request and attempt it sees, so that it can draw the same luck for every strategy.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
pub(super) const ATTEMPT: &str = "x-attempt";

/// The number in a header; 0 where there is none.
pub(super) fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers.get(name).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

async fn send_http(
    client: &legacy::Client<HttpConnector, Full<Bytes>>,
    server: SocketAddr,
    mut message: http::Request<Bytes>,
    attempt: u32,
) -> Answer {
    message.headers_mut().insert(ATTEMPT, attempt.into());
    *message.uri_mut() = http::Uri::builder()
        .scheme("http")
        .authority(server.to_string())
        .path_and_query(message.uri().path())
        .build()
        // An authority can always be made of a socket address.
        .expect("a URL of legal parts");
    let response = client.request(message.map(Full::new)).await.map_err(|error| {
        let kind = if error.is_connect() { ErrorKind::ConnectionRefused } else { ErrorKind::ConnectionReset };
        io::Error::new(kind, error)
    })?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| io::Error::new(ErrorKind::ConnectionReset, error))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

async fn send_direct(service: &Arc<Service>, id: u64, attempt: u32) -> Answer {
    let now = service.start().elapsed();
    let Some(down) = service.refuses() else { return Ok(response(service.answer(id, attempt).await)) };
    if down.contains(&now) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    let answer = service.answer(id, attempt);
    if now >= down.end {
        return Ok(response(answer.await));
    }
    match tokio::time::timeout_at(service.start() + down.start, answer).await {
        Ok(reply) => Ok(response(reply)),
        Err(_) => Err(ErrorKind::ConnectionReset.into()),
    }
}

/// The HTTP form of a reply. `Retry-After` has whole seconds and is rounded up, as model APIs do that send both; who
/// reads only that one waits longer than need be.
pub(super) fn response(reply: Reply) -> Response<Bytes> {
    let ok = (200..300).contains(&reply.status);
    let mut response = Response::new(Bytes::from_static(if ok { COMPLETION } else { FAILURE }));
    // The service's statuses are legal ones.
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(wait) = reply.retry_after {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        response.headers_mut().insert("retry-after-ms", millis.into());
        response.headers_mut().insert("retry-after", millis.div_ceil(1_000).into());
    }
    response
}

const PROMPT: &[u8] = br#"{"model":"keel-1","messages":[{"role":"user","content":"Is all well?"}]}"#;
const COMPLETION: &[u8] = br#"{"choices":[{"message":{"role":"assistant","content":"All is well."}}]}"#;
const FAILURE: &[u8] = br#"{"error":{"message":"The server had an error while processing your request"}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_sent_in_both_forms_and_never_rounded_down() {
        let reply = Reply { status: 429, retry_after: Some(Duration::from_micros(150_500)) };
        let response = response(reply);
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after-ms"], "151");
        assert_eq!(response.headers()["retry-after"], "1");
    }
}
