//! Around `reqwest`: retries, a breaker and its own timeout; the server is busy, breaks off, hangs, is gone.

use std::{
    collections::HashSet,
    error::Error as _,
    future, io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel_backoff::{Exponential, Hint, Outcome, Retry, TokenBudget, Verdict, http::Classifier, http::by_method};
use evenkeel_breaker::{self as breaker, Breaker, BreakerLayer, Error};
use http::{Request, Response};
use http_body_util::BodyExt;
use reqwest::{
    Client, ClientBuilder,
    dns::{Name, Resolve, Resolving},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

type Asked = Request<Bytes>;
type Answer = Response<Bytes>;

fn main() -> Result<(), BoxError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (server, requests) = (listener.local_addr()?, Arc::new(AtomicU32::new(0)));
    tokio::spawn(serve(listener, Arc::clone(&requests)));
    let get = |path: &str| Request::get(format!("http://{server}{path}")).body(Bytes::new());
    let (patient, hasty) = (local(Duration::from_secs(30))?, local(Duration::from_millis(200))?);
    let service = stack(patient.clone(), Breaker::new());

    for (path, attempts) in [("/well", 1), ("/busy", 2), ("/broken", 2), ("/missing", 1)] {
        requests.store(0, Ordering::Relaxed);
        let answer = service.clone().oneshot(get(path)?).await?;
        println!("GET {path}: {}, requests: {requests:?}", answer.status());
        assert_eq!(requests.load(Ordering::Relaxed), attempts);
        assert_eq!(answer.status(), if path == "/missing" { 404 } else { 200 });
    }

    let answer = stack(hasty.clone(), Breaker::new()).oneshot(get("/slow")?).await?;
    println!("GET /slow: {}, when the first had its time", answer.status());

    // Its body broke off, so the order may have been taken. Without a key that question is the caller's.
    let order = |number| Request::post(format!("http://{server}/order/{number}"));
    let lost = service.clone().oneshot(order(1).body(Bytes::from_static(b"a teapot"))?).await;
    let Err(Error::Inner(error)) = lost else { panic!("{lost:?}") };
    println!("POST /order/1: {error}: {:?}", error.source());
    assert_eq!(failed(&error), Verdict::transient());
    let keyed = order(2).header("idempotency-key", "b2f6").body(Bytes::from_static(b"a teapot"))?;
    assert_eq!(service.clone().oneshot(keyed).await?.status(), 200);

    // Nobody listens: nothing is sent, so even a POST without a key is tried again; and then the breaker knows.
    let nowhere = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let post = Request::post(format!("http://{nowhere}/order")).body(Bytes::new())?;
    let gone = stack(patient, Breaker::builder().consecutive_failures(3).build()?);
    let refused = gone.oneshot(post).await.unwrap_err();
    println!("POST to nobody: {refused}");
    assert!(refused.is_open(), "three attempts have opened it, and the fourth was not made");

    // What the classifier makes of reqwest's errors as such, and what reqwest adds to that.
    let error =
        async |url: String| fetch(hasty.clone(), Request::get(url).body(Bytes::new()).unwrap()).await.unwrap_err();
    let late = error(format!("http://{server}/never")).await;
    assert!(late.is_timeout() && HTTP.error(&late) == Verdict::transient(), "a request was sent");
    let refused = error(format!("http://{nowhere}/")).await;
    assert!(refused.is_connect() && HTTP.error(&refused) == Verdict::transient().unprocessed());
    let unknown = error("http://nowhere.test/".to_owned()).await;
    assert!(unknown.is_connect() && failed(&unknown) == Verdict::transient().unprocessed());
    assert_eq!(failed(&error("gopher://127.0.0.1/".to_owned()).await), Verdict::permanent());
    Ok(())
}

/// One for the whole process: it is a pool of connections, and a clone is a handle.
fn client(limit: Duration) -> ClientBuilder {
    Client::builder()
        // The limit of an attempt, to the last byte of the body. It is reqwest's own, because `Retry::attempt_timeout`
        // needs an error to answer with, and nobody but reqwest can make a `reqwest::Error`.
        .timeout(limit)
        // With HTTP/2, reqwest by itself sends up to twice more what a server refused to begin. That is safe; but the
        // budget hears nothing of it, and neither does the breaker.
        .retry(reqwest::retry::never())
}

/// As this program needs it, whose servers are on this machine: without the proxy of the environment, and with nobody to
/// look up.
fn local(limit: Duration) -> reqwest::Result<Client> {
    client(limit).no_proxy().dns_resolver(NoNames).build()
}

struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(future::ready(Err("no such host".into())))
    }
}

