//! Whether the layer is a lawful tower service: readiness, copies and drops, counted by a probe.
#![cfg(all(feature = "tower", not(loom)))]

mod support;

use std::{
    cell::Cell,
    future::{Ready, ready},
    num::NonZeroU32,
    pin::pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_backoff::{Costs, Exponential, Jitter, Repeat, Retry, RetryLayer, Stop, TokenBudget, Unlimited, Verdict};
use support::{
    Flag, Woken, World, ms,
    probe::{Log, Probe, Request},
    spies::{InFlight, Stops},
};
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimitLayer};

const EXACT: Exponential = Exponential::new(ms(10)).jitter(Jitter::None);

#[test]
fn only_an_instance_that_was_made_ready_is_called() {
    let world = World::new();
    let (probe, log) = Probe::new([Err("a"), Err("b"), Ok(7)]);
    let service = RetryLayer::new(EXACT.take(3), world.sleeper()).layer(probe);
    // Readied, cloned (which forgets), and called: first by its owner, then inside of the response.
    assert_eq!(world.run(service.clone().oneshot(())), Ok(7));
    assert_eq!((log.calls.get(), log.ready_polls.get()), (3, 3));
}

#[test]
fn no_readiness_is_held_during_the_sleep() {
    let world = World::new();
    let (probe, log) = Probe::new([Err("a"), Ok(7)]);
    let mut service = RetryLayer::new(EXACT.take(3), world.sleeper()).layer(probe);
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((world.slept(), log.reserved.get()), (vec![ms(10)], 0));
    assert_eq!(world.run(response), Ok(7));
    assert_eq!(log.reserved.get(), 0);
}

#[test]
fn no_permit_of_a_concurrency_limit_is_held_during_the_sleep() {
    let world = World::new();
    let (probe, _) = Probe::new([Err("a"), Ok(1), Ok(2)]);
    let mut service = RetryLayer::new(EXACT.take(3), world.sleeper()).layer(ConcurrencyLimitLayer::new(1).layer(probe));
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    let mut sleeping = Box::pin(service.call(()));
    assert!(Woken::new().poll(sleeping.as_mut()).is_pending());
    // The one permit is free for another request, while the first one waits.
    assert_eq!(world.run(service.clone().oneshot(())), Ok(1));
    assert_eq!(world.slept().len(), 1);
    assert_eq!(world.run(sleeping), Ok(2));
}

#[test]
fn the_request_is_copied_once_for_each_further_attempt_and_not_for_the_last() {
    let world = World::new();
    let clones = |schedule_len: usize, results: Vec<Result<u32, &'static str>>| {
        let copies = Rc::new(Cell::new(0));
        let (probe, log) = Probe::new(results);
        let service = RetryLayer::new(EXACT.take(schedule_len), world.sleeper()).layer(probe);
        let _ = world.run(service.oneshot(Request(copies.clone())));
        (log.calls.get(), copies.get())
    };
    assert_eq!(clones(0, vec![Err("a")]), (1, 0));
    assert_eq!(clones(2, vec![Ok(1)]), (1, 1));
    assert_eq!(clones(2, vec![Err("a"), Ok(1)]), (2, 2));
    assert_eq!(clones(2, vec![Err("a"), Err("b"), Err("c")]), (3, 2));
}

#[test]
fn a_limit_on_attempts_saves_the_last_copy_too() {
    let world = World::new();
    for (max, calls, clones) in [(1, 1, 0), (2, 2, 1)] {
        let copies = Rc::new(Cell::new(0));
        let (probe, log) = Probe::new([]);
        let policy = Retry::new(EXACT, world.sleeper()).max_attempts(NonZeroU32::new(max).unwrap());
        let _ = world.run(policy.layer().layer(probe).oneshot(Request(copies.clone())));
        assert_eq!((log.calls.get(), copies.get()), (calls, clones));
    }
}

#[test]
fn the_failed_response_and_the_attempt_are_dropped_before_the_sleep_of_a_layer() {
    let world = World::new();
    let (response_gone, attempt_gone) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let sleep = {
        let (response_gone, attempt_gone, sleeper) = (response_gone.clone(), attempt_gone.clone(), world.sleeper());
        move |delay| {
            assert!(response_gone.get() && attempt_gone.get(), "still held when the sleep begins");
            sleeper(delay)
        }
    };
    let mut service = RetryLayer::new(EXACT.take(1), sleep).layer(tower::service_fn(|()| {
        let (response, attempt) = (Flag(response_gone.clone()), Flag(attempt_gone.clone()));
        async move {
            let _attempt = attempt;
            Err::<(), _>(response)
        }
    }));
    let mut response = pin!(service.call(()));
    assert!(Woken::new().poll(response.as_mut()).is_pending());
    assert_eq!(world.slept(), [ms(10)]);
}

