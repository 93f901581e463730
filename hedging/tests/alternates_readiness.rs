//! Whether alternates are a lawful tower service: whose readiness is theirs, and what is reserved.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use evenkeel_hedging::{Alternates, Answered, AtOnce, Hedge, NEVER, Unlimited};
use support::{Woken, World, ms};
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimitLayer};
use tower_support::{Log, Probe, Purse, Ready, poll_ready, probes};

const NOW: std::time::Duration = ms(0);

fn from(alternate: usize, response: u32) -> Result<Answered<u32>, &'static str> {
    Ok(Answered { alternate, response })
}

#[test]
fn they_are_ready_when_the_first_is_and_the_others_are_not_asked() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    *logs[0].readiness.borrow_mut() = [Ready::After(ms(5))].into();
    let mut service = Alternates::new(services);
    assert_eq!(poll_ready(&mut service), Poll::Pending);
    world.advance(ms(5));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())), "and stay so");
    assert_eq!(world.run(service.call(())), from(0, 1), "the instance that was made ready");
    assert_eq!((logs[0].calls.get(), logs[1].ready_polls.get()), (1, 0));
    assert!(logs[0].is_idle());
}

#[test]
fn one_that_fails_to_become_ready_is_passed_over_and_asked_again_for_the_next_call() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    *logs[0].readiness.borrow_mut() = [Ready::Fails("gone")].into();
    let mut service = Alternates::new(services);
    for answer in [from(1, 2), from(0, 1)] {
        assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
        assert_eq!(world.run(service.call(())), answer);
    }
}

#[test]
fn when_none_becomes_ready_the_last_error_is_passed_on_and_all_are_asked_again() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    for (log, error) in logs.iter().zip(["a", "b"]) {
        *log.readiness.borrow_mut() = [Ready::Fails(error)].into();
    }
    let mut service = Alternates::new(services);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err("b")));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(world.run(service.call(())), from(0, 1));
}

#[test]
fn the_second_keeps_its_place_in_the_queue_though_the_first_would_fail_again() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    *logs[0].readiness.borrow_mut() = [Ready::Fails("gone"); 9].into();
    *logs[1].readiness.borrow_mut() = [Ready::After(ms(10)), Ready::Never].into();
    let mut service = Alternates::new(services);
    for _ in 0..5 {
        assert_eq!(poll_ready(&mut service), Poll::Pending);
        world.advance(ms(2));
    }
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!((logs[0].ready_polls.get(), logs[1].clones.get()), (1, 0));
    assert_eq!(world.run(service.call(())), from(1, 2));
}

#[test]
fn what_was_passed_over_is_turned_back_to_when_the_others_are_no_longer_available() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    *logs[0].readiness.borrow_mut() = [Ready::Fails("gone")].into();
    *logs[1].readiness.borrow_mut() = [Ready::Never].into();
    let second = Rc::new(Cell::new(true));
    let is_available = second.clone();
    let mut service = Alternates::new(services).available(move |place| place == 0 || is_available.get());
    assert_eq!(poll_ready(&mut service), Poll::Pending);
    second.set(false);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(logs[1].queued.get(), 0);
    assert_eq!(world.run(service.call(())), from(0, 1));
}

#[test]
fn when_availability_changes_what_was_reserved_is_given_back() {
    let world = World::new();
    let first = Rc::new(Cell::new(true));
    let is_available = first.clone();
    let (probe, log) = Probe::new(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    let limited = ConcurrencyLimitLayer::new(1);
    let (primary, secondary) = (limited.layer(probe.clone()), limited.layer(probe));
    let mut service =
        Alternates::new([primary.clone(), secondary.clone()]).available(move |place| place == 1 || is_available.get());
    let is_free = |service: &_| poll_ready(&mut Clone::clone(service)).is_ready();
    for (available, free) in [(true, [false, true]), (false, [true, false]), (true, [false, true])] {
        first.set(available);
        assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
        assert_eq!([is_free(&primary), is_free(&secondary)], free);
    }
    assert_eq!(world.run(service.call(())), from(0, 1));
    assert!(is_free(&primary) && is_free(&secondary) && log.is_idle());
}

#[test]
fn a_failed_readiness_holds_no_permit() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, []);
    log.readiness.borrow_mut().extend([Ready::Fails("a"), Ready::Fails("b")]);
    let services = [(); 2].map(|()| ConcurrencyLimitLayer::new(1).layer(probe.clone()));
    let mut service = Alternates::new(services.clone());
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err("b")));
    assert!(services.into_iter().all(|mut service| poll_ready(&mut service).is_ready()));
}

