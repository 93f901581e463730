//! Layers, each with a budget and a schedule, around a service that is always ready.

use std::{
    future::{Ready, ready},
    hint::black_box,
    time::Duration,
};

use evenkeel_backoff::{Retry, RetryLayer, TokenBudget, Unlimited};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_retry::FixedInterval;

use super::{
    super::schedules::{self, SCHEDULE},
    Unwell, done,
    peers::{Plain, Tower, awake, resilience, resilience_without_a_budget},
    rich, threads, well,
};
use crate::{
    cases::{
        forever,
        runtime::{awaited, with_time},
    },
    measure::{Bench, Candidate, request},
};

pub(super) fn run(bench: &mut Bench) {
    let runtime = with_time();
    let _entered = runtime.enter();
    at_once(bench, "layer, success at once", || 1_u64);
    at_once(bench, "layer, a request of 64 bytes on the heap, success at once", || black_box("x").repeat(64));
    failures(bench);
    in_tokio(bench);
    threads::run(bench, &runtime);
}

/// As with tower's schedule, which makes one: the sleep is made, and not slept.
pub(super) fn made(delay: Duration) -> Ready<()> {
    drop(sleep(delay));
    ready(())
}

fn at_once<Q: Clone + Send + 'static>(bench: &mut Bench, case: &str, make: fn() -> Q) {
    let service = service_fn(|_: Q| well::<u64>());
    let ours = || RetryLayer::new(SCHEDULE.take(3), made).layer(service);
    let unlimited = || Retry::new(SCHEDULE.take(3), made).budget(Unlimited).layer().layer(service);
    let towers = || tower::retry::Retry::new(Tower::waiting(awake), service);
    let other = || resilience::<Q>(schedules::peers::resilience()).layer(service);
    let policy = || Retry::new(SCHEDULE.take(3), made).budget(TokenBudget::default());
    let lent = || RetryLayer::of(forever(policy())).layer(service);
    let plain = || tower::retry::Retry::new(Plain(3), service);
    let unbudgeted = || resilience_without_a_budget::<Q>(schedules::peers::resilience()).layer(service);
    let (mut ours_1, mut unlimited_1, mut towers_1, mut other_1, mut bare) =
        (ours(), unlimited(), towers(), other(), service);
    let (mut lent_1, mut plain_1, mut unbudgeted_1) = (lent(), plain(), unbudgeted());
    bench.compare(
        "retry",
        case,
        vec![
            Candidate::new("`RetryLayer`", || done(request(&mut ours_1, make()))).keeps(ours),
            Candidate::new("`RetryLayer`, an unlimited budget", || done(request(&mut unlimited_1, make())))
                .keeps(unlimited),
            Candidate::new("`RetryLayer`, its policy by reference", || done(request(&mut lent_1, make()))).keeps(lent),
            Candidate::new("by hand: no layer", || done(request(&mut bare, make()))),
            Candidate::new("tower::retry", || done(request(&mut towers_1, make()))).keeps(towers),
            Candidate::new("tower::retry, a count and nothing else", || done(request(&mut plain_1, make())))
                .keeps(plain),
            Candidate::new("tower-resilience-retry", || done(request(&mut other_1, make()))).keeps(other),
            Candidate::new("tower-resilience-retry, no budget", || done(request(&mut unbudgeted_1, make())))
                .keeps(unbudgeted),
        ],
    );
}

/// tower-resilience's sleep cannot be had without sleeping: it is beside the others in tokio.
fn failures(bench: &mut Bench) {
    let unwell = [(); 3].map(|()| Unwell::new());
    let service = |n: usize| {
        let unwell = unwell[n];
        service_fn(move |_: u64| unwell.answer())
    };
    let ours = || Retry::new(SCHEDULE.take(3), made).budget(rich()).layer().layer(service(0));
    let towers = || tower::retry::Retry::new(Tower::waiting(awake), service(1));
    let (mut ours_1, mut towers_1, mut bare) = (ours(), towers(), service(2));
    bench.compare(
        "retry",
        "layer, three failures, no sleep",
        vec![
            Candidate::new("`RetryLayer`", || done(request(&mut ours_1, 1))).keeps(ours),
            Candidate::new("by hand: a loop", || {
                for _ in 0..3 {
                    if let Ok(answer) = request(&mut bare, 1) {
                        return answer;
                    }
                    drop(sleep(schedules::FIRST));
                }
                done(request(&mut bare, 1))
            }),
            Candidate::new("tower::retry", || done(request(&mut towers_1, 1))).keeps(towers),
        ],
    );
}

fn in_tokio(bench: &mut Bench) {
    let runtime = &with_time();
    let unwell = [(); 5].map(|()| Unwell::new());
    let service = |n: usize| {
        let unwell = unwell[n];
        service_fn(move |_: u64| unwell.answer())
    };
    let delayed = |n, by| Retry::new([by; 3], sleep).budget(rich()).layer().layer(service(n));
    let (yielding, sleeping) = (|| delayed(0, Duration::ZERO), || delayed(1, Duration::from_nanos(1)));
    let towers = || tower::retry::Retry::new(Tower::waiting(|_: &mut _| sleep(Duration::ZERO)), service(2));
    let other = || resilience(FixedInterval::new(Duration::ZERO)).layer(service(3));
    let (mut yielding_1, mut sleeping_1, mut towers_1, mut other_1, mut bare) =
        (yielding(), sleeping(), towers(), other(), service(4));
    bench.compare(
        "retry",
        "layer, three failures, in tokio",
        vec![
            awaited("`RetryLayer`, zero delays: three yields", runtime, async || send(&mut yielding_1).await)
                .keeps(yielding),
            awaited("`RetryLayer`, one nanosecond: three sleeps", runtime, async || send(&mut sleeping_1).await)
                .keeps(sleeping),
            awaited("by hand: a loop", runtime, async || {
                for _ in 0..3 {
                    if let Ok(answer) = done(bare.ready().await).call(1).await {
                        return answer;
                    }
                    sleep(Duration::ZERO).await;
                }
                send(&mut bare).await
            }),
            awaited("tower::retry", runtime, async || send(&mut towers_1).await).keeps(towers),
            awaited("tower-resilience-retry", runtime, async || send(&mut other_1).await).keeps(other),
        ],
    );
}

async fn send(service: &mut impl Service<u64, Response = u64, Error = u64>) -> u64 {
    done(done(service.ready().await).call(1).await)
}
