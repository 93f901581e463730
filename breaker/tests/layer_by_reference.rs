//! The layer that holds its breaker by reference: a lawful service, and the same breaker as everywhere.
#![cfg(all(feature = "tower", not(loom)))]

mod waiting_support;

use std::{
    cell::Cell,
    future::{Ready, pending, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    thread,
    time::Instant,
};

use evenkeel_breaker::{Breaker, BreakerLayer, Error, State, Verdict};
use tower::{Layer, Service, ServiceExt, service_fn};
use waiting_support::{World, fail, poll, probe::Probe, secs};

fn poll_ready<S: Service<()>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn only_an_instance_that_was_made_ready_is_called_and_none_is_cloned_for_it() {
    let breaker = Breaker::new();
    let (probe, log) = Probe::new([Ok(1), Ok(2)]);
    let mut service = BreakerLayer::of(&breaker).layer(probe);
    for answer in [1, 2] {
        assert!(poll_ready(&mut service).is_ready());
        assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(answer)));
    }
    assert_eq!((log.calls.get(), log.ready_polls.get(), log.clones.get()), (2, 2, 0));
}

#[test]
fn a_clone_is_made_ready_before_it_is_called() {
    let breaker = Breaker::new();
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::of(&breaker).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.clone().oneshot(()))), Poll::Ready(Ok(1)));
    assert_eq!((log.calls.get(), log.reserved.get()), (1, 1), "its owner is still ready");
}

#[test]
fn a_rejected_call_does_not_reach_the_service_and_frees_what_it_had_reserved() {
    let breaker = Breaker::new();
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::of(&breaker).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open();
    let rejected = service.call(());
    assert_eq!((log.calls.get(), log.reserved.get()), (0, 0));
    assert!(matches!(poll(pin!(rejected)), Poll::Ready(Err(Error::Open(_)))));
    breaker.reset();
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[test]
fn a_service_that_is_not_ready_does_not_keep_a_rejection_waiting() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let (probe, log) = Probe::new([Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Pending, Poll::Pending].into();
    let mut service = BreakerLayer::of(&breaker).layer(probe);
    for changed in [false, true] {
        assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
        if changed {
            // Ready to reject only, it rejects whatever the breaker says by then, for the service is not ready.
            breaker.reset();
        }
        let Poll::Ready(Err(Error::Open(rejected))) = poll(pin!(service.call(()))) else { panic!("it is called") };
        assert_eq!(rejected.state(), if changed { State::Closed } else { State::Open });
    }
    assert_eq!((log.calls.get(), log.queued.get()), (0, 0), "its place in the queue is free");
    // And it is called again when it is ready.
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[test]
fn what_its_services_and_their_clones_see_is_one_breaker() {
    let breaker = Breaker::builder().consecutive_failures(2).build().unwrap();
    let layer = BreakerLayer::of(&breaker);
    assert!(std::ptr::eq(layer.breaker(), &breaker));
    let down = service_fn(|()| ready(Err::<(), _>("down")));
    let (first, second) = (layer.layer(down), layer.clone().layer(down));
    for service in [first.clone(), second] {
        assert_eq!(poll(pin!(service.oneshot(()))), Poll::Ready(Err(Error::Inner("down"))));
    }
    assert_eq!(breaker.state(), State::Open);
    assert!(matches!(poll(pin!(first.oneshot(()))), Poll::Ready(Err(Error::Open(_)))));
}

#[test]
fn a_response_outlives_its_service_and_a_dropped_one_frees_its_slot() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    world.advance(secs(10));
    let probe = BreakerLayer::of(&breaker).layer(service_fn(|()| pending::<Result<(), ()>>())).call(());
    assert_eq!(breaker.snapshot().probes_out, 1);
    drop(probe);
    assert_eq!(breaker.snapshot().probes_out, 0);
    let probe = BreakerLayer::of(&breaker).layer(service_fn(|()| ready(Ok::<_, ()>(7)))).call(());
    assert_eq!(poll(pin!(probe)), Poll::Ready(Ok(7)));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_panic_of_the_service_is_a_failure() {
    let breaker = Breaker::builder().consecutive_failures(1).build().unwrap();
    let mut service = BreakerLayer::of(&breaker).layer(service_fn(|()| -> Ready<Result<(), ()>> { panic!("here") }));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(())))).is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn held_back_it_is_the_same_breaker() {
    let world = World::new();
    let breaker = world.breaker();
    let mut service = BreakerLayer::of(&breaker).hold(world.sleeper()).layer(Probe::new([Ok(1)]).0);
    fail(&breaker);
    assert!(poll_ready(&mut service).is_pending());
    breaker.reset();
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[test]
fn it_needs_nothing_that_lives_for_ever_and_nothing_that_goes_to_other_threads() {
    let (world, calls) = (World::new(), Cell::new(0));
    let text = String::from("borrowed");
    let clock = world.clock();
    let local = || -> Instant {
        assert_eq!(text, "borrowed");
        clock()
    };
    let classify = |result: &Result<u32, Rc<str>>| {
        calls.set(calls.get() + 1);
        if result.is_ok() { Verdict::success() } else { Verdict::failure() }
    };
    let breaker = Breaker::builder().clock(local).build().unwrap();
    let inner = service_fn(|request: &str| -> Ready<Result<u32, Rc<str>>> { ready(Err(request.into())) });
    let service = BreakerLayer::of(&breaker).when(classify).layer(inner);
    let error = poll(pin!(service.oneshot(&*text))).map(|answer| answer.unwrap_err().into_inner().unwrap());
    assert_eq!((error, calls.get()), (Poll::Ready(Rc::from("borrowed")), 1));
}

#[test]
fn of_a_breaker_that_lives_as_long_as_the_program_the_response_goes_anywhere() {
    let breaker: &'static Breaker = Box::leak(Box::new(Breaker::builder().consecutive_failures(2).build().unwrap()));
    let service = BreakerLayer::of(breaker).layer(service_fn(|()| ready(Err::<(), _>("down"))));
    let threads = [(); 2].map(|()| {
        let response = service.clone().call(());
        thread::spawn(move || assert_eq!(poll(pin!(response)), Poll::Ready(Err(Error::Inner("down")))))
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(breaker.state(), State::Open);
}
