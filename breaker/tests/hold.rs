//! Stories of a layer that waits for its breaker instead of failing.
#![cfg(all(feature = "tower", not(loom)))]

mod waiting_support;

use std::{
    cell::{Cell, RefCell},
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_breaker::{BreakerLayer, BreakerObserver, Error, Outcome, Rejected, State, Verdict};
use tower::{Layer, Service, ServiceExt, service_fn};
use waiting_support::{Task, World, fail, poll, probe::Probe, secs};

fn poll_ready<S: Service<()>>(task: &Task, service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut task.context())
}

#[test]
fn a_closed_breaker_is_not_waited_for() {
    let world = World::new();
    let (probe, log) = Probe::new([Ok(1), Err("a")]);
    let mut service = BreakerLayer::new(world.breaker()).hold(world.sleeper()).layer(probe);
    for answer in [Ok(1), Err(Error::Inner("a"))] {
        assert_eq!(poll_ready(&Task::new(), &mut service), Poll::Ready(Ok(())));
        assert_eq!(poll(pin!(service.call(()))), Poll::Ready(answer));
    }
    assert_eq!((log.calls.get(), log.ready_polls.get(), log.clones.get()), (2, 2, 0));
    assert_eq!(world.slept(), []);
}

#[test]
fn it_is_ready_when_the_open_time_is_over_and_its_call_is_the_probe() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    assert_eq!((world.elapsed(), world.slept(), breaker.state()), (secs(10), vec![secs(10)], State::HalfOpen));
    assert!(breaker.try_acquire().is_err(), "the slot is reserved");
    assert!(format!("{service:?}").contains("reserved: true, waiting: false"));
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!((breaker.state(), log.calls.get()), (State::Closed, 1));
}

#[test]
fn while_it_waits_it_holds_nothing_of_the_service() {
    let world = World::new();
    let breaker = world.breaker();
    let (probe, log) = Probe::new([Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Pending].into();
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!(log.queued.get(), 1, "closed, it waits for the service");
    fail(&breaker);
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((log.queued.get(), log.reserved.get(), log.ready_polls.get()), (0, 0, 1));
    world.advance(secs(10));
    assert_eq!(task.woken(), 1);
    assert!(poll_ready(&task, &mut service).is_ready());
    assert_eq!((log.reserved.get(), log.ready_polls.get()), (1, 2));
}

#[test]
fn a_slot_is_not_reserved_before_the_service_is_ready() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    world.advance(secs(10));
    let (probe, log) = Probe::new([Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Pending, Poll::Pending].into();
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut service).is_pending());
    assert_eq!(breaker.state(), State::Open, "another may be the probe");
    let probe = breaker.try_acquire().unwrap();
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((log.queued.get(), world.slept()), (0, vec![secs(20)]), "now it waits for the breaker");
    probe.success();
    assert_eq!(task.woken(), 1);
    // Now for the service, and the breaker may change while it does.
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((log.queued.get(), task.woken()), (1, 0));
    breaker.force_open();
    assert_eq!(task.woken(), 1);
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((log.queued.get(), task.woken()), (0, 0));
}

#[test]
fn forced_open_it_waits_for_a_change_alone() {
    let world = World::new();
    let breaker = world.breaker();
    breaker.force_open();
    let (probe, _) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((task.woken(), world.slept()), (0, vec![]));
    breaker.force_closed();
    assert_eq!(task.woken(), 1);
    assert!(poll_ready(&task, &mut service).is_ready());
    assert_eq!(task.wakers(), 0, "it waits no longer");
}

// Hazard 57.
#[test]
fn it_is_woken_once_for_each_reason() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let layer = BreakerLayer::new(breaker.clone()).hold(world.sleeper());
    let mut waiting: Vec<_> = (0..5).map(|_| (Task::new(), layer.layer(Probe::new([]).0))).collect();
    for (task, service) in &mut waiting {
        for _ in 0..3 {
            assert!(poll_ready(task, service).is_pending());
        }
        assert_eq!(task.woken(), 0);
    }
    assert_eq!(world.slept().len(), 5, "it sleeps on when it is polled again");
    world.advance(secs(10));
    let mut ready = waiting.iter_mut().map(|(task, service)| poll_ready(task, service).is_ready());
    assert!(ready.by_ref().eq([true, false, false, false, false]));
    // Each was woken by its sleeper; those polled later saw half-open before they waited again.
    for (task, service) in &mut waiting[1..] {
        task.woken();
        assert!(poll_ready(task, service).is_pending());
        assert_eq!(task.woken(), 0);
    }
    // The first is dropped unused, and the slot goes to another.
    waiting.remove(0);
    assert!(waiting.iter().all(|(task, _)| task.woken() == 1));
    let ready = waiting.iter_mut().map(|(task, service)| poll_ready(task, service).is_ready());
    assert!(ready.eq([true, false, false, false]));
}

