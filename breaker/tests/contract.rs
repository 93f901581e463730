//! Whether the layer is a lawful tower service: readiness, calls and drops, counted by a probe.
#![cfg(all(feature = "tower", not(loom)))]

mod waiting_support;

use std::{
    cell::Cell,
    future::{Ready, pending, ready},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use evenkeel_breaker::{Breaker, BreakerLayer, BreakerObserver, Error, Rejected, State, Verdict};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};
use waiting_support::{World, fail, poll, probe::Probe, secs};

fn poll_ready<S: Service<()>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

fn is_open<T, E>(answer: &Poll<Result<T, Error<E>>>) -> bool {
    matches!(answer, Poll::Ready(Err(Error::Open(_))))
}

#[test]
fn only_an_instance_that_was_made_ready_is_called_and_none_is_cloned_for_it() {
    let (probe, log) = Probe::new([Ok(1), Ok(2)]);
    let mut service = BreakerLayer::new(Breaker::new()).layer(probe);
    for answer in [1, 2] {
        assert!(poll_ready(&mut service).is_ready());
        assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(answer)));
    }
    assert_eq!((log.calls.get(), log.ready_polls.get(), log.clones.get()), (2, 2, 0));
}

#[test]
fn a_clone_is_made_ready_before_it_is_called() {
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(Breaker::new()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.clone().oneshot(()))), Poll::Ready(Ok(1)));
    assert_eq!((log.calls.get(), log.reserved.get()), (1, 1), "its owner is still ready");
}

// Hazard 12: whoever is rejected may hold the service for long, in the wait of a retry.
#[test]
fn a_rejected_call_does_not_reach_the_service_and_frees_what_it_had_reserved() {
    let breaker = Breaker::new();
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open();
    let rejected = service.call(());
    assert_eq!((log.calls.get(), log.reserved.get()), (0, 0));
    // Its answer needs nobody: neither the service nor another poll.
    assert!(is_open(&poll(pin!(rejected))));
    breaker.reset();
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!((log.calls.get(), log.reserved.get(), log.ready_polls.get()), (1, 0, 2));
}

#[test]
fn readiness_is_that_of_the_service_and_asks_the_breaker_for_nothing() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let (probe, log) = Probe::new([Ok(1)]);
    *log.readiness.borrow_mut() =
        [Poll::Pending, Poll::Ready(Err("gone")), Poll::Ready(Ok(())), Poll::Ready(Ok(()))].into();
    world.advance(secs(10));
    let mut service = BreakerLayer::new(breaker.clone()).layer(probe);
    // A probe would be let through: it is worth waiting for.
    assert!(poll_ready(&mut service).is_pending());
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err(Error::Inner("gone"))));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(breaker.state(), State::Open, "to be ready is no probe");
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn what_the_service_says_goes_before_the_breaker_and_that_is_asked_in_the_call() {
    let breaker = Breaker::new();
    breaker.force_open();
    let (probe, log) = Probe::new([Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Ready(Err("gone")), Poll::Ready(Ok(()))].into();
    let mut service = BreakerLayer::new(breaker.clone()).layer(probe);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err(Error::Inner("gone"))));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    breaker.reset();
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[test]
fn a_service_that_is_not_ready_does_not_keep_a_rejection_waiting() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let (probe, log) = Probe::new([]);
    *log.readiness.borrow_mut() = [Poll::Pending].into();
    let mut service = BreakerLayer::new(breaker).layer(probe);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(log.queued.get(), 1);
    let Poll::Ready(Err(Error::Open(rejected))) = poll(pin!(service.call(()))) else { panic!("it is open") };
    assert_eq!((rejected.state(), rejected.retry_after()), (State::Open, Some(secs(10))));
    assert_eq!((log.calls.get(), log.queued.get()), (0, 0), "its place in the queue is free");
}

