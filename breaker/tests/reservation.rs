//! Stories of the permit that a layer which holds back reserves for its next call.
#![cfg(all(feature = "tower", not(loom)))]

mod waiting_support;

use std::{future::pending, pin::pin, task::Poll, time::Duration};

use evenkeel_breaker::{Abandoned, Breaker, BreakerLayer, Error, State};
use tower::{Layer, Service, service_fn};
use waiting_support::{Task, World, fail, poll, probe::Probe, secs};

fn poll_ready<S: Service<()>>(task: &Task, service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut task.context())
}

#[test]
fn dropped_unused_it_counts_for_nothing_whatever_an_abandoned_call_does() {
    let world = World::new();
    let breaker = world.builder().abandoned(Abandoned::Failure).build().unwrap();
    let layer = BreakerLayer::new(breaker.clone()).hold(world.sleeper());
    let mut service = layer.layer(Probe::new([]).0);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    drop(service);
    assert_eq!(breaker.state(), State::Closed);

    fail(&breaker);
    world.advance(secs(10));
    let mut service = layer.layer(Probe::new([]).0);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    assert!(breaker.try_acquire().is_err());
    drop(service);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert!(breaker.try_acquire().is_ok_and(|permit| permit.is_probe()), "the slot is free");
}

#[test]
fn a_clone_has_no_reservation() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    world.advance(secs(10));
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    let mut clone = service.clone();
    let task = Task::new();
    assert!(poll_ready(&task, &mut clone).is_pending());
    drop(clone);
    assert_eq!((breaker.snapshot().probes_out, log.reserved.get()), (1, 1));
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn to_be_ready_twice_is_one_reservation() {
    let world = World::new();
    let breaker = world.builder().half_open_permits(2).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    for _ in 0..3 {
        assert!(poll_ready(&Task::new(), &mut service).is_ready());
        assert_eq!(breaker.snapshot().probes_out, 1);
    }
    assert_eq!(log.ready_polls.get(), 1);
}

#[test]
fn a_reservation_of_an_earlier_period_is_exchanged_in_the_call() {
    let world = World::new();
    let breaker = world.builder().abandoned(Abandoned::Failure).build().unwrap();
    let (probe, log) = Probe::new([Err("a"), Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    breaker.reset();
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Err(Error::Inner("a"))));
    assert_eq!(breaker.state(), State::Open, "it counts in the period of its call");

    breaker.reset();
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    fail(&breaker);
    let answer = poll(pin!(service.call(())));
    let Poll::Ready(Err(Error::Open(rejected))) = answer else { panic!("{answer:?}") };
    assert_eq!(rejected.retry_after(), Some(secs(10)));
    assert_eq!((log.calls.get(), log.reserved.get()), (1, 0));
}

#[test]
fn a_reservation_of_an_earlier_period_is_exchanged_when_it_is_polled_again() {
    let world = World::new();
    let breaker = world.breaker();
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    let task = Task::new();
    assert!(poll_ready(&task, &mut service).is_ready());
    fail(&breaker);
    assert!(poll_ready(&task, &mut service).is_pending());
    world.advance(secs(10));
    assert_eq!((task.woken(), log.reserved.get()), (1, 0));
    assert!(poll_ready(&task, &mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!(breaker.state(), State::Closed);
}

// Hazard 31.
#[test]
fn a_reservation_that_is_never_used_does_not_wedge_it() {
    let world = World::new();
    let breaker = world.builder().probe_timeout(secs(3)).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    let (probe, log) = Probe::new([Ok(1)]);
    let mut idle = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut idle).is_ready());
    world.advance(secs(3));
    // Its time is over, but nothing was sent, and so nothing has failed: the slot is another's.
    let other = breaker.try_acquire().unwrap();
    assert!(other.is_probe());
    assert_eq!((breaker.state(), breaker.snapshot().probe_failures), (State::HalfOpen, 0));
    assert!(matches!(poll(pin!(idle.call(()))), Poll::Ready(Err(Error::Open(_)))));
    assert_eq!((log.calls.get(), log.reserved.get()), (0, 0));
    other.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn the_time_of_a_reserved_probe_counts_from_its_call() {
    let world = World::new();
    let breaker = world.builder().probe_timeout(secs(3)).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    let service = service_fn(|(): ()| pending::<Result<u32, &str>>());
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(service);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    world.advance(secs(2));
    let call = service.call(());
    world.advance(secs(3) - Duration::from_nanos(1));
    assert_eq!(breaker.state(), State::HalfOpen);
    world.advance(Duration::from_nanos(1));
    assert_eq!(breaker.state(), State::Open);
    drop(call);
}

// Hazard 29.
#[test]
fn a_probe_whose_slot_another_has_got_is_not_sent() {
    let world = World::new();
    let breaker = world.builder().half_open_calls(3).probe_timeout(secs(3)).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    let (probe, log) = Probe::new([Ok(1)]);
    let mut idle = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut idle).is_ready());
    world.advance(secs(3));
    let other = breaker.try_acquire().unwrap();
    assert!(matches!(poll(pin!(idle.call(()))), Poll::Ready(Err(Error::Open(_)))));
    assert_eq!((log.calls.get(), breaker.state()), (0, State::HalfOpen));
    other.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_call_is_as_slow_as_it_is_from_the_call_on() {
    let world = World::new();
    let breaker = Breaker::builder().slow_calls(secs(1), 1.0).minimum_calls(1).clock(world.clock()).build().unwrap();
    let (probe, _) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
    world.advance(secs(60));
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!((breaker.state(), breaker.snapshot().slow), (State::Closed, 0));
}

#[test]
fn an_error_of_readiness_comes_back_and_reserves_nothing() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    world.advance(secs(10));
    let (probe, log) = Probe::new([Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Ready(Err("gone"))].into();
    let mut service = BreakerLayer::new(breaker.clone()).hold(world.sleeper()).layer(probe);
    assert_eq!(poll_ready(&Task::new(), &mut service), Poll::Ready(Err(Error::Inner("gone"))));
    assert_eq!(breaker.state(), State::Open);
    assert!(poll_ready(&Task::new(), &mut service).is_ready());
}
