//! Around `tonic`'s calls: retries by status and pushback, hedges, deadlines, a breaker for the channel.
//!
//! Around the calls, and not in layers around the `Channel`: a gRPC status is in the trailers, behind the body, and to
//! a layer every answer is a 200. And a call is where there is something to make anew: a channel's request has a body
//! that streams.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use evenkeel_backoff::{Exponential, Outcome, Retry, TokenBudget, Verdict, grpc};
use evenkeel_breaker::{self as breaker, Abandoned, Breaker, Error};
use evenkeel_hedging::Hedge;
use tokio::{net::TcpListener, time::sleep};
use tonic::{
    Code, Request, Response, Status,
    codegen::BoxStream,
    metadata::MetadataValue,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tower::BoxError;

type Answer = Response<HealthCheckResponse>;

fn main() -> Result<(), BoxError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = Client::new(&format!("http://{}", listener.local_addr()?), Duration::from_secs(30))?;
    let calls = Arc::new(AtomicU32::new(0));
    let server = Server::builder().add_service(HealthServer::new(Moody { calls: Arc::clone(&calls) }));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let count = || calls.swap(0, Ordering::Relaxed);

    // One of the two for a call, not both, and a budget for each server (gRFC A6). Both calls of a hedge go through one
    // channel here; where there are several, choose one by the attempt's number, and add `elsewhere()`.
    let budget = TokenBudget::grpc(10.0, 0.1)?;
    let schedule = Exponential::new(Duration::from_millis(2)).cap(Duration::from_millis(20));
    let retry = Retry::new(schedule.take(3), sleep).when(again).budget(budget.clone());
    let hedge = Hedge::after(2 * LATE, sleep).when(again).budget(budget.clone());

    // The server refuses twice, the first time naming a delay.
    let answer = retry.run(|_| client.check("restarting")).await?;
    println!("restarting: {:?}, calls: {calls:?}", answer.get_ref().status());
    assert_eq!((answer.get_ref().status(), count()), (ServingStatus::Serving, 3));

    // It may be tried again by its code, and by its pushback not; and the other way round.
    for (service, code) in [("overloaded", Code::ResourceExhausted), ("missing", Code::NotFound)] {
        let refused = retry.run(|_| client.check(service)).await.unwrap_err().into_inner().ok_or("it was called")?;
        println!("{service}: {refused}, calls: {calls:?}");
        assert_eq!((refused.code(), count()), (code, 1));
    }

    // The first call hangs. A retry waits for its deadline, a hedge does not.
    hedge.run(|_| client.check("hanging")).await?;
    assert_eq!(count(), 2);
    let hasty = Client { deadline: Duration::from_millis(100), ..client.clone() };
    let late = hasty.check("hanging").await.unwrap_err().into_inner().ok_or("it was called")?;
    println!("hanging: {late}");
    assert_eq!(late.code(), Code::Cancelled, "as tonic says; others say `DEADLINE_EXCEEDED`");
    count();
    retry.run(|_| hasty.check("hanging")).await?;
    assert!(count() >= 2);

    // Each failure takes a token, each success gives a tenth of one. When half of them are gone there are no retries.
    let budget = TokenBudget::grpc(4.0, 0.1)?;
    assert!(retry.clone().budget(budget.clone()).run(|_| client.check("broken")).await.is_err());
    println!("broken: calls: {calls:?}, tokens: {} of {}", budget.balance(), budget.capacity());
    assert_eq!((count(), budget.balance()), (2, 2), "one retry, and not three");

    // Nobody listens: `UNAVAILABLE`, until the breaker of this channel has had enough.
    let nowhere = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let gone = Client::new(&format!("http://{nowhere}"), Duration::from_secs(30))?;
    let retry = retry.budget(TokenBudget::grpc(10.0, 0.1)?);
    let refused = gone.check("").await.unwrap_err().into_inner().ok_or("it was called")?;
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(retry.run(|_| gone.check("")).await.is_err(), "four more failures");
    let refused = gone.check("").await.unwrap_err();
    println!("nobody: {refused}");
    assert!(refused.is_open());
    Ok(())
}

/// Longer than a good answer takes, and shorter than the delay of a hedge.
const LATE: Duration = Duration::from_millis(5);

/// A channel, its breaker, and the limit of an attempt.
#[derive(Clone)]
struct Client {
    health: HealthClient<Channel>,
    breaker: Breaker,
    deadline: Duration,
}

impl Client {
    fn new(uri: &str, deadline: Duration) -> Result<Self, BoxError> {
        // What a hedge that has won, or a caller who has left, cuts off was late, and that is a failure. With a time that is
        // longer than the hedge's delay calls that hang would be rescued and never counted.
        let breaker = Breaker::builder().consecutive_failures(5).abandoned(Abandoned::FailureAfter(LATE)).build()?;
        Ok(Self { health: HealthClient::new(Endpoint::from_shared(uri.to_owned())?.connect_lazy()), breaker, deadline })
    }

    /// One attempt: a new request with a deadline of its own, which the server is told as well.
    async fn check(&self, service: &str) -> Result<Answer, Error<Status>> {
        // A clone shares the connection, and each call needs one of its own: it is `&mut`.
        let mut health = self.health.clone();
        let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
        request.set_timeout(self.deadline);
        self.breaker.call_with(well, health.check(request)).await
    }
}

/// What a status says.
fn failed(status: &Status) -> Verdict {
    // In bytes: what is not text is not absent, but unreadable, and that means "not again".
    let pushback = status.metadata().get(grpc::PUSHBACK).map(MetadataValue::as_bytes);
    grpc::status(status.code().into(), pushback)
}

/// Whether to call again.
fn again(attempt: &Result<Answer, Error<Status>>) -> Verdict {
    match attempt {
        Ok(_) => Verdict::success(),
        Err(Error::Inner(status)) => failed(status),
        Err(Error::Open(_)) => Verdict::permanent(),
    }
}

/// What a call says about the server: it is well when only the request was wrong.
fn well(call: &Result<Answer, Status>) -> breaker::Verdict {
    match call.as_ref().map_or_else(failed, |_| Verdict::success()).outcome() {
        Outcome::Success | Outcome::Permanent => breaker::Verdict::success(),
        Outcome::Transient | Outcome::Throttled => breaker::Verdict::failure(),
    }
}

/// A server that fails as it is asked to.
struct Moody {
    calls: Arc<AtomicU32>,
}

#[tonic::async_trait]
impl Health for Moody {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Answer, Status> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        match (request.get_ref().service.as_str(), number) {
            ("restarting", 1) => Err(pushed_back(Code::Unavailable, "5")),
            ("restarting", 2) => Err(Status::unavailable("shutting down")),
            ("overloaded", _) => Err(pushed_back(Code::ResourceExhausted, "-1")),
            ("missing", _) => Err(pushed_back(Code::NotFound, "5")),
            ("broken", _) => Err(Status::internal("broken")),
            ("hanging", 1) => future::pending().await,
            _ => Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() })),
        }
    }

    type WatchStream = BoxStream<HealthCheckResponse>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("only single checks"))
    }
}

fn pushed_back(code: Code, pushback: &'static str) -> Status {
    let mut status = Status::new(code, "busy");
    status.metadata_mut().insert(grpc::PUSHBACK, pushback.parse().expect("digits and a sign"));
    status
}

#[test]
fn it_runs() -> Result<(), BoxError> {
    main()
}
