//! All layers together around a service that is always ready: what a call pays when nothing is wrong.
//!
//! The peers have no throttle like ours, so beside our four layers there are three of theirs.

use std::{
    fmt,
    future::{Ready, ready},
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use evenkeel_backoff::{Exponential, Retry, RetryLayer, TokenBudget};
use evenkeel_breaker::{Breaker, BreakerLayer};
use evenkeel_budget::{AdaptiveThrottle, ThrottleLayer};
use evenkeel_hedging::{Delays, Hedge, HedgeLayer, Quantile};
use tower::{
    Layer, Service, ServiceExt,
    retry::{
        Policy,
        budget::{Budget as _, TpsBudget},
    },
};
use tower_resilience_circuitbreaker::{CircuitBreakerError, circuit_breaker_builder};

use crate::measure::{Bench, Candidate, drive, request};

const FIRST: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(5);
const SCHEDULE: Exponential = Exponential::new(FIRST).cap(CAP);
/// None of the calls takes so long.
const DELAY: Duration = Duration::from_secs(10);

pub(super) fn run(bench: &mut Bench) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    four_layers(bench);
    three_layers(bench);
    combinators(bench);
}

/// Our three by any delays and any clock.
macro_rules! ours {
    ($delays:expr, $clock:expr) => {{
        let budget = TokenBudget::default();
        let retry = Retry::new(SCHEDULE.take(3), tokio::time::sleep).budget(budget.clone()).layer();
        let hedge = Hedge::new($delays, tokio::time::sleep).budget(budget).layer();
        let breaker = BreakerLayer::new(Breaker::builder().clock($clock).build().expect("the defaults"));
        retry.layer(hedge.layer(breaker.layer(Echo)))
    }};
}

/// The same by reference: nothing counts references. It is leaked, as one does who calls for as long as the program lives.
macro_rules! ours_by_reference {
    ($delays:expr, $clock:expr) => {{
        let budget: &'static TokenBudget = Box::leak(Box::default());
        let retry = Box::leak(Box::new(Retry::new(SCHEDULE.take(3), tokio::time::sleep).budget(budget)));
        let hedge = Box::leak(Box::new(Hedge::new($delays, tokio::time::sleep).budget(budget)));
        let breaker = Box::leak(Box::new(Breaker::builder().clock($clock).build().expect("the defaults")));
        RetryLayer::of(retry).layer(HedgeLayer::of(hedge).layer(BreakerLayer::of(breaker).layer(Echo)))
    }};
}

fn four_layers(bench: &mut Bench) {
    let now = Instant::now();
    let stands = move || now;
    let throttle = || ThrottleLayer::new(AdaptiveThrottle::builder().clock(stands).build().expect("the defaults"));
    let timed = || ThrottleLayer::new(AdaptiveThrottle::default());
    let lent = |throttle| ThrottleLayer::new(&*Box::leak(Box::new(throttle)));
    let fixed = || throttle().layer(ours!([DELAY], stands));
    let standing = || throttle().layer(ours!(warm(stands), stands));
    let clocks = || timed().layer(ours!(warm(Instant::now), Instant::now));
    let throttle_of = || AdaptiveThrottle::builder().clock(stands).build().expect("the defaults");
    let fixed_of = || lent(throttle_of()).layer(ours_by_reference!([DELAY], stands));
    let standing_of = || lent(throttle_of()).layer(ours_by_reference!(warm(stands), stands));
    bench.compare(
        "stack",
        "throttle, retry, hedge and breaker, a success at once",
        vec![
            layered("four layers, a fixed delay, clocks stand", fixed),
            layered("four layers, a `Quantile`, clocks stand", standing),
            layered("four layers, a `Quantile`, with the clock", clocks),
            layered("four layers by reference, a fixed delay, clocks stand", fixed_of),
            layered("four layers by reference, a `Quantile`, clocks stand", standing_of),
            layered("tower's retry, tower-resilience's hedge and breaker", towers),
            layered("tower-resilience's retry, hedge and breaker", resilience),
            layered("no layer", || Echo),
            Candidate::new("a reading of the clock", Instant::now),
        ],
    );
}

fn three_layers(bench: &mut Bench) {
    let now = Instant::now();
    let stands = move || now;
    bench.compare(
        "stack",
        "retry, hedge and breaker, a success at once",
        vec![
            layered("three layers, a fixed delay", || ours!([DELAY], stands)),
            layered("three layers, a `Quantile`", || ours!(warm(Instant::now), Instant::now)),
            layered("three layers by reference, a fixed delay", || ours_by_reference!([DELAY], stands)),
            layered("three layers by reference, a `Quantile`", || ours_by_reference!(warm(Instant::now), Instant::now)),
            layered("tower's retry, `tower::hedge`, tower-resilience's breaker", towers_own),
            layered("tower's retry, tower-resilience's hedge and breaker", towers),
            layered("tower-resilience's retry, hedge and breaker", resilience),
            layered("by hand: a state and a count, both atomic, and a loop", ByHand::default),
            layered("no layer", || Echo),
        ],
    );
}

