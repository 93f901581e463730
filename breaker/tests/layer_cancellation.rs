//! Stories of a layer whose response, readiness or service is dropped or panics.
#![cfg(all(feature = "tower", not(loom)))]

mod waiting_support;

use std::{
    future::{Ready, pending, ready},
    task::{Context, Poll},
};

use evenkeel_breaker::{Abandoned, BreakerLayer, State};
use tower::{Layer, Service, service_fn};
use waiting_support::{Task, World, due, fail, panics, poll, probe::Probe, secs};

// Hazards 30 and 56.
#[test]
fn a_response_that_is_dropped_is_abandoned() {
    let world = World::new();
    for (abandoned, state) in [(Abandoned::Ignored, State::Closed), (Abandoned::Failure, State::Open)] {
        let breaker = world.builder().abandoned(abandoned).build().unwrap();
        let mut service = BreakerLayer::new(breaker.clone()).layer(service_fn(|()| pending::<Result<(), ()>>()));
        for polls in 0..3 {
            breaker.reset();
            let mut response = Box::pin(service.call(()));
            (0..polls).for_each(|_| assert!(poll(response.as_mut()).is_pending()));
            drop(response);
            assert_eq!(breaker.state(), state, "after {polls} polls");

            due(&world, &breaker);
            let mut probe = Box::pin(service.call(()));
            (0..polls).for_each(|_| assert!(poll(probe.as_mut()).is_pending()));
            drop(probe);
            assert_eq!(breaker.snapshot().probes_out, 0);
        }
    }
}

// Hazards 35 and 58.
#[test]
fn a_service_that_panics_in_call_has_failed() {
    let world = World::new();
    let breaker = world.breaker();
    let broken = service_fn(|()| -> Ready<Result<(), ()>> { panic!("in call") });
    let layer = BreakerLayer::new(breaker.clone());
    panics(|| layer.layer(broken).call(()));
    assert_eq!(breaker.state(), State::Open);

    world.advance(secs(10));
    let mut holds = layer.hold(world.sleeper()).layer(broken);
    assert!(Service::<()>::poll_ready(&mut holds, &mut Task::new().context()).is_ready());
    panics(|| holds.call(()));
    assert_eq!((breaker.state(), breaker.snapshot().probes_out), (State::Open, 0));
}

// Hazard 56.
#[test]
fn readiness_that_is_dropped_at_any_await_takes_nothing_along() {
    let world = World::new();
    let breaker = world.builder().abandoned(Abandoned::Failure).build().unwrap();
    let layer = BreakerLayer::new(breaker.clone()).hold(world.sleeper());
    // It waits for the breaker, then for the service, and then is ready.
    for awaits in 0..4 {
        breaker.reset();
        fail(&breaker);
        let (probe, log) = Probe::new([]);
        *log.readiness.borrow_mut() = [Poll::Pending].into();
        let (task, mut service) = (Task::new(), layer.layer(probe));
        for _ in 0..awaits {
            let _ = Service::<()>::poll_ready(&mut service, &mut task.context());
            world.advance(secs(10));
        }
        drop(service);
        assert_eq!((log.queued.get(), log.reserved.get(), breaker.snapshot().probes_out), (0, 0, 0));
        assert_ne!(breaker.state(), State::Closed);
        task.woken();
        breaker.reset();
        assert_eq!(task.woken(), 0, "after {awaits} awaits it waits still");
        assert_eq!(log.calls.get(), 0);
    }
}

// Hazard 58.
#[test]
fn a_service_that_panics_while_it_is_made_ready_takes_no_slot() {
    #[derive(Clone)]
    struct Broken;
    impl Service<()> for Broken {
        type Response = ();
        type Error = ();
        type Future = Ready<Result<(), ()>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            panic!("the service's own bug");
        }

        fn call(&mut self, (): ()) -> Self::Future {
            ready(Ok(()))
        }
    }
    let world = World::new();
    let breaker = world.breaker();
    due(&world, &breaker);
    let task = Task::new();
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(Broken);
    panics(|| service.poll_ready(&mut task.context()));
    drop(service);
    assert_eq!(task.wakers(), 0);
    assert!(breaker.try_acquire().is_ok_and(|permit| permit.is_probe()));
}

#[test]
fn a_service_that_unwinds_with_its_reservation_counts_for_nothing() {
    let world = World::new();
    let breaker = world.builder().abandoned(Abandoned::Failure).build().unwrap();
    panics(|| {
        let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(Probe::new([]).0);
        let _ = Service::<()>::poll_ready(&mut service, &mut Task::new().context());
        panic!("its owner's bug");
    });
    assert_eq!(breaker.state(), State::Closed);
}
