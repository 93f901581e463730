//! Blocking: ureq under a retry, threads that share one breaker and one budget, and what ureq's errors mean.

// A program may choose its sleeper; the libraries may not.
#![allow(clippy::disallowed_methods)]

use std::{
    cell::RefCell,
    error,
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use evenkeel_backoff::{Exponential, Hint, Outcome, Retry, TokenBudget, Unlimited, Verdict, http::Classifier};
use evenkeel_breaker::{self as breaker, Breaker, Error, OpenTimes, State};
use http::Response;
use ureq::{Agent, Timeout};

#[path = "support/blocking_server.rs"]
mod blocking_server;
use blocking_server::Server;

type Failure = Error<ureq::Error>;
type Answer<E = Failure> = Result<Response<String>, E>;
/// A policy can be named where its functions are pointers.
type Policy<B> = Retry<Exponential, fn(Duration), fn(&Answer) -> Verdict, B>;

/// A thread cannot be stopped in a call: the limit of an attempt is the client's, and `run_blocking` has none.
const ATTEMPT: Duration = Duration::from_secs(5);
const THREADS: u32 = 8;
const REQUESTS: u32 = 10; // of each

fn main() -> Result<(), Box<dyn error::Error>> {
    an_incident()?;
    a_retry_after_is_honoured()?;
    what_errors_mean()
}

/// Clones share the breaker, the budget and the connections.
#[derive(Clone)]
struct Client {
    agent: Agent,
    breaker: Breaker,
    retry: Policy<TokenBudget>,
    come_back: Policy<Unlimited>,
}

impl Client {
    fn new() -> Result<Self, breaker::Invalid> {
        let [first, cap] = [5, 50].map(Duration::from_millis);
        let open = OpenTimes::new(Duration::from_millis(20), Duration::from_millis(20));
        Ok(Self {
            agent: agent(ATTEMPT),
            // Left alone, a probe would have as long as the breaker was open, which is short for a call here.
            breaker: Breaker::builder().consecutive_failures(5).open_for(open).probe_timeout(ATTEMPT).build()?,
            retry: Retry::new(Exponential::new(first).cap(cap).take(3), thread::sleep as fn(Duration))
                .when(again as fn(&Answer) -> Verdict)
                .budget(TokenBudget::default()),
            // What the breaker rejects was not sent, so that nobody pays for coming back.
            come_back: Retry::new(Exponential::new(first).cap(cap).take(2), thread::sleep as fn(Duration))
                .when(rejected_for_now as fn(&Answer) -> Verdict)
                .budget(Unlimited),
        })
    }

    fn get(&self, url: &str) -> Answer {
        self.retry.run_blocking(|_| self.come_back.run_blocking(|_| self.call(url)))
    }

    /// `Breaker::call_blocking_with` by hand, which is for calls of several steps.
    fn call(&self, url: &str) -> Answer {
        let permit = self.breaker.try_acquire()?;
        let answer = exchange(&self.agent, url);
        // Before any `?` on the answer: a permit that is dropped counts for nothing, and the breaker would never open.
        permit.record(health(&answer));
        answer.map_err(Error::Inner)
    }
}

/// An agent that answers with a response whatever its status is, and never later than this.
fn agent(limit: Duration) -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(limit)).build().into()
}

/// With the body, so that one which breaks off is a failed attempt.
fn exchange(agent: &Agent, url: &str) -> Answer<ureq::Error> {
    let (head, mut body) = agent.get(url).call()?.into_parts();
    Ok(Response::from_parts(head, body.read_to_string()?))
}

/// What an answer says. ureq's errors have no `source`, so that the classifier sees nothing of the `io::Error` in one: it is
/// given what is inside, and the rest is said here.
fn said(answer: Result<&Response<String>, &ureq::Error>) -> Verdict {
    use ureq::Error as E;
    match answer {
        Ok(response) => Classifier::new().response(response),
        Err(E::Io(error)) => Classifier::new().error(error),
        // There was no connection yet.
        Err(E::Timeout(Timeout::Resolve | Timeout::Connect) | E::HostNotFound | E::ConnectionFailed) => {
            Verdict::transient().unprocessed()
        }
        Err(E::Timeout(_) | E::Protocol(_)) => Verdict::transient(),
        // A URL, a header, a proxy, a certificate: someone has to change it first.
        Err(_) => Verdict::permanent(),
    }
}

/// What it says about the service.
fn health(answer: &Answer<ureq::Error>) -> breaker::Verdict {
    let verdict = said(answer.as_ref());
    match (verdict.outcome(), verdict.hint()) {
        // It was not sent.
        (Outcome::Permanent, _) if answer.is_err() => breaker::Verdict::ignored(),
        (Outcome::Success | Outcome::Permanent, _) => breaker::Verdict::success(),
        (_, Some(Hint::NotBefore(delay) | Hint::Exactly(delay))) => breaker::Verdict::failure().not_before(delay),
        (Outcome::Transient | Outcome::Throttled, _) => breaker::Verdict::failure(),
    }
}

/// Whether to send it again. A rejection that comes up to here has been waited for already.
fn again(answer: &Answer) -> Verdict {
    match answer {
        Ok(response) => said(Ok(response)),
        Err(Error::Open(_)) => Verdict::permanent(),
        Err(Error::Inner(error)) => said(Err(error)),
    }
}