#[test]
fn a_schedule_that_cannot_tell_its_length_costs_no_copy_too_many_either() {
    let world = World::new();
    let copies = Rc::new(Cell::new(0));
    let (probe, log) = Probe::new([Err("a"), Err("b"), Err("c")]);
    // 10 + 20 ms are within 35 ms, and 40 more are not.
    let service = RetryLayer::new(EXACT.within(ms(35)), world.sleeper()).layer(probe);
    assert_eq!(world.run(service.oneshot(Request(copies.clone()))), Err("c"));
    assert_eq!((log.calls.get(), copies.get(), world.slept()), (3, 2, vec![ms(10), ms(20)]));
}

#[test]
fn a_request_that_may_not_be_sent_twice_is_neither_sent_twice_nor_copied() {
    let world = World::new();
    let (copies, stops) = (Rc::new(Cell::new(0)), Rc::new(Stops::default()));
    let (probe, log) = Probe::new([Err("a"), Ok(1)]);
    let policy = Retry::new(EXACT.take(3), world.sleeper()).observe(stops.clone());
    let service = policy.layer().replay(|_: &Request| Repeat::Never).layer(probe);
    assert_eq!(world.run(service.oneshot(Request(copies.clone()))), Err("a"));
    assert_eq!((log.calls.get(), copies.get()), (1, 0));
    assert_eq!(stops.0.take(), [(1, Stop::NotRepeatable)]);
}

#[test]
fn a_request_that_is_not_idempotent_is_sent_again_only_if_it_was_not_processed() {
    let world = World::new();
    let send = |verdict: Verdict| {
        let (probe, log) = Probe::new([Err("a"), Err("b")]);
        let policy = Retry::new(EXACT.take(1), world.sleeper()).when(move |_: &Result<u32, &str>| verdict);
        let service = policy.layer().replay(|_: &()| Repeat::IfUnprocessed).layer(probe);
        let _ = world.run(service.oneshot(()));
        log.calls.get()
    };
    assert_eq!(send(Verdict::transient()), 1);
    assert_eq!(send(Verdict::transient().unprocessed()), 2);
    assert_eq!(send(Verdict::throttled()), 2);
}

#[test]
fn a_service_that_fails_to_become_ready_again_ends_it_with_its_own_error_and_gives_the_retry_back() {
    let world = World::new();
    let budget = TokenBudget::default();
    let (probe, log) = Probe::new([Err("a"), Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Ready(Ok(())), Poll::Ready(Err("gone"))].into();
    let stops = Rc::new(Stops::default());
    let policy = Retry::new(EXACT.take(3), world.sleeper()).budget(budget.clone()).observe(stops.clone());
    assert_eq!(world.run(policy.layer().layer(probe).oneshot(())), Err("gone"));
    assert_eq!(stops.0.take(), [(1, Stop::NotReady)]);
    assert_eq!((log.calls.get(), budget.balance()), (1, 500));
}

#[test]
fn a_service_that_is_never_ready_again_is_waited_for_no_longer_than_an_attempt_may_take() {
    #[derive(Clone)]
    struct Stuck(bool);
    impl Service<()> for Stuck {
        type Response = u32;
        type Error = &'static str;
        type Future = Ready<Result<u32, &'static str>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            if self.0 { Poll::Pending } else { Poll::Ready(Ok(())) }
        }
        fn call(&mut self, (): ()) -> Self::Future {
            self.0 = true;
            ready(Err("a"))
        }
    }
    let world = World::new();
    let policy = Retry::new(EXACT.take(3), world.sleeper()).attempt_timeout(ms(50), || "not ready");
    assert_eq!(world.run(policy.layer().layer(Stuck(false)).oneshot(())), Err("not ready"));
    assert_eq!(world.slept(), [ms(10), ms(50)]);
}