/// A service that is ready at once, and calls others' code with `true` when it is asked whether it is, and with `false`
/// when it is cloned.
struct Meddling<F>(F);

impl<F: Fn(bool) + Copy> Clone for Meddling<F> {
    fn clone(&self) -> Self {
        (self.0)(false);
        Self(self.0)
    }
}

impl<F: Fn(bool)> Service<()> for Meddling<F> {
    type Response = ();
    type Error = ();
    type Future = Ready<Result<(), ()>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        (self.0)(true);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}

#[test]
fn a_change_after_it_was_rejected_and_before_it_waits_is_not_lost() {
    let world = World::new();
    let breaker = world.breaker();
    let polls = Cell::new(0);
    let meddle = |readied: bool| {
        polls.set(polls.get() + u32::from(readied));
        match (readied, polls.get()) {
            (true, 1..=2) => breaker.force_open(),
            (true, _) => {}
            // What it had reserved is given up, for it was rejected.
            (false, _) => breaker.reset(),
        }
    };
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(Meddling(&meddle));
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_ready() || task.woken() > 0);
    assert!(poll_ready(&task, &mut service).is_ready());
    assert_eq!(polls.get(), 3);
}

#[test]
fn it_waits_again_when_another_was_faster() {
    // Between the look and the question: the service's own readiness is where others get in.
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    world.advance(secs(10));
    let (taken, polls) = (RefCell::new(None), Cell::new(0));
    let steals = |readied: bool| {
        polls.set(polls.get() + u32::from(readied));
        if readied && polls.get() == 1 {
            *taken.borrow_mut() = breaker.try_acquire_owned().ok();
        }
    };
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(Meddling(&steals));
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((polls.get(), task.woken(), world.slept()), (1, 0, vec![secs(20)]));
    taken.take().unwrap().release();
    assert_eq!(task.woken(), 1);
    assert!(poll_ready(&task, &mut service).is_ready());
}

#[test]
fn in_a_ramp_it_waits_for_its_share_without_spinning() {
    let world = World::new();
    let breaker = world.builder().ramp(secs(20)).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    breaker.try_acquire().unwrap().success();
    while let Ok(permit) = breaker.try_acquire() {
        permit.success();
    }
    let closed = world.elapsed();
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_pending());
    assert_eq!((task.woken(), log.reserved.get()), (0, 0));
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    let waited = world.elapsed() - closed;
    assert!(Duration::ZERO < waited && waited < secs(20), "{waited:?}");
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[test]
fn in_a_dry_run_it_never_waits() {
    let world = World::new();
    let breaker = world.builder().dry_run(true).build().unwrap();
    fail(&breaker);
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!(log.calls.get(), 1);
}

// Hazard 41.
#[test]
fn to_wait_is_not_to_be_rejected() {
    #[derive(Default)]
    struct Rejections(Cell<u32>);
    impl BreakerObserver for Rejections {
        fn on_reject(&self, _: &Rejected) {
            self.0.set(self.0.get() + 1);
        }
    }
    let (world, rejections) = (World::new(), Rejections::default());
    let breaker = world.builder().observe(&rejections).build().unwrap();
    fail(&breaker);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(Probe::new([Ok(1)]).0);
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    assert_eq!(rejections.0.get(), 0);
    breaker.force_open();
    assert!(matches!(poll(pin!(service.call(()))), Poll::Ready(Err(Error::Open(_)))));
    assert_eq!(rejections.0.get(), 1, "but this was a call");
}

#[test]
fn results_count_as_they_are_judged() {
    let world = World::new();
    let judge = |result: &Result<u16, &str>| match result {
        Ok(503) => Verdict::failure(),
        Ok(_) => Verdict::success(),
        Err(_) => Verdict::from(Outcome::Ignored),
    };
    let inner = service_fn(ready);
    let breaker = world.breaker();
    let before = BreakerLayer::new(breaker.clone()).when(judge).hold(world.sleeper());
    let after = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).when(judge);
    for layer in [before, after] {
        breaker.reset();
        assert_eq!(world.run(layer.layer(inner).oneshot(Err("me"))), Err(Error::Inner("me")));
        assert_eq!(world.run(layer.layer(inner).oneshot(Ok(200))), Ok(200));
        assert_eq!(layer.breaker().state(), State::Closed);
        assert_eq!(world.run(layer.layer(inner).oneshot(Ok(503))), Ok(503));
        assert_eq!(layer.breaker().state(), State::Open);
    }
}