#[test]
fn a_failed_readiness_of_a_further_attempt_holds_no_permit_and_the_next_is_asked() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(100), Ok(1)), (NOW, Ok(2)), (ms(100), Ok(3))]);
    *logs[1].readiness.borrow_mut() = [Ready::Fails("gone")].into();
    let services = services.map(|service| ConcurrencyLimitLayer::new(1).layer(service));
    let race = Hedge::new(AtOnce, world.sleeper()).budget(Unlimited);
    let mut service = Alternates::new(services.clone()).policy(race);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    let mut response = pin!(service.call(()));
    assert!(Woken::new().poll(response.as_mut()).is_pending());
    assert_eq!(logs.each_ref().map(|log| log.calls.get()), [1, 0, 1]);
    assert!(poll_ready(&mut services[1].clone()).is_ready());
    assert_eq!(world.run(response), from(0, 1));
}

#[test]
fn an_alternate_is_made_ready_when_it_is_its_turn_and_leaves_the_queue_with_the_answer() {
    let world = World::new();
    let purse = Purse::of(5);
    let (services, logs) = probes(&world, [(ms(50), Ok(1)), (NOW, Ok(2))]);
    *logs[1].readiness.borrow_mut() = [Ready::Never].into();
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(purse.clone());
    let mut service = Alternates::new(services).policy(hedge);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!(logs[1].ready_polls.get(), 0);
    world.advance(ms(10));
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((logs[1].queued.get(), purse.coins()), (1, 4));
    world.advance(ms(40));
    assert_eq!(woken.poll(response.as_mut()), Poll::Ready(from(0, 1)));
    assert_eq!((logs[1].queued.get(), purse.coins(), purse.tokens()), (0, 5, 0));
}

/// Of three the first fails at once, and the others become ready so.
fn failing_over(world: &World, second: Ready, third: Ready) -> ([Probe; 3], [Rc<Log>; 3]) {
    let (services, logs) = probes(world, [(NOW, Err("a")), (NOW, Ok(2)), (NOW, Ok(3))]);
    *logs[1].readiness.borrow_mut() = [second].into();
    *logs[2].readiness.borrow_mut() = [third].into();
    (services, logs)
}

#[test]
fn one_that_waits_in_a_queue_when_it_ceases_to_be_available_leaves_it() {
    let world = World::new();
    let (services, logs) = failing_over(&world, Ready::Never, Ready::After(ms(5)));
    let second = Rc::new(Cell::new(true));
    let is_available = second.clone();
    let mut service = Alternates::new(services).available(move |place| place != 1 || is_available.get());
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((logs[1].queued.get(), logs[2].queued.get()), (1, 1));
    second.set(false);
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((logs[1].queued.get(), logs[2].queued.get()), (0, 1));
    assert_eq!(world.run(response), from(2, 3));
    assert_eq!(logs[1].counts(), (0, 0, 0, 0));
}

#[test]
fn of_those_that_wait_the_first_to_be_ready_is_called_and_the_others_leave_their_queues() {
    for (second, third, answer, elapsed) in [
        (Ready::After(ms(20)), Ready::After(ms(5)), from(2, 3), ms(5)),
        (Ready::After(ms(5)), Ready::After(ms(20)), from(1, 2), ms(5)),
        (Ready::After(ms(5)), Ready::After(ms(5)), from(1, 2), ms(5)),
        (Ready::Never, Ready::Now, from(2, 3), NOW),
        (Ready::Never, Ready::After(ms(5)), from(2, 3), ms(5)),
        (Ready::Now, Ready::Now, from(1, 2), NOW),
    ] {
        let world = World::new();
        let (services, logs) = failing_over(&world, second, third);
        assert_eq!(world.run(Alternates::new(services).oneshot(())), answer, "{second:?}, {third:?}");
        assert_eq!(world.elapsed(), elapsed, "{second:?}, {third:?}");
        assert_eq!(logs[1].calls.get() + logs[2].calls.get(), 1);
        assert!(logs.iter().all(|log| log.is_idle()), "{second:?}, {third:?}");
    }
}

#[test]
fn who_comes_after_one_that_is_ready_is_not_asked() {
    let world = World::new();
    let (services, logs) = failing_over(&world, Ready::Now, Ready::Never);
    assert_eq!(world.run(Alternates::new(services).oneshot(())), from(1, 2));
    assert_eq!(logs[2].ready_polls.get(), 0);
}

#[test]
fn one_that_fails_to_become_ready_while_others_wait_is_passed_over() {
    let world = World::new();
    let (services, logs) = failing_over(&world, Ready::FailsAfter(ms(5), "gone"), Ready::After(ms(10)));
    assert_eq!(world.run(Alternates::new(services).oneshot(())), from(2, 3));
    assert!(logs.iter().all(|log| log.is_idle()));
}