/// The same without tower: what is shared is borrowed, and nothing is counted.
fn combinators(bench: &mut Bench) {
    let budget = TokenBudget::default();
    let retry = Retry::new(SCHEDULE.take(3), tokio::time::sleep).budget(&budget);
    let hedge = Hedge::after(DELAY, tokio::time::sleep).budget(&budget);
    let breaker = Breaker::new();
    bench.compare(
        "stack",
        "retry, hedge and breaker as combinators, a success at once",
        vec![
            Candidate::new("`retry.run(hedge.run(breaker.call(…)))`", || {
                drive(retry.run(|_| hedge.run(|_| breaker.call(ready(black_box(Ok::<u64, fmt::Error>(1)))))))
            }),
            Candidate::new("a bare await", || drive(ready(black_box(Ok::<u64, fmt::Error>(1))))),
        ],
    );
}

/// Each call is asserted to have been made.
fn layered<'a, S: Service<u64, Response = u64> + 'a>(name: &'static str, make: impl Fn() -> S + 'a) -> Candidate<'a> {
    let mut service = make();
    Candidate::new(name, move || assert!(request(&mut service, black_box(1)).is_ok())).keeps(make)
}

/// An estimate that knows what is usual.
fn warm<C: Fn() -> Instant>(clock: C) -> impl Delays {
    let now = clock();
    let estimate = Quantile::builder(0.95).clock(clock).build().expect("a share that is one");
    (0..20_000).for_each(|n| estimate.record_at(Duration::from_millis(5 + n % 2), now));
    assert!(estimate.threshold().is_some());
    estimate
}

/// What a call comes to.
type Answer = Result<u64, fmt::Error>;

/// A service that is always ready, and answers at once.
#[derive(Clone, Copy, Debug)]
struct Echo;

impl Service<u64> for Echo {
    type Response = u64;
    type Error = fmt::Error;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), fmt::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        ready(black_box(Ok(request)))
    }
}

/// tower-resilience's breaker; what it fails with is none of what its hedge can copy.
fn breaker() -> impl Service<u64, Response = u64, Error = fmt::Error, Future: Send> + Clone + Send {
    let breaker = circuit_breaker_builder().build().expect("the defaults").layer(Echo);
    breaker.map_err(|error| match error {
        CircuitBreakerError::OpenCircuit => fmt::Error,
        CircuitBreakerError::Inner(error) => error,
    })
}

fn towers() -> impl Service<u64, Response = u64> {
    tower::retry::Retry::new(Three::default(), tower_resilience_hedge::HedgeLayer::new(DELAY).layer(breaker()))
}

/// tower's hedge cannot be cloned, and so not be retried: it is outside.
fn towers_own() -> impl Service<u64, Response = u64> {
    let latencies: Vec<u64> = (0..20_000).map(|n| 5 + n % 2).collect();
    let retry = tower::retry::Retry::new(Three::default(), breaker());
    tower::hedge::Hedge::new_with_mock_latencies(retry, Each, 100, 0.95, Duration::from_secs(15), &latencies)
}

fn resilience() -> impl Service<u64, Response = u64> {
    let hedge = tower_resilience_hedge::HedgeLayer::new(DELAY).layer(breaker());
    tower_resilience_retry::RetryLayer::builder().max_attempts(4).exponential_backoff(FIRST).build().layer(hedge)
}

/// The policy that one writes for tower's layer.
#[derive(Clone)]
struct Three {
    left: u32,
    budget: Arc<TpsBudget>,
}

impl Default for Three {
    fn default() -> Self {
        Self { left: 3, budget: Arc::default() }
    }
}

impl<E> Policy<u64, u64, E> for Three {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, E>) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                self.budget.deposit();
                None
            }
            Err(_) if self.left > 0 && self.budget.withdraw() => {
                self.left -= 1;
                Some(ready(()))
            }
            Err(_) => None,
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// Every request may be sent twice.
#[derive(Clone)]
struct Each;

impl tower::hedge::Policy<u64> for Each {
    fn clone_request(&self, request: &u64) -> Option<u64> {
        Some(*request)
    }

    fn can_retry(&self, _: &u64) -> bool {
        true
    }
}

/// The least that a client can do that looks after itself: is the service up, how did it go, and again if it failed.
#[derive(Clone, Debug, Default)]
struct ByHand(Arc<Line>);

/// No neighbour on its cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line {
    is_open: AtomicU64,
    successes: AtomicU64,
}

impl Service<u64> for ByHand {
    type Response = u64;
    type Error = fmt::Error;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), fmt::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        let Line { is_open, successes } = &*self.0;
        for _ in 0..3 {
            if is_open.load(Ordering::Acquire) == 1 {
                return ready(Err(fmt::Error));
            }
            if let Ok(answer) = black_box(Ok::<u64, fmt::Error>(request)) {
                successes.fetch_add(1, Ordering::Relaxed);
                return ready(Ok(answer));
            }
        }
        ready(Err(fmt::Error))
    }
}
