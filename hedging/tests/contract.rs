//! Whether the layer is a lawful tower service: readiness, calls and drops, counted by a probe.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{pin::pin, task::Poll, time::Duration};

use evenkeel_hedging::{Cause, Every, Hedge, HedgeLayer, OnFailure, Outcome, Unlimited, Verdict};
use support::{Woken, World, ms};
use tower::{Layer, Service, ServiceExt};
use tower_support::{Probe, Purse, Ready, Told, poll_ready};

const LATE: Duration = ms(100);

#[test]
fn the_instance_that_was_made_ready_is_called_and_a_clone_takes_its_place() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(0), Ok(1)), (ms(0), Ok(2))]);
    let mut service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(probe);
    for answer in [1, 2] {
        assert!(poll_ready(&mut service).is_ready());
        assert_eq!(world.run(service.call(())), Ok(answer));
    }
    assert_eq!((log.calls.get(), log.ready_polls.get(), log.clones.get()), (2, 2, 2));
}

#[test]
fn readiness_and_its_failure_are_passed_on() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(0), Ok(1))]);
    *log.readiness.borrow_mut() = [Ready::Fails("gone"), Ready::After(ms(5))].into();
    let mut service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(probe);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err("gone")));
    assert_eq!(poll_ready(&mut service), Poll::Pending);
    world.advance(ms(5));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(log.counts(), (0, 1, 0, 0));
    assert_eq!(world.run(service.call(())), Ok(1));
}

#[test]
fn a_clone_is_made_ready_before_it_is_called() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(0), Ok(1))]);
    let mut service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(world.run(service.clone().oneshot(())), Ok(1));
    assert_eq!(log.counts(), (1, 1, 0, 0), "its owner is still ready");
}

#[test]
fn the_first_attempt_is_sent_by_the_call_and_a_further_one_is_made_ready_when_it_is_due() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(LATE, Ok(1)), (LATE, Ok(2))]);
    let mut service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    assert_eq!(log.counts(), (1, 0, 0, 1), "before it is polled");
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending());
    world.advance(ms(9));
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!(log.ready_polls.get(), 1, "nothing is reserved for one that is not due");
    world.advance(ms(1));
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((log.ready_polls.get(), log.counts()), (2, (2, 0, 0, 2)));
    assert_eq!(world.run(response), Ok(1));
    assert!(log.is_idle(), "the loser is dropped with the answer");
}

#[test]
fn every_further_attempt_is_made_ready() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(0), Err("a")), (ms(0), Err("b")), (LATE, Ok(7))]);
    let told = Told::default();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(Unlimited).observe(told.clone());
    assert_eq!(world.run(hedge.layer().layer(probe).oneshot(())), Ok(7));
    // The third was late as well.
    assert_eq!((log.calls.get(), log.ready_polls.get()), (4, 4));
    assert_eq!(told.sent(), [(0, 0), (1, 0), (2, 0), (3, 0)]);
    assert_eq!(told.causes(), [None, Some(Cause::Transient), Some(Cause::Transient), Some(Cause::Hedge)]);
}

#[test]
fn one_that_waits_for_its_readiness_does_not_hold_up_those_in_flight_and_leaves_the_queue_with_the_answer() {
    let world = World::new();
    let purse = Purse::of(5);
    let (probe, log) = Probe::new(&world, [(ms(50), Ok(1))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Never].into();
    let mut service = Hedge::after(ms(10), world.sleeper()).budget(purse.clone()).layer().layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending());
    world.advance(ms(10));
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((log.counts(), purse.coins()), ((1, 0, 1, 1), 4));
    world.advance(ms(40));
    assert_eq!(woken.poll(response.as_mut()), Poll::Ready(Ok(1)));
    // Though its future is still there.
    assert_eq!((log.counts(), purse.coins(), purse.tokens()), ((1, 0, 0, 0), 5, 0));
}

#[test]
fn one_that_waits_for_its_readiness_is_sent_when_it_has_it_though_those_in_flight_have_failed() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(20), Err("a")), (ms(5), Ok(2))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::After(ms(60))].into();
    let service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(probe);
    assert_eq!(world.run(service.oneshot(())), Ok(2));
    assert_eq!(*log.called_at.borrow(), [ms(0), ms(70)]);
}

