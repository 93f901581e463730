//! Threads without a runtime: blocking retries, permits and admissions by hand.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use evenkeel_backoff::Retry;
use evenkeel_breaker::Error;
use evenkeel_budget::Priority;

use super::{
    clock::Time,
    faults::Fault,
    ledger::Audited,
    load::{Load, Tally},
    service::{Alive, Failure, Reply, Request, health, judge},
    stack::{again, panicking},
    world::World,
};

/// Starts so many; they end when the load drains.
pub(super) fn start<K: Time>(load: &Arc<Load<K>>, count: usize) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..count)
        .map(|_| {
            let load = Arc::clone(load);
            thread::Builder::new().name(load.thread_name.clone()).spawn(move || work(&load))
        })
        .collect()
}

fn work<K: Time>(load: &Load<K>) {
    let tally: &Tally = load.of_threads();
    while !load.world.is_draining() {
        let request = load.world.request();
        let (id, _in_flight) = (request.id, Alive::new(&tally.in_flight));
        tally.sent.add();
        match catch_unwind(AssertUnwindSafe(|| send(&load.world, &request))) {
            Ok(answer) => tally.answered(id, answer.ok().map(|reply| reply.id)),
            Err(payload) => load.panicked(tally, &*payload),
        }
        // Rejections cost nothing, and would be most of what there is.
        thread::sleep(Duration::from_micros(200));
    }
}

fn send<K: Time>(world: &World<K>, request: &Request) -> Result<Reply, Error<Failure>> {
    let faults = Arc::clone(&world.faults);
    let sleep = move |delay: Duration| {
        faults.panics(Fault::PanicSleeper);
        thread::sleep(delay);
    };
    Retry::new([Duration::ZERO, Duration::from_micros(500)], sleep)
        .when(panicking(&world.faults, again))
        .budget(Audited::new(world.budgets.steady.clone(), &world.budgets.books.steady))
        .observe(world.combined_watch())
        .run_blocking(|_| attempt(world, request))
}

/// One call, with an admission of the throttle and a permit of the breaker.
fn attempt<K: Time>(world: &World<K>, request: &Request) -> Result<Reply, Error<Failure>> {
    let Ok(admission) = world.throttle.try_acquire(Priority::Sheddable) else {
        return Err(Error::Inner(Failure::NotReady));
    };
    let permit = world.combined.breakers[0].try_acquire_owned()?;
    let result = world.combined.providers[0].answer_blocking(request);
    if world.faults.strikes(Fault::Unsaid) {
        drop((admission, permit));
    } else {
        admission.record(judge(&result).outcome());
        permit.record(health(&result));
    }
    result.map_err(Error::Inner)
}