#[test]
fn what_was_ready_to_reject_rejects_whatever_the_breaker_says_by_then() {
    let world = World::new();
    let rejections = Rejections::default();
    let breaker = world.builder().observe(&rejections).build().unwrap();
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = BreakerLayer::new(breaker.clone()).layer(probe);
    for (change, state) in [
        (None, State::Open),
        (Some(Breaker::reset as fn(&Breaker<_, _>)), State::Closed),
        (Some(Breaker::force_open as fn(&Breaker<_, _>)), State::ForcedOpen),
    ] {
        breaker.reset();
        fail(&breaker);
        log.readiness.borrow_mut().push_back(Poll::Pending);
        assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
        if let Some(change) = change {
            change(&breaker);
        }
        let Poll::Ready(Err(Error::Open(rejected))) = poll(pin!(service.call(()))) else { panic!("it is called") };
        assert_eq!(rejected.state(), state);
        assert_eq!(rejected.retry_after().is_some_and(|wait| wait.is_zero()), state == State::Closed);
    }
    assert_eq!((log.calls.get(), rejections.0.get()), (0, 3));
    // And it is called again when it is ready.
    breaker.reset();
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[derive(Default)]
struct Rejections(Cell<u32>);

impl BreakerObserver for Rejections {
    fn on_reject(&self, _: &Rejected) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn to_be_ready_to_reject_is_forgotten_with_the_next_look_and_by_clones() {
    let breaker = Breaker::new();
    breaker.force_open();
    let (probe, log) = Probe::new([Ok(1), Ok(2)]);
    log.readiness.borrow_mut().push_back(Poll::Pending);
    let mut service = BreakerLayer::new(breaker.clone()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    breaker.reset();
    assert_eq!(poll(pin!(service.clone().oneshot(()))), Poll::Ready(Ok(1)));
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(2)));
}

#[test]
fn in_a_dry_run_readiness_is_that_of_the_service_alone() {
    let breaker = Breaker::builder().dry_run(true).build().unwrap();
    breaker.force_open();
    let (probe, log) = Probe::new([Ok(1)]);
    log.readiness.borrow_mut().push_back(Poll::Pending);
    let mut service = BreakerLayer::new(breaker).layer(probe);
    assert!(poll_ready(&mut service).is_pending());
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(()))), Poll::Ready(Ok(1)));
}

#[test]
fn a_concurrency_limit_that_hangs_is_answered_for_and_its_queue_left() {
    let breaker = Breaker::new();
    let hangs = service_fn(|()| pending::<Result<(), ()>>());
    let limited = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(hangs);
    let (mut first, mut second) = (limited.clone(), limited);
    assert!(poll_ready(&mut first).is_ready());
    let mut hanging = Box::pin(first.call(()));
    assert!(poll(hanging.as_mut()).is_pending());
    assert!(poll_ready(&mut second).is_pending());
    breaker.force_open();
    assert!(poll_ready(&mut second).is_ready());
    assert!(is_open(&poll(pin!(second.call(())))));
    breaker.reset();
    // Freed by the first, the slot is not lost to one who has left the queue.
    drop(hanging);
    assert!(poll_ready(&mut first).is_ready());
}

#[test]
fn errors_and_responses_come_back_as_they_are() {
    let (probe, _) = Probe::new([Err("a"), Ok(7)]);
    let mut service = BreakerLayer::new(Breaker::new()).layer(probe);
    for answer in [Err(Error::Inner("a")), Ok(7)] {
        assert!(poll_ready(&mut service).is_ready());
        assert_eq!(poll(pin!(service.call(()))), Poll::Ready(answer));
    }
}

#[test]
fn a_response_that_is_dropped_drops_the_call() {
    let held = Rc::new(());
    let inner = {
        let held = held.clone();
        service_fn(move |()| {
            let held = held.clone();
            async move {
                let _held = held;
                pending::<Result<(), ()>>().await
            }
        })
    };
    let mut service = BreakerLayer::new(Breaker::new()).layer(inner);
    // Dropped before it is polled: the service was called already. And after.
    for polls in [0, 1] {
        let mut response = Box::pin(service.call(()));
        (0..polls).for_each(|_| assert!(poll(response.as_mut()).is_pending()));
        assert_eq!(Rc::strong_count(&held), 3);
        drop(response);
        assert_eq!(Rc::strong_count(&held), 2);
    }
}

#[test]
fn a_request_is_moved_and_not_cloned() {
    struct Once;
    let layer = BreakerLayer::new(Breaker::new());
    let mut service = layer.layer(service_fn(|_: Once| ready(Ok::<_, ()>(1))));
    assert_eq!(poll(pin!(service.call(Once))), Poll::Ready(Ok(1)));
    let mut holds = layer.hold(|_| ready(())).layer(service_fn(|_: Once| ready(Ok::<_, ()>(1))));
    assert_eq!(poll(pin!(holds.call(Once))), Poll::Ready(Ok(1)));
}

#[test]
fn nothing_has_to_be_sent_to_other_threads_nor_to_live_for_ever() {
    let (world, text) = (World::new(), String::from("borrowed"));
    let (clock, calls) = (world.clock(), Cell::new(0));
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
    let service = BreakerLayer::new(breaker).when(classify).layer(inner);
    let error = poll(pin!(service.clone().oneshot(&*text))).map(|answer| answer.unwrap_err().into_inner().unwrap());
    assert_eq!((error, calls.get()), (Poll::Ready(Rc::from("borrowed")), 1));
}
