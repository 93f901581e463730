//! Whether the layer is a lawful tower service: readiness, calls and drops, counted by a probe.
#![cfg(all(feature = "tower", not(loom)))]

mod throttle_support;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, Ready, pending, ready},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use evenkeel_budget::{AdaptiveThrottle, Priority, ThrottleError, ThrottleLayer, Verdict};
use throttle_support::poll;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

/// What the probe saw, shared by all its clones.
#[derive(Default)]
struct Log {
    calls: Cell<u32>,
    ready_polls: Cell<u32>,
    clones: Cell<u32>,
    /// Reserved by `poll_ready` and not used by `call` yet.
    reserved: Cell<i32>,
    results: RefCell<VecDeque<Result<u32, &'static str>>>,
    readiness: RefCell<VecDeque<Poll<Result<(), &'static str>>>>,
}

/// A service that must be made ready before each call, and whose clones are not.
struct Probe {
    log: Rc<Log>,
    ready: bool,
}

impl Probe {
    fn new(results: impl IntoIterator<Item = Result<u32, &'static str>>) -> (Self, Rc<Log>) {
        let log = Rc::new(Log { results: RefCell::new(results.into_iter().collect()), ..Log::default() });
        (Self { log: log.clone(), ready: false }, log)
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        self.log.clones.set(self.log.clones.get() + 1);
        Self { log: self.log.clone(), ready: false }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if self.ready {
            self.log.reserved.set(self.log.reserved.get() - 1);
        }
    }
}

impl Service<Priority> for Probe {
    type Response = u32;
    type Error = &'static str;
    type Future = Ready<Result<u32, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.log.ready_polls.set(self.log.ready_polls.get() + 1);
        match self.log.readiness.borrow_mut().pop_front() {
            Some(Poll::Ready(Ok(()))) | None => {}
            Some(other) => return other,
        }
        if !self.ready {
            self.ready = true;
            self.log.reserved.set(self.log.reserved.get() + 1);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Priority) -> Self::Future {
        assert!(self.ready, "called without having been made ready");
        self.ready = false;
        self.log.reserved.set(self.log.reserved.get() - 1);
        self.log.calls.set(self.log.calls.get() + 1);
        ready(self.log.results.borrow_mut().pop_front().unwrap_or(Err("no more")))
    }
}

/// A throttle that rejects all sheddable requests and no critical one.
fn rejecting() -> AdaptiveThrottle {
    let throttle = AdaptiveThrottle::default();
    while throttle.try_acquire(Priority::Normal).is_ok() {}
    throttle
}

fn by_request(priority: &Priority) -> Priority {
    *priority
}

fn poll_ready<S: Service<Priority>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_layer_by_reference_is_a_layer_of_the_same_throttle() {
    // As a client does that lives as long as the program.
    let throttle: &'static AdaptiveThrottle = Box::leak(Box::new(AdaptiveThrottle::default()));
    let layer = ThrottleLayer::new(throttle);
    assert_eq!(layer.throttle().k(), throttle.k());
    let (probe, log) = Probe::new([Ok(1), Err("down"), Err("down")]);
    let mut service = layer.layer(probe);
    let mut answer = || {
        let mut context = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut context).is_ready());
        let Poll::Ready(answer) = pin!(service.call(Priority::Critical)).poll(&mut context) else {
            panic!("it is there")
        };
        answer
    };
    assert_eq!(answer(), Ok(1));
    while !answer().is_err_and(|error| error.is_rejected()) {}
    let snapshot = throttle.snapshot();
    assert_eq!(snapshot.accepts, 1);
    assert_eq!(snapshot.requests, u64::from(log.calls.get()) + 1, "all that it sent and the one that it did not");
}

#[test]
fn only_an_instance_that_was_made_ready_is_called_and_none_is_cloned_for_it() {
    let (probe, log) = Probe::new([Ok(1), Ok(2)]);
    let mut service = ThrottleLayer::new(AdaptiveThrottle::default()).layer(probe);
    for answer in [1, 2] {
        assert!(poll_ready(&mut service).is_ready());
        assert_eq!(poll(pin!(service.call(Priority::Normal))), Poll::Ready(Ok(answer)));
    }
    assert_eq!((log.calls.get(), log.ready_polls.get(), log.clones.get()), (2, 2, 0));
}

#[test]
fn a_clone_is_made_ready_before_it_is_called() {
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = ThrottleLayer::new(AdaptiveThrottle::default()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.clone().oneshot(Priority::Normal))), Poll::Ready(Ok(1)));
    assert_eq!((log.calls.get(), log.reserved.get()), (1, 1), "its owner is still ready");
}

// Hazard 12: whoever is rejected may hold the service for long, in the wait of a retry.
#[test]
fn a_rejected_request_does_not_call_the_service_and_frees_what_it_had_reserved() {
    let (probe, log) = Probe::new([Ok(1)]);
    let mut service = ThrottleLayer::new(rejecting()).priority(by_request).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    let rejected = service.call(Priority::Sheddable);
    assert_eq!((log.calls.get(), log.reserved.get()), (0, 0));
    // Its answer needs nobody: neither the service nor another poll.
    assert!(poll(pin!(rejected)).map_err(|error| error.is_rejected()) == Poll::Ready(Err(true)));
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(Priority::Critical))), Poll::Ready(Ok(1)));
    assert_eq!((log.calls.get(), log.reserved.get(), log.ready_polls.get()), (1, 0, 2));
}

