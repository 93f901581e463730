//! A program as a user would write it: two providers, a breaker under each, alternates over them, retries over all,
//! spawned on a runtime of several threads.
#![cfg(all(feature = "tower", not(loom)))]

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_backoff::{Exponential, Retry};
use evenkeel_breaker::{Breaker, BreakerLayer, Error, State};
use evenkeel_hedging::{Alternates, Answered, Hedge, HedgeLayer, Outcome, Quantile, Repeat, TokenBudget, Verdict};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService};

type Prompt = http::Request<String>;
type Reply = http::Response<String>;
type Failure = Error<Refused>;
type Provider = BoxCloneSyncService<Prompt, Reply, Failure>;

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection refused")
    }
}

/// A server that can be taken down.
#[derive(Clone, Default)]
struct Server(Arc<Health>);

#[derive(Default)]
struct Health {
    is_down: AtomicBool,
    calls: AtomicU32,
}

impl Server {
    fn calls(&self) -> u32 {
        self.0.calls.swap(0, Ordering::Relaxed)
    }

    fn provider(&self, name: &'static str, breaker: &Breaker) -> Provider {
        let server = self.clone();
        let http = service_fn(move |prompt: Prompt| {
            let server = server.clone();
            async move {
                tokio::task::yield_now().await;
                server.0.calls.fetch_add(1, Ordering::Relaxed);
                if server.0.is_down.load(Ordering::Relaxed) {
                    return Err(Refused);
                }
                Ok(http::Response::new(format!("{name}: {}", prompt.body())))
            }
        });
        BoxCloneSyncService::new(ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(http))
    }
}

/// What an answer says to retries and to alternates: a rejection is no reason to try the same one again, but the next.
fn judge<T>(result: &Result<T, Failure>) -> Verdict {
    match result {
        Ok(_) => Verdict::success(),
        Err(Error::Open(_)) => Verdict::throttled(),
        Err(Error::Inner(Refused)) => Verdict::transient().unprocessed(),
    }
}

fn prompt(body: &str) -> Prompt {
    http::Request::post("/v1/chat/completions").body(body.to_owned()).unwrap()
}

fn once(prompt: &Prompt) -> Repeat {
    if prompt.headers().contains_key("idempotency-key") { Repeat::Always } else { Repeat::IfUnprocessed }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_falls_back_to_another_provider_and_comes_back() {
    let servers = [Server::default(), Server::default()];
    let breakers = [(); 2].map(|()| Breaker::builder().consecutive_failures(3).build().unwrap());
    let providers = [servers[0].provider("primary", &breakers[0]), servers[1].provider("secondary", &breakers[1])];

    let alternates = {
        let breakers = breakers.clone();
        let hedge = Hedge::new(Quantile::p95(), tokio::time::sleep).when(judge::<Reply>);
        #[allow(clippy::disallowed_methods)] // The program's own clock.
        let is_due = move |k: usize| breakers[k].ready_at().is_some_and(|at| at <= Instant::now());
        Alternates::new(providers).policy(hedge).replay(once).available(is_due)
    };
    let retry = Retry::new(Exponential::new(Duration::from_millis(1)).take(2), tokio::time::sleep)
        .when(|result: &Result<Answered<Reply>, Failure>| judge(result));
    let service = ServiceBuilder::new().layer(retry.layer().replay(once)).service(alternates);

    let ask = async |count: u32| {
        let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(service.clone().oneshot(prompt("Hello")))).collect();
        let mut by_alternate = [0, 0];
        for task in tasks {
            let answered = task.await.unwrap().unwrap();
            let name = ["primary", "secondary"][answered.alternate];
            assert_eq!(answered.into_inner().into_body(), format!("{name}: Hello"));
            by_alternate[usize::from(name == "secondary")] += 1;
        }
        by_alternate
    };
    assert_eq!(ask(20).await, [20, 0]);
    assert_eq!([servers[0].calls(), servers[1].calls()], [20, 0]);

    servers[0].0.is_down.store(true, Ordering::Relaxed);
    assert_eq!(ask(3).await, [0, 3]);
    assert_eq!(breakers[0].state(), State::Open);
    servers[0].calls();
    assert_eq!(ask(50).await, [0, 50]);
    assert_eq!(servers[0].calls(), 0, "it is left alone");

    servers[0].0.is_down.store(false, Ordering::Relaxed);
    breakers[0].reset();
    assert_eq!(ask(20).await, [20, 0]);
}

/// What a function returns that builds a client.
fn client(
    budget: TokenBudget,
) -> impl Service<Prompt, Response = Reply, Error = Failure, Future: Send> + Clone + Send + Sync + 'static {
    let server = Server::default();
    let hedge = Hedge::new(Quantile::p95(), tokio::time::sleep)
        .when(|result: &Result<Reply, Failure>| judge(result))
        .max_attempts(NonZeroU32::new(3).unwrap())
        .budget(budget.clone());
    let retry = Retry::new([Duration::from_millis(1)], tokio::time::sleep)
        .when(|result: &Result<Reply, Failure>| judge(result))
        .budget(budget);
    ServiceBuilder::new()
        .layer(retry.layer().replay(once))
        .layer(hedge.layer().replay(once))
        .concurrency_limit(100)
        .service(server.provider("primary", &Breaker::new()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_built_by_a_function_and_shared_by_tasks() {
    let client = client(TokenBudget::default());
    let tasks: Vec<_> = (0..20).map(|_| tokio::spawn(client.clone().oneshot(prompt("Hi")))).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().body(), "primary: Hi");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_short_forms_need_no_annotation() {
    let breakers = [Breaker::new(), Breaker::new()];
    breakers[0].force_open();
    let services = ["primary", "secondary"].map(|name| {
        let up = name == "secondary";
        BoxCloneSyncService::new(service_fn(
            move |number: u32| async move { if up { Ok(number) } else { Err("down") } },
        ))
    });
    let by_breaker = breakers.clone();
    let service = ServiceBuilder::new()
        .layer(HedgeLayer::new(Quantile::p95(), tokio::time::sleep))
        .service(Alternates::new(services).available(move |k| by_breaker[k].ready_at().is_some()));
    let answer = tokio::spawn(service.oneshot(7)).await.unwrap().unwrap();
    assert_eq!((answer.alternate, answer.response), (1, 7));
    assert_eq!(judge(&Ok::<(), Failure>(())).outcome(), Outcome::Success);
}