/// Whether to ask the breaker again, and when. A probe that is out can answer at any moment: nobody waits for its timeout.
fn rejected_for_now(answer: &Answer) -> Verdict {
    let Err(Error::Open(rejected)) = answer else {
        return Verdict::success(); // it was sent; the rest is the retry's business
    };
    match rejected.retry_after() {
        Some(wait) if rejected.state() == State::Open => Verdict::transient().not_before(wait),
        Some(_) => Verdict::transient(),
        None => Verdict::permanent(), // forced open: nobody knows for how long
    }
}

fn an_incident() -> Result<(), Box<dyn error::Error>> {
    let is_well = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let is_well = Arc::clone(&is_well);
        move |connection, _| match is_well.load(Ordering::Relaxed) {
            true => reply(connection, "200 OK\r\ncontent-length: 4", "well"),
            false => reply(connection, "503 Service Unavailable\r\ncontent-length: 0", ""),
        }
    })?;
    let (client, url) = (Client::new()?, format!("http://{}/", server.address));
    let everyone = || {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let client = client.clone();
                    scope.spawn(|| {
                        let client = client;
                        (0..REQUESTS).filter(|_| client.get(&url).is_ok_and(|answer| answer.body() == "well")).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no request panics")).sum::<usize>()
        })
    };

    assert_eq!(everyone(), 0, "it is down");
    let calls = server.calls();
    println!("down: {} requests of {THREADS} threads, {calls} calls", THREADS * REQUESTS);
    assert!(calls <= THREADS * REQUESTS + 35, "the budget has 35 retries for all of them: {calls}");
    assert_ne!(client.breaker.state(), State::Closed);

    is_well.store(true, Ordering::Relaxed);
    assert_eq!(client.get(&url)?.body(), "well", "the first one has waited for the breaker, and was its probe");
    assert_eq!(everyone(), 80, "all are answered");
    println!("well again: {} requests, {} calls; the breaker is {}", 81, server.calls(), client.breaker.state());
    Ok(())
}

fn a_retry_after_is_honoured() -> Result<(), Box<dyn error::Error>> {
    let server = Server::start(|connection, number| match number {
        0 => reply(connection, "429 Too Many Requests\r\nretry-after: 0.05\r\ncontent-length: 0", ""),
        _ => reply(connection, "200 OK\r\ncontent-length: 4", "here"),
    })?;
    let (agent, waits) = (agent(ATTEMPT), RefCell::new(Vec::new()));
    let sleep = |delay| {
        waits.borrow_mut().push(delay);
        thread::sleep(delay);
    };
    let schedule = Exponential::new(Duration::from_millis(5)).take(2);
    let retry = Retry::new(schedule, sleep).when(|answer: &Answer<ureq::Error>| said(answer.as_ref()));

    let answer = retry.run_blocking(|_| exchange(&agent, &format!("http://{}/", server.address)))?;
    assert_eq!(answer.body(), "here");
    let waits = waits.borrow();
    println!("a 429 with `retry-after: 0.05`: waited {waits:.1?}");
    assert!(waits.len() == 1 && (50..=55).contains(&waits[0].as_millis()), "the server's delay, and jitter on top");
    Ok(())
}

fn what_errors_mean() -> Result<(), Box<dyn error::Error>> {
    let server = Server::start(|connection, number| match number {
        0 => gone(connection),
        _ => reply(connection, "200 OK\r\ncontent-length: 10", "half"),
    })?;
    let (url, patient, hasty) =
        (format!("http://{}/", server.address), agent(ATTEMPT), agent(Duration::from_millis(20)));
    let late = exchange(&hasty, &url).unwrap_err();
    assert!(matches!(late, ureq::Error::Timeout(_)), "{late}");
    let broken_off = exchange(&patient, &url).unwrap_err();
    drop(server);
    let refused = exchange(&patient, &url).unwrap_err();
    let wrong = exchange(&patient, "/no/host").unwrap_err();

    for (error, meant) in [
        (late, Verdict::transient()),
        (broken_off, Verdict::transient()),
        (refused, Verdict::transient().unprocessed()),
        (ureq::Error::Timeout(Timeout::Connect), Verdict::transient().unprocessed()),
        (wrong, Verdict::permanent()),
    ] {
        println!("{error}: {:?}, surely not processed: {}", meant.outcome(), meant.is_unprocessed());
        assert_eq!(said(Err(&error)), meant, "{error:?}");
        // What it says of all of them when it is given ureq's error as it is: a wrong URL would be tried again.
        assert_eq!(Classifier::new().error(&error), Verdict::transient());
    }
    Ok(())
}

/// Reads the head of a request, and answers.
fn reply(mut connection: TcpStream, head: &str, body: &str) -> io::Result<()> {
    for line in BufReader::new(connection.try_clone()?).lines() {
        if line?.is_empty() {
            break;
        }
    }
    write!(connection, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}")
}

/// Answers nothing until the client has had enough.
fn gone(connection: TcpStream) -> io::Result<()> {
    BufReader::new(connection).lines().try_for_each(|line| line.map(drop))
}

#[test]
fn it_runs() -> Result<(), Box<dyn error::Error>> {
    main()
}
