//! Around `hyper-util`'s client: hedged, retried, with a breaker, against a server whose first answer hangs.

use std::{
    convert::Infallible,
    error, fmt, future, io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel_backoff::{Exponential, Hint, Outcome, Retry, TokenBudget, Verdict, http::Classifier, http::by_method};
use evenkeel_breaker::{self as breaker, Abandoned, Breaker, BreakerLayer, Error};
use evenkeel_hedging::Hedge;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{self, Client},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{net::TcpListener, time::sleep};
use tower::{BoxError, ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

type Asked = Request<Full<Bytes>>;
type Answer = Response<Bytes>;
/// Boxed, so that it has a name and can be spawned: see `Hedge::classify`.
type Stack = BoxCloneSyncService<Asked, Answer, Error<Failure>>;

fn main() -> Result<(), BoxError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?;
    let requests = Arc::new(AtomicU32::new(0));
    tokio::spawn(serve(listener, Arc::clone(&requests)));
    let patient = stack(Breaker::new(), Duration::from_secs(30));
    // What is asked, and how many requests the server saw for it. The client wants whole addresses, for a path says no
    // host.
    let ask = async |service: &Stack, request: http::request::Builder, path: &str| {
        requests.store(0, Ordering::Relaxed);
        let request = request.uri(format!("http://{server}{path}")).body(Full::from("A teapot, please."))?;
        let answer = tokio::spawn(service.clone().oneshot(request)).await?;
        Ok::<_, BoxError>((answer.map(Response::into_body), requests.load(Ordering::Relaxed)))
    };
    let post = || Request::post("/");

    let (answer, requests) = ask(&patient, Request::get("/"), "/late").await?;
    println!("GET /late: {answer:?}, requests: {requests}");
    assert_eq!((answer?.as_ref(), requests), (&b"answer 2"[..], 2));

    let (answer, requests) = ask(&patient, post(), "/slow").await?;
    println!("POST /slow: {answer:?}, requests: {requests}: two teapots might come");
    assert_eq!((answer?.as_ref(), requests), (&b"answer 1"[..], 1));

    let (answer, requests) = ask(&patient, post().header("idempotency-key", "b2f6"), "/late/with/key").await?;
    println!("POST /late with a key: {answer:?}, requests: {requests}");
    assert_eq!((answer?.as_ref(), requests), (&b"answer 2"[..], 2));

    // A failure does not wait for the hedge's delay: the second is sent at once. When both have failed, the retry
    // begins anew.
    let (answer, requests) = ask(&patient, Request::get("/"), "/failing").await?;
    println!("GET /failing: {answer:?}, requests: {requests}");
    assert!(answer.is_ok() && requests >= 3);

    // Nothing comes back, and what the timeout cuts off counts: the breaker opens, and the rest is not sent.
    let breaker = Breaker::builder().consecutive_failures(3).abandoned(Abandoned::FailureAfter(HASTY / 2)).build()?;
    let (answer, requests) = ask(&stack(breaker, HASTY), Request::get("/"), "/down").await?;
    println!("GET /down: {answer:?}, requests: {requests}");
    assert!(answer.is_err_and(|error| error.is_open()) && requests < 8, "not four attempts, each hedged");
    Ok(())
}

const HASTY: Duration = Duration::from_millis(100);

/// The stack; `limit` is that of an attempt, its hedge included.
fn stack(breaker: Breaker, limit: Duration) -> Stack {
    let budget = TokenBudget::default();
    let schedule = Exponential::new(Duration::from_millis(2)).cap(Duration::from_millis(20));
    let retry = Retry::new(schedule.take(3), sleep)
        .when(again)
        .budget(budget.clone())
        .deadline(Duration::from_secs(60))
        .attempt_timeout(limit, || Error::Inner(Failure::Late)); // the client has none of its own
    let hedge = Hedge::after(Duration::from_millis(10), sleep).when(again).budget(budget);
    let stack = ServiceBuilder::new()
        .layer(retry.layer().replay(by_method))
        .layer(hedge.layer().replay(by_method))
        .layer(BreakerLayer::new(breaker).when(health))
        .and_then(read)
        .map_err(Failure::Request)
        .service(Client::builder(TokioExecutor::new()).build_http());
    BoxCloneSyncService::new(stack)
}

/// The rest of an attempt: a body that breaks off, or is late, is a failure of it.
async fn read(response: Response<Incoming>) -> Result<Answer, Failure> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(Failure::Body)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// How an attempt fails: the client's errors before and after the head of the response are of two types.
#[derive(Debug)]
enum Failure {
    Request(legacy::Error),
    Body(hyper::Error),
    Late,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "no response",
            Self::Body(_) => "the response broke off",
            Self::Late => "no response in time",
        })
    }
}

impl error::Error for Failure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Body(error) => Some(error),
            Self::Late => None,
        }
    }
}

const HTTP: Classifier = Classifier::new();

/// Whether to ask again: for the hedge, which has the same breaker, and for the retry.
fn again(attempt: &Result<Answer, Error<Failure>>) -> Verdict {
    let verdict = HTTP.result(attempt);
    match attempt {
        // Without a connection nothing was sent.
        Err(Error::Inner(Failure::Request(error))) if error.is_connect() => verdict.unprocessed(),
        Err(Error::Open(_)) => Verdict::permanent(),
        Ok(_) | Err(Error::Inner(_)) => verdict,
    }
}

/// What an attempt says about the server.
fn health(attempt: &Result<Answer, Failure>) -> breaker::Verdict {
    let verdict = HTTP.result(attempt);
    match (verdict.outcome(), verdict.hint()) {
        // A URL that is none, say: nothing was sent.
        (Outcome::Permanent, _) if attempt.is_err() => breaker::Verdict::ignored(),
        (Outcome::Success | Outcome::Permanent, _) => breaker::Verdict::success(),
        (_, Some(Hint::NotBefore(wait) | Hint::Exactly(wait))) => breaker::Verdict::failure().not_before(wait),
        (Outcome::Transient | Outcome::Throttled, _) => breaker::Verdict::failure(),
    }
}

/// A server that counts what it is asked, and makes the first to ask for some paths wait.
async fn serve(listener: TcpListener, requests: Arc<AtomicU32>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let requests = Arc::clone(&requests);
        let answer = service_fn(move |request: Request<Incoming>| {
            let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                let mut response = Response::new(Full::<Bytes>::from(format!("answer {number}")));
                match (request.uri().path(), number) {
                    ("/late" | "/late/with/key", 1) | ("/down", _) => future::pending().await,
                    ("/slow", _) => sleep(Duration::from_millis(30)).await,
                    ("/failing", ..3) => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
                    _ => {}
                }
                Ok::<_, Infallible>(response)
            }
        });
        // A hedge that has lost is dropped, and with HTTP/1 its connection goes with it: here that is an error.
        tokio::spawn(async move { drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await) });
    }
}

#[test]
fn it_runs() -> Result<(), BoxError> {
    main()
}
