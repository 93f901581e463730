//! What happens to the stack from outside: the clock jumps, services go down, somebody forces breakers; and who looks on.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use evenkeel_breaker::State;
use futures_core::Stream;
use tokio::time::{sleep, timeout};

use super::{
    clock::Time,
    faults::{Fault, Meant},
    load::Load,
    report::Rule,
    service::Provider,
    stack::sleeper,
    world::{Guard, LONGEST_OPEN, World},
};

/// Until the load drains; then all services are up, no breaker is forced, and no open time is ahead.
pub(super) async fn change<K: Time>(world: Arc<World<K>>) {
    let mut down: Vec<(usize, Instant)> = Vec::new();
    let providers: Vec<Provider> = world.providers().cloned().collect();
    while !world.is_draining() {
        sleep(Duration::from_millis(3)).await;
        let mut rng = world.faults.rng();
        if world.faults.strikes(Fault::LeapAhead) {
            world.clock.ahead(Duration::from_secs_f64(180.0 * rng.unit().powi(3)));
        }
        if world.faults.strikes(Fault::LeapBack) {
            world.clock.back(Duration::from_secs_f64(5.0 * rng.unit().powi(2)));
        }
        if world.faults.strikes(Fault::Outage) {
            let place = rng.next_u64() as usize % providers.len();
            providers[place].set_down(true);
            down.push((place, Instant::now() + Duration::from_secs_f64(0.01 + 0.05 * rng.unit())));
        }
        down.retain(|(place, until)| {
            let stays = Instant::now() < *until;
            if !stays {
                providers[*place].set_down(false);
            }
            stays
        });
        meddle(&world, rng.next_u64() as usize);
    }
    providers.iter().for_each(|provider| provider.set_down(false));
    unforce(&world);
    // Who waits for a breaker that opened before the clock went back would wait for as long as it went.
    world.clock.past_all(LONGEST_OPEN);
}

/// Somebody at the console. The observer, which may panic, is not this task's.
fn meddle<K: Time>(world: &World<K>, which: usize) {
    let breakers = world.breakers();
    let (_, breaker) = breakers[which % breakers.len()];
    let meddled = catch_unwind(AssertUnwindSafe(|| {
        if world.faults.strikes(Fault::ForcedOpen) {
            breaker.force_open();
        }
        if world.faults.strikes(Fault::ForcedClosed) {
            breaker.force_closed();
        }
        if world.faults.strikes(Fault::Reset) {
            breaker.reset();
        }
    }));
    pass_if_meant(meddled);
}

/// Resets what was forced, and again where the clock or an observer has panicked meanwhile.
pub(super) fn unforce<K: Time>(world: &World<K>) {
    for (_, breaker) in world.breakers() {
        let done = || {
            let is_forced = matches!(breaker.state(), State::ForcedOpen | State::ForcedClosed);
            is_forced.then(|| breaker.reset()).is_none()
        };
        while !catch_unwind(AssertUnwindSafe(done)).unwrap_or(false) {}
    }
}

fn pass_if_meant(result: std::thread::Result<()>) {
    if let Err(payload) = result.or_else(|payload| if payload.is::<Meant>() { Ok(()) } else { Err(payload) }) {
        resume_unwind(payload);
    }
}

/// Reads the transitions of a breaker: each comes once, in order, and none is missing that was not counted as missed.
pub(super) async fn read<K: Time>(load: Arc<Load<K>>, name: &'static str, breaker: Guard<K>) {
    let mut stream = breaker.transitions();
    let (mut last, mut missed) = (None, 0);
    loop {
        let next = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx));
        if let Ok(transition) = timeout(Duration::from_millis(10), next).await {
            let period = transition.map(|transition| transition.period);
            let in_order = match (last, period) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(last), Some(period)) => period == last + 1 || period > last && stream.missed() > missed,
            };
            if !in_order {
                load.found(Rule::Transitions, format!("{name}: {period:?} was told after {last:?}"));
            }
            (last, missed) = (period, stream.missed());
            load.transitions.add();
        }
        if load.world.faults.strikes(Fault::StreamDropped) {
            stream = breaker.transitions();
            (last, missed) = (None, 0);
        }
    }
}

/// Checks the service of a breaker for as long as it is polled; one that panics is polled again.
pub(super) async fn probe<K: Time>(world: Arc<World<K>>, breaker: Guard<K>, provider: Provider) {
    let faults = Arc::clone(&world.faults);
    let check = move || {
        let (faults, provider) = (Arc::clone(&faults), provider.clone());
        async move {
            sleep(Duration::from_millis(1)).await;
            faults.panics(Fault::PanicCheck);
            if provider.is_down() { Err(()) } else { Ok(()) }
        }
    };
    let sleep = sleeper(&world.faults);
    // Early: the clock jumps, and what was a long time is none.
    let nap = move |delay: Duration| sleep(delay.min(Duration::from_millis(5)));
    let prober = breaker
        .prober(nap, check)
        .every([Duration::from_millis(5), Duration::from_millis(10)])
        .while_closed(Duration::from_millis(10))
        .timeout(Duration::from_millis(20))
        .grace(Duration::from_millis(20));
    let mut prober = Box::pin(prober);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| prober.as_mut().poll(cx))) {
        Ok(poll) => poll.map(drop),
        Err(payload) if payload.is::<Meant>() => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Err(payload) => resume_unwind(payload),
    })
    .await;
}