#[test]
fn a_retry_whose_readiness_takes_until_the_deadline_is_not_sent() {
    let world = World::new();
    let (budget, stops) = (TokenBudget::default(), Rc::new(Stops::default()));
    let (probe, log) = Probe::new([Err("a"), Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Ready(Ok(())), Poll::Pending].into();
    let policy = Retry::new(EXACT.take(3), world.sleeper()).deadline(ms(100)).clock(world.clock());
    let policy = policy.attempt_timeout(ms(200), || "late").budget(budget.clone()).observe(stops.clone());
    let mut service = policy.layer().layer(probe);
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending(), "it sleeps");
    world.advance(ms(10));
    assert!(woken.poll(response.as_mut()).is_pending(), "the service is not ready yet");
    world.advance(ms(90));
    assert_eq!(woken.poll(response.as_mut()), Poll::Ready(Err("late")));
    assert_eq!((log.calls.get(), budget.balance()), (1, 500));
    assert_eq!(stops.0.take(), [(1, Stop::Deadline)]);
}

#[test]
fn whether_a_request_may_be_repeated_is_asked_before_the_budget() {
    let world = World::new();
    let stops = Rc::new(Stops::default());
    let (probe, _) = Probe::new([]);
    let policy = Retry::new(EXACT.take(3), world.sleeper()).budget(TokenBudget::new(0, Costs::EARLIER));
    let layer = policy.observe(stops.clone()).layer().replay(|_: &()| Repeat::Never);
    let _ = world.run(layer.layer(probe).oneshot(()));
    assert_eq!(stops.0.take(), [(1, Stop::NotRepeatable)]);
}

#[test]
fn readiness_that_takes_polls_is_waited_for() {
    let world = World::new();
    let (probe, log) = Probe::new([Err("a"), Ok(1)]);
    *log.readiness.borrow_mut() = [Poll::Ready(Ok(())), Poll::Pending, Poll::Pending].into();
    let service = RetryLayer::new(EXACT.take(3), world.sleeper()).layer(probe);
    assert_eq!(world.run(service.oneshot(())), Ok(1));
    assert_eq!(log.ready_polls.get(), 4);
}

#[test]
fn all_services_of_a_layer_and_their_clones_share_its_budget() {
    let world = World::new();
    let layer = RetryLayer::new(EXACT.take(2), world.sleeper());
    for _ in 0..40 {
        let (probe, _) = Probe::new([]);
        let service = layer.layer(probe).clone();
        let _ = world.run(service.oneshot(()));
    }
    assert_eq!(world.slept().len(), 35, "500 tokens at 14");
}

#[test]
fn a_layer_has_a_budget_unless_it_is_told_that_none_is_meant() {
    let world = World::new();
    let retries = |layer: &dyn Fn() -> u32| (0..100).map(|_| layer()).sum::<u32>();
    let short = RetryLayer::new([ms(1)], world.sleeper());
    let unlimited = Retry::new([ms(1)], world.sleeper()).budget(Unlimited).layer();
    let sent = |log: &Log| log.calls.get() - 1;
    assert_eq!(
        retries(&|| {
            let (probe, log) = Probe::new([]);
            let _ = world.run(short.layer(probe).oneshot(()));
            sent(&log)
        }),
        35
    );
    assert_eq!(
        retries(&|| {
            let (probe, log) = Probe::new([]);
            let _ = world.run(unlimited.layer(probe).oneshot(()));
            sent(&log)
        }),
        100
    );
}

#[test]
fn a_short_layer_over_an_endless_schedule_ends() {
    let world = World::new();
    let (probe, log) = Probe::new([]);
    let service = RetryLayer::new(Exponential::new(Duration::ZERO), world.sleeper()).layer(probe);
    assert_eq!(world.run(service.oneshot(())), Err("no more"));
    assert_eq!(log.calls.get(), 3);
}

#[test]
fn dropped_at_any_await_it_holds_nothing() {
    for polls in 0..6 {
        let world = World::new();
        let in_flight = InFlight::default();
        let (probe, log) = Probe::new([]);
        let policy = Retry::new([ms(10), Duration::ZERO, ms(10)], world.sleeper()).budget(in_flight.clone());
        let mut service = policy.layer().layer(probe);
        world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
        let mut response = Box::pin(service.call(()));
        for _ in 0..polls {
            if Woken::new().poll(response.as_mut()).is_ready() {
                break;
            }
            world.advance(ms(10));
        }
        drop(response);
        assert_eq!((in_flight.0.get(), log.reserved.get()), ((0, 0), 0), "dropped after {polls} polls");
    }
}