#[test]
fn one_that_a_server_puts_off_while_it_waits_for_its_readiness_leaves_the_queue_and_joins_it_anew() {
    let world = World::new();
    let purse = Purse::of(5);
    let (probe, log) = Probe::new(&world, [(ms(20), Err("slow down")), (ms(5), Ok(2))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Never, Ready::After(ms(1))].into();
    let hedge = Hedge::after(ms(10), world.sleeper())
        .when(|result: &Result<u32, &str>| match result {
            Ok(_) => Verdict::success(),
            Err(_) => Verdict::throttled().not_before(ms(500)),
        })
        .budget(purse.clone());
    let mut service = hedge.layer().layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    for wait in [10, 10, 0] {
        assert!(woken.poll(response.as_mut()).is_pending());
        world.advance(ms(wait));
    }
    assert_eq!((log.counts(), purse.tokens()), ((1, 0, 0, 0), 0), "nothing is sent for half a second");
    assert_eq!(world.run(response), Ok(2));
    assert_eq!(*log.called_at.borrow(), [ms(0), ms(521)]);
}

#[test]
fn one_that_a_server_forbids_while_it_waits_for_its_readiness_leaves_the_queue() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(20), Err("stop")), (LATE, Ok(2))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Now, Ready::Never].into();
    let hedge = Hedge::new([ms(10), ms(5), ms(5)], world.sleeper())
        .when(|result: &Result<u32, &str>| match result {
            Ok(_) => Verdict::success(),
            Err(_) => Verdict::throttled().never(),
        })
        .budget(Unlimited);
    let mut service = hedge.layer().layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    for (wait, counts) in [(10, (1, 0, 0, 1)), (5, (2, 0, 0, 2)), (5, (2, 0, 1, 2))] {
        assert!(woken.poll(response.as_mut()).is_pending());
        assert_eq!(log.counts(), counts);
        world.advance(ms(wait));
    }
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!(log.counts(), (2, 0, 0, 1), "the one in flight goes on");
    assert_eq!(world.run(response), Ok(2));
}

#[test]
fn a_readiness_that_fails_is_a_failed_attempt_that_is_refunded_and_the_service_is_not_asked_again() {
    let world = World::new();
    let (purse, told) = (Purse::of(5), Told::default());
    let (probe, log) = Probe::new(&world, [(LATE, Ok(1))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Fails("gone")].into();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(purse.clone()).observe(told.clone());
    assert_eq!(world.run(hedge.layer().layer(probe).oneshot(())), Ok(1));
    assert_eq!((log.calls.get(), log.ready_polls.get(), purse.coins()), (1, 2, 5));
    assert_eq!(told.verdicts(), [(1, 0, Outcome::Transient), (0, 0, Outcome::Success)]);
    assert_eq!(told.sent(), [(0, 0)]);
    assert!(told.refused().is_empty() && purse.is_idle());
}

#[test]
fn a_readiness_that_fails_after_the_attempts_is_the_answer() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(0), Err("a"))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Fails("gone")].into();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(Unlimited);
    assert_eq!(world.run(hedge.layer().layer(probe).oneshot(())), Err("gone"));
    assert_eq!(log.ready_polls.get(), 2);
}

#[test]
fn a_readiness_that_fails_ends_also_what_other_failures_call_for() {
    let world = World::new();
    let (purse, told) = (Purse::of(5), Told::default());
    let (probe, log) = Probe::new(&world, [(ms(20), Err("a"))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::FailsAfter(ms(50), "gone")].into();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(purse.clone()).observe(told.clone());
    let mut service = hedge.layer().layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    // The first one fails while the second waits for its readiness, and calls for a third.
    assert_eq!(world.run(service.call(())), Err("gone"));
    assert_eq!(told.verdicts(), [(0, 0, Outcome::Transient), (1, 0, Outcome::Transient)]);
    let asked = log.ready_polls.get();
    assert!(log.readiness.borrow().is_empty() && asked > 2 && log.is_idle(), "{asked}");
    assert_eq!((log.calls.get(), purse.coins(), purse.is_idle()), (1, 5, true));
}

#[test]
fn nothing_has_to_be_sent_to_other_threads_nor_to_live_for_ever() {
    let (world, text) = (World::new(), String::from("borrowed"));
    let calls = std::cell::Cell::new(0);
    let classify = |result: &Result<usize, std::rc::Rc<str>>| {
        calls.set(calls.get() + 1);
        if result.is_ok() { Verdict::success() } else { Verdict::transient() }
    };
    let inner = tower::service_fn(|request: &str| {
        let answer = if calls.get() == 0 { Err(request.into()) } else { Ok(request.len()) };
        std::future::ready(answer)
    });
    let service = Hedge::new(OnFailure, world.sleeper()).when(classify).layer().layer(inner);
    assert_eq!(world.run(service.oneshot(&*text)), Ok(8));
}

#[test]
#[should_panic(expected = "polled after it has answered")]
fn polled_after_it_has_answered_it_panics() {
    let world = World::new();
    let (probe, _) = Probe::new(&world, [(ms(0), Ok(1))]);
    let mut service = HedgeLayer::new(OnFailure, world.sleeper()).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert_eq!(woken.poll(response.as_mut()), Poll::Ready(Ok(1)));
    let _ = woken.poll(response.as_mut());
}
