//! The ways through the stack: as layers with each budget, by combinators, for a key, by waiting for a breaker.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use evenkeel_backoff::{Exponential, Jitter, Retry};
use evenkeel_breaker::Error;
use evenkeel_budget::{Account, Budget};
use evenkeel_hedging::Hedge;
use tokio::time::timeout;
use tower::ServiceExt;

use super::{
    clock::Time,
    ledger::Audited,
    service::{Failure, Reply, Request, health},
    stack::{Stack, again, elsewhere, layers, panicking, sleeper},
    world::World,
};

/// What a request comes to: the number in its answer, or nothing if it failed.
pub(super) type Answer = Pin<Box<dyn Future<Output = Option<u64>> + Send>>;

/// One way, with its name.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) send: Box<dyn Fn(Request) -> Answer + Send + Sync>,
}

/// All of them.
pub(super) fn all<K: Time>(world: &Arc<World<K>>) -> Result<Vec<Way>, Box<dyn std::error::Error>> {
    let (budgets, books) = (&world.budgets, &world.budgets.books);
    let layered = |name, stack: Stack| Way {
        name,
        send: Box::new(move |request| {
            let stack = stack.clone();
            Box::pin(async move { stack.oneshot(request).await.ok().map(|reply| reply.id) })
        }),
    };
    Ok(vec![
        layered("layers, AWS budget", layers(world, Audited::new(budgets.aws.clone(), &books.aws))?),
        layered("layers, gRPC budget", layers(world, Audited::new(budgets.grpc.clone(), &books.grpc))?),
        layered("layers, ratio budget", layers(world, Audited::new(budgets.ratio.clone(), &books.ratio))?),
        layered("layers, a pair of budgets", layers(world, Audited::new(budgets.paired.clone(), &books.paired))?),
        combined(world),
        keyed(world),
        waiting(world),
    ])
}

/// Retries of hedges of calls through a breaker, by combinators. The budget is the exact one.
fn combined<K: Time>(world: &Arc<World<K>>) -> Way {
    let faults = &world.faults;
    let budget = Audited::new(world.budgets.exact.clone(), &world.budgets.books.exact);
    let hedge = Hedge::new([Duration::from_millis(6); 2], sleeper(faults))
        .when(panicking(faults, elsewhere))
        .budget(budget.clone())
        .observe(world.combined_watch());
    let schedule =
        Exponential::new(Duration::from_millis(1)).jitter(Jitter::Equal).cap(Duration::from_millis(6)).take(2);
    let retry = Retry::new(schedule, sleeper(faults))
        .when(panicking(faults, again))
        .budget(budget)
        .observe(world.combined_watch())
        .max_server_delay(Duration::from_millis(20));
    let (policies, world) = (Arc::new((retry, hedge)), Arc::clone(world));
    let send = move |request: Request| -> Answer {
        let (policies, world) = (Arc::clone(&policies), Arc::clone(&world));
        Box::pin(async move {
            let (retry, hedge) = &*policies;
            let operation = |number: u32| {
                world.combined.operations.add();
                attempt(&world, number as usize % 2, request.clone())
            };
            retry.run(|_| hedge.run(&operation)).await.ok().map(|reply| reply.id)
        })
    };
    Way { name: "combinators, exact budget", send: Box::new(send) }
}

/// One call through the breaker at that place; what hangs is cut off.
fn attempt<K: Time>(
    world: &Arc<World<K>>,
    place: usize,
    request: Request,
) -> impl Future<Output = Result<Reply, Error<Failure>>> + Send + use<K> {
    let (provider, breaker) = (world.combined.providers[place].clone(), world.combined.breakers[place].clone());
    let classify = panicking(&world.faults, health);
    async move { breaker.call_with(classify, in_time(async move { provider.answer(request).await })).await }
}

async fn in_time(answer: impl Future<Output = Result<Reply, Failure>>) -> Result<Reply, Failure> {
    timeout(Duration::from_millis(30), answer).await.unwrap_or(Err(Failure::Late))
}

/// Retries with the budget and the breaker of the request's key.
fn keyed<K: Time>(world: &Arc<World<K>>) -> Way {
    let faults = &world.faults;
    let retry = Retry::new([Duration::ZERO, Duration::from_millis(2)], sleeper(faults))
        .when(panicking(faults, again))
        .observe(world.combined_watch());
    let (retry, world) = (Arc::new(retry), Arc::clone(world));
    let send = move |request: Request| -> Answer {
        let (retry, world) = (Arc::clone(&retry), Arc::clone(&world));
        Box::pin(async move {
            let budget = world.budgets.keyed.budget(&request.key);
            let retry = (*retry).clone().budget(Audited::new(budget, &world.budgets.books.keyed));
            let operation = |_| {
                let (provider, request) = (world.combined.providers[1].clone(), request.clone());
                let breaker = world.combined.keyed.breaker(&request.key);
                let classify = panicking(&world.faults, health);
                async move { breaker.call_with(classify, in_time(async move { provider.answer(request).await })).await }
            };
            retry.run(operation).await.ok().map(|reply| reply.id)
        })
    };
    Way { name: "maps, a budget for each key", send: Box::new(send) }
}

/// A job that has time: it waits for the breaker, and holds the permit by hand.
fn waiting<K: Time>(world: &Arc<World<K>>) -> Way {
    let (sleep, world) = (sleeper(&world.faults), Arc::clone(world));
    let send = move |request: Request| -> Answer {
        let (sleep, world) = (sleep.clone(), Arc::clone(&world));
        Box::pin(async move {
            // Early, and often: a breaker that is asked too soon says so, and it waits on.
            let nap = |delay: Duration| sleep(delay.min(Duration::from_millis(20)));
            let permit = world.combined.breakers[1].acquire(nap).await;
            let mut extra = None;
            let mut account = Audited::new(world.budgets.places.clone(), &world.budgets.books.places).open();
            let mut result = in_time(world.combined.providers[1].answer(request.clone())).await;
            if result.is_err() {
                extra = account.withdraw(evenkeel_budget::Cause::Transient).ok();
            }
            if let Some(token) = &mut extra {
                account.sent(token);
                world.combined.by_hand.add();
                result = in_time(world.combined.providers[1].answer(request)).await;
            }
            permit.record(health(&result));
            result.ok().map(|reply| reply.id)
        })
    };
    Way { name: "waiting for a breaker", send: Box::new(send) }
}