#[test]
fn a_saturated_second_does_not_hide_an_idle_third_and_its_permit_is_not_taken() {
    // After a failure, and for a hedge.
    for (first, at) in [((ms(5), Err("down")), ms(5)), ((ms(500), Ok(1)), ms(10))] {
        let world = World::new();
        let (services, logs) = probes(&world, [first, (NOW, Ok(2)), (ms(50), Ok(3))]);
        let services = services.map(|service| ConcurrencyLimitLayer::new(1).layer(service));
        let (mut holder, mut other) = (services[1].clone(), services[1].clone());
        assert!(poll_ready(&mut holder).is_ready());
        let hedge = Hedge::new([ms(10), NEVER], world.sleeper()).budget(Unlimited);
        let mut service = Alternates::new(services).policy(hedge);
        assert!(poll_ready(&mut service).is_ready());
        let mut response = pin!(service.call(()));
        let woken = Woken::new();
        assert!(woken.poll(response.as_mut()).is_pending());
        world.advance(at);
        assert!(woken.poll(response.as_mut()).is_pending());
        assert_eq!(*logs[2].called_at.borrow(), [at]);
        // Were it still in the queue, it would be given the permit: they are given in the order of the queue.
        drop(holder);
        assert!(poll_ready(&mut other).is_ready(), "it left the queue");
        drop(other);
        assert_eq!(world.run(response), from(2, 3));
        assert_eq!((logs[1].calls.get(), world.elapsed()), (0, at + ms(50)));
    }
}

#[test]
fn one_that_is_available_again_and_ready_is_called_and_the_queue_of_another_is_left() {
    let world = World::new();
    let (services, logs) = failing_over(&world, Ready::Now, Ready::After(ms(5)));
    let second = Rc::new(Cell::new(false));
    let is_available = second.clone();
    let mut service = Alternates::new(services).available(move |place| place != 1 || is_available.get());
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    let mut response = pin!(service.call(()));
    assert!(Woken::new().poll(response.as_mut()).is_pending());
    assert_eq!((logs[1].ready_polls.get(), logs[2].queued.get()), (0, 1));
    second.set(true);
    assert_eq!(world.run(response), from(1, 2));
    assert_eq!(logs[2].counts(), (0, 0, 0, 0));
}

#[test]
fn a_queue_that_was_joined_is_not_left_because_an_earlier_one_is_available_again_and_waits() {
    let world = World::new();
    let (services, logs) = failing_over(&world, Ready::Never, Ready::After(ms(5)));
    let second = Rc::new(Cell::new(false));
    let is_available = second.clone();
    let mut service = Alternates::new(services).available(move |place| place != 1 || is_available.get());
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    assert!(woken.poll(response.as_mut()).is_pending());
    second.set(true);
    world.advance(ms(3));
    assert!(woken.poll(response.as_mut()).is_pending());
    assert_eq!((logs[1].queued.get(), logs[2].queued.get()), (1, 1));
    assert_eq!(world.run(response), from(2, 3));
    assert_eq!(world.elapsed(), ms(5), "it kept its place");
    assert_eq!(logs[1].counts(), (0, 0, 0, 0));
}

#[test]
fn a_clone_is_made_ready_by_itself() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    let mut service = Alternates::new(services);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(world.run(service.clone().oneshot(())), from(0, 1));
    assert_eq!((logs[0].calls.get(), logs[0].reserved.get()), (1, 1), "its owner is still ready");
}

#[test]
fn a_clone_asks_those_again_that_were_passed_over() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    *logs[0].readiness.borrow_mut() = [Ready::Fails("gone")].into();
    let mut service = Alternates::new(services);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(world.run(service.clone().oneshot(())), from(0, 1));
    assert_eq!(world.run(service.call(())), from(1, 2));
}

#[test]
fn called_before_they_are_ready_they_panic_and_say_so() {
    let world = World::new();
    let message = |service: &mut Alternates<_>| {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(service.call(())))).unwrap_err();
        *panic.downcast::<&str>().unwrap()
    };
    let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
    *logs[0].readiness.borrow_mut() = [Ready::After(ms(5))].into();
    let mut service = Alternates::new(services);
    assert_eq!(message(&mut service), "`Alternates` called before it was ready");
    assert!(poll_ready(&mut service).is_pending());
    assert_eq!(message(&mut service), "`Alternates` called before it was ready");
    world.advance(ms(5));
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(message(&mut service.clone()), "`Alternates` called before it was ready", "each clone by itself");
    assert_eq!(world.run(service.call(())), from(0, 1));
    assert_eq!(message(&mut service), "`Alternates` called before it was ready", "each call anew");
}