/// The stack. A request is an `http::Request<Bytes>`, for it has to be copied, and a `reqwest::Request` is no `Clone`.
fn stack(
    client: Client,
    breaker: Breaker,
) -> impl Service<Asked, Response = Answer, Error = Error<reqwest::Error>, Future: Send> + Clone {
    let schedule = Exponential::new(Duration::from_millis(2)).cap(Duration::from_millis(20));
    let retry = Retry::new(schedule.take(3), sleep)
        .when(again)
        .budget(TokenBudget::default())
        .deadline(Duration::from_secs(60));
    ServiceBuilder::new()
        .layer(retry.layer().replay(by_method))
        .layer(BreakerLayer::new(breaker).when(health))
        .service_fn(move |request| fetch(client.clone(), request))
}

/// One attempt, which ends with the body: one that breaks off is a failure of the attempt, and is tried again.
async fn fetch(client: Client, request: Asked) -> reqwest::Result<Answer> {
    let response: Response<reqwest::Body> = client.execute(request.try_into()?).await?.into();
    let (head, body) = response.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

const HTTP: Classifier = Classifier::new();

/// What an error says. The classifier looks for the `io::Error` in it; reqwest knows a little more.
fn failed(error: &reqwest::Error) -> Verdict {
    let verdict = HTTP.error(error);
    match verdict.outcome() {
        // A URL that it cannot ask, a redirect in a circle.
        _ if error.is_builder() || error.is_redirect() => Verdict::permanent(),
        // Without a connection nothing was sent, whether it was refused, came too late or found no address. But a
        // certificate that is not trusted is permanent, and remains so.
        Outcome::Transient if error.is_connect() => verdict.unprocessed(),
        Outcome::Success | Outcome::Transient | Outcome::Throttled | Outcome::Permanent => verdict,
    }
}

/// Whether to try again.
fn again(attempt: &Result<Answer, Error<reqwest::Error>>) -> Verdict {
    match attempt {
        Ok(response) => HTTP.response(response),
        Err(Error::Inner(error)) => failed(error),
        Err(Error::Open(_)) => Verdict::permanent(),
    }
}

/// What an attempt says about the server.
fn health(attempt: &reqwest::Result<Answer>) -> breaker::Verdict {
    let verdict = attempt.as_ref().map_or_else(failed, |response| HTTP.response(response));
    match (verdict.outcome(), verdict.hint()) {
        // A URL that is none, say: nothing was sent.
        (Outcome::Permanent, _) if attempt.is_err() => breaker::Verdict::ignored(),
        (Outcome::Success | Outcome::Permanent, _) => breaker::Verdict::success(),
        (_, Some(Hint::NotBefore(wait) | Hint::Exactly(wait))) => breaker::Verdict::failure().not_before(wait),
        (Outcome::Transient | Outcome::Throttled, _) => breaker::Verdict::failure(),
    }
}

const BUSY: &str = "503 Service Unavailable\r\nretry-after-ms: 5\r\ncontent-length: 0\r\n\r\n";
const BROKEN: &str = "200 OK\r\ncontent-length: 100\r\n\r\nOnce upon a";
const MISSING: &str = "404 Not Found\r\ncontent-length: 0\r\n\r\n";
const WELL: &str = "200 OK\r\ncontent-length: 4\r\n\r\nwell";

/// A server that gives the first request for a path something to survive, and answers the next.
async fn serve(listener: TcpListener, requests: Arc<AtomicU32>) -> io::Result<()> {
    let (mut paths, mut hanging) = (HashSet::new(), Vec::new());
    loop {
        let (mut stream, _) = listener.accept().await?;
        // Whoever has hung up by now has no need of an answer.
        let Ok(path) = read(&mut stream).await else { continue };
        requests.fetch_add(1, Ordering::Relaxed);
        let answer = match path.as_str() {
            "/missing" => MISSING,
            _ if !paths.insert(path.clone()) => WELL,
            "/busy" => BUSY,
            "/broken" | "/order/1" | "/order/2" => BROKEN,
            "/slow" | "/never" => {
                hanging.push(stream);
                continue;
            }
            _ => WELL,
        };
        let head = "HTTP/1.1 ".to_owned() + &answer.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        let sent = stream.write_all(head.as_bytes()).await;
        if sent.is_ok() && answer == BROKEN {
            stream.set_zero_linger()?; // closed by a reset
        }
    }
}

/// Reads a request, and answers with its path.
async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let (mut stream, mut path, mut length) = (BufReader::new(stream), None, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(' ') {
            Some(("content-length:", value)) => length = value.parse().map_err(io::Error::other)?,
            Some((_, rest)) if path.is_none() => path = rest.split(' ').next().map(str::to_owned),
            Some(_) => {}
            None => break,
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    path.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

#[test]
fn it_runs() -> Result<(), BoxError> {
    main()
}