#[test]
fn readiness_is_that_of_the_service_even_while_all_is_rejected() {
    let (probe, log) = Probe::new([]);
    *log.readiness.borrow_mut() = [Poll::Pending, Poll::Ready(Err("gone")), Poll::Ready(Ok(()))].into();
    let throttle = rejecting();
    let requests = throttle.snapshot().requests;
    let mut service = ThrottleLayer::new(throttle.clone()).layer(probe);
    assert!(poll_ready(&mut service).is_pending());
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err(ThrottleError::Inner("gone"))));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(throttle.snapshot().requests, requests, "to be ready is no request");
}

#[test]
fn errors_and_responses_come_back_as_they_are() {
    let (probe, _) = Probe::new([Err("a"), Ok(7)]);
    let mut service = ThrottleLayer::new(AdaptiveThrottle::default()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(poll(pin!(service.call(Priority::Normal))), Poll::Ready(Err(ThrottleError::Inner("a"))));
    // After one failure of one, half of the next are rejected.
    let answer = loop {
        assert!(poll_ready(&mut service).is_ready());
        match poll(pin!(service.call(Priority::Normal))) {
            Poll::Ready(Err(ThrottleError::Rejected(_))) => {}
            answer => break answer,
        }
    };
    assert_eq!(answer, Poll::Ready(Ok(7)));
}

#[test]
fn all_services_of_a_layer_and_their_clones_share_the_throttle() {
    let throttle = AdaptiveThrottle::default();
    let layer = ThrottleLayer::new(throttle.clone());
    for _ in 0..40 {
        let (probe, _) = Probe::new([]);
        let service = layer.clone().layer(probe).clone();
        assert!(poll(pin!(service.oneshot(Priority::Normal))).is_ready());
    }
    assert_eq!(throttle.snapshot().requests, 40);
    assert_eq!(layer.throttle().snapshot().requests, 40);
}

#[test]
fn results_count_as_they_are_judged() {
    let throttle = AdaptiveThrottle::default();
    let layer = ThrottleLayer::new(throttle.clone()).when(|result: &Result<u32, &'static str>| match result {
        Ok(503) => Verdict::transient(),
        Ok(_) => Verdict::success(),
        Err(_) => Verdict::permanent(),
    });
    for (result, accepts) in [(Ok(200), 1), (Err("not found"), 2), (Ok(503), 2)] {
        let (probe, _) = Probe::new([result]);
        let answer = poll(pin!(layer.layer(probe).oneshot(Priority::Normal)));
        assert_eq!(answer, Poll::Ready(result.map_err(ThrottleError::Inner)));
        assert_eq!(throttle.snapshot().accepts, accepts);
    }
    assert_eq!(throttle.snapshot().requests, 3);
}

#[test]
fn a_priority_may_be_that_of_all_requests() {
    let (throttle, (probe, log)) = (rejecting(), Probe::new([Ok(1)]));
    let layer = ThrottleLayer::new(throttle);
    let sheddable = layer.clone().priority(Priority::Sheddable).layer(probe.clone());
    let critical = layer.priority(Priority::Critical).layer(probe);
    assert!(matches!(poll(pin!(sheddable.oneshot(Priority::Normal))), Poll::Ready(Err(ThrottleError::Rejected(_)))));
    assert_eq!(poll(pin!(critical.oneshot(Priority::Normal))), Poll::Ready(Ok(1)));
    assert_eq!(log.calls.get(), 1);
}

#[test]
fn a_response_that_is_dropped_drops_the_call_and_counts_as_not_accepted() {
    // It only counts.
    let throttle = AdaptiveThrottle::builder().max_rejection(0.0).build().unwrap();
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
    let mut service = ThrottleLayer::new(throttle.clone()).layer(inner);
    // Dropped before it is polled: the service was called already. And after.
    for (polls, requests) in [(0, 1), (1, 2)] {
        let mut response = Box::pin(service.call(()));
        (0..polls).for_each(|_| assert!(poll(response.as_mut()).is_pending()));
        assert_eq!(Rc::strong_count(&held), 3);
        drop(response);
        assert_eq!(Rc::strong_count(&held), 2);
        assert_eq!((throttle.snapshot().requests, throttle.snapshot().accepts), (requests, 0));
    }
}

#[test]
fn a_service_that_panics_in_call_leaves_the_request_counted() {
    let throttle = AdaptiveThrottle::default();
    let panics = service_fn(|()| -> Ready<Result<(), ()>> { panic!("in call") });
    let mut service = ThrottleLayer::new(throttle.clone()).layer(panics);
    let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(service.call(()))));
    assert!(called.is_err());
    assert_eq!((throttle.snapshot().requests, throttle.snapshot().accepts), (1, 0));
}

#[test]
fn a_request_is_moved_and_not_cloned() {
    struct Once;
    let mut service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(AdaptiveThrottle::default()).priority(|_: &Once| Priority::Sheddable))
        .service(service_fn(|_: Once| ready(Ok::<_, ()>(1))));
    assert_eq!(poll(pin!(service.call(Once))), Poll::Ready(Ok(1)));
}
