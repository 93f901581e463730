//! The stack of layers: throttle, retries, alternates by hedging, and for each service a breaker and a limit.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_backoff::{Exponential, Retry};
use evenkeel_breaker::{BreakerLayer, BreakerMapLayer, Error};
use evenkeel_budget::{Account, Budget, Priority, ThrottleError, ThrottleLayer, Verdict};
use evenkeel_hedging::{Alternates, Answered, Hedge, Quantile};
use tokio::time::Sleep;
use tower::{Service, ServiceBuilder, limit::GlobalConcurrencyLimitLayer, util::BoxCloneSyncService};

use super::{
    clock::Time,
    faults::{Fault, Faults},
    service::{Failure, Reply, Request, health, judge},
    world::{Tap, World},
};

/// The whole stack.
pub(super) type Stack = BoxCloneSyncService<Request, Reply, ThrottleError<Error<Failure>>>;
/// One of the services, with its breaker and its limit.
type Guarded = BoxCloneSyncService<Request, Reply, Error<Failure>>;

/// The stack, with this budget for its retries and hedges alike.
pub(super) fn layers<K: Time, B>(world: &World<K>, budget: B) -> Result<Stack, evenkeel_hedging::Invalid>
where
    B: Budget<Account: Account<Token: Send> + Send> + Clone + Send + Sync + 'static,
{
    let (faults, parts) = (&world.faults, &world.layered);
    let late = Quantile::builder(0.9)
        .window(Duration::from_millis(500))
        .until_warm(Duration::from_millis(5))
        .at_most(Duration::from_millis(12))
        .clock(world.now.clone())
        .build()?;
    let hedge = Hedge::new(late, sleeper(faults))
        .when(panicking(faults, elsewhere))
        .budget(budget.clone())
        .observe(world.layered_watch());
    let retry =
        Retry::new(Exponential::new(Duration::from_millis(1)).cap(Duration::from_millis(8)).take(3), sleeper(faults))
            .when(panicking(faults, again))
            .budget(budget)
            .observe(world.layered_watch())
            .clock(world.now.clone())
            .deadline(Duration::from_millis(500))
            .attempt_timeout(Duration::from_millis(40), || Error::Inner(Failure::Late))
            .max_server_delay(Duration::from_millis(20));
    let throttle = ThrottleLayer::new(world.throttle.clone())
        .when(panicking(faults, |result: &Result<Reply, Error<Failure>>| again(result)))
        .priority(|request: &Request| Priority::ALL[request.id as usize % Priority::ALL.len()]);
    let breakers = parts.breakers.clone();
    let alternates = Alternates::new(services(world))
        .policy(hedge)
        .available(move |place: usize| breakers.get(place).is_none_or(|breaker| breaker.check().is_ok()));
    let stack = ServiceBuilder::new()
        .layer(throttle)
        .layer(retry.layer())
        .layer_fn(|inner| Tapped { inner, tap: Arc::clone(&parts.under_retries) })
        .map_response(Answered::into_inner)
        .service(alternates);
    Ok(BoxCloneSyncService::new(stack))
}

fn services<K: Time>(world: &World<K>) -> [Guarded; 3] {
    let (faults, parts) = (&world.faults, &world.layered);
    let [usual, other, keyed] = &parts.providers;
    let [few, fewer, fewest] = parts.limits.clone().map(GlobalConcurrencyLimitLayer::with_semaphore);
    let breaker = |place: usize| BreakerLayer::new(parts.breakers[place].clone()).when(panicking(faults, health));
    let by_key = BreakerMapLayer::new(parts.keyed.clone(), |request: &Request| request.key);
    let tapped = |inner| Tapped { inner, tap: Arc::clone(&parts.under_hedges) };
    let guarded = [
        BoxCloneSyncService::new(ServiceBuilder::new().layer(breaker(0)).layer(few).service(usual.clone())),
        BoxCloneSyncService::new(ServiceBuilder::new().layer(breaker(1)).layer(fewer).service(other.clone())),
        BoxCloneSyncService::new(
            ServiceBuilder::new().layer(by_key.when(panicking(faults, health))).layer(fewest).service(keyed.clone()),
        ),
    ];
    guarded.map(|service| BoxCloneSyncService::new(tapped(service)))
}

/// Counts the calls of the service in it.
#[derive(Clone)]
struct Tapped<S> {
    inner: S,
    tap: Arc<Tap>,
}

impl<S: Service<Request>> Service<Request> for Tapped<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.tap.called.add();
        let response = self.inner.call(request);
        self.tap.returned.add();
        response
    }
}

/// `classify`, which panics now and then.
pub(super) fn panicking<R, V, F>(
    faults: &Arc<Faults>,
    classify: F,
) -> impl Fn(&R) -> V + Clone + Send + Sync + 'static + use<R, V, F>
where
    F: Fn(&R) -> V + Clone + Send + Sync + 'static,
{
    let faults = Arc::clone(faults);
    move |result: &R| {
        faults.panics(Fault::PanicClassifier);
        classify(result)
    }
}

/// tokio's, which panics now and then, and is over too soon.
pub(super) fn sleeper(faults: &Arc<Faults>) -> impl Fn(Duration) -> Sleep + Clone + Send + Sync + use<> {
    let faults = Arc::clone(faults);
    move |delay| {
        faults.panics(Fault::PanicSleeper);
        tokio::time::sleep(if faults.strikes(Fault::ShortSleep) { delay / 4 } else { delay })
    }
}

/// Whether someone else may do better.
pub(super) fn elsewhere(result: &Result<Reply, Error<Failure>>) -> Verdict {
    match result {
        Ok(_) => Verdict::success(),
        Err(Error::Open(_)) => Verdict::transient().unprocessed(),
        Err(Error::Inner(failure)) => judge(&Err(*failure)),
    }
}

/// Whether to ask again, later.
pub(super) fn again(result: &Result<Reply, Error<Failure>>) -> Verdict {
    if let Err(Error::Open(_)) = result { Verdict::permanent() } else { elsewhere(result) }
}
