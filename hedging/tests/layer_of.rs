//! A layer of a policy that it does not own: the same service, and no reference that is counted.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{pin::pin, sync::Arc, task::Poll};

use allocation_counter::measure;
use evenkeel_hedging::{Alternates, Cause, Costs, Every, Hedge, HedgeLayer, TokenBudget};
use support::{Woken, World, ms};
use tower::{Layer, Service, ServiceExt};
use tower_support::{Probe, Purse, Ready, Told, poll_ready, probes};

#[test]
fn the_instance_that_was_made_ready_is_called_and_a_further_attempt_is_made_ready_when_it_is_due() {
    let world = World::new();
    let purse = Purse::of(5);
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(purse.clone());
    let (probe, log) = Probe::new(&world, [(ms(0), Ok(1)), (ms(50), Ok(2)), (ms(5), Ok(3))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Now, Ready::After(ms(20))].into();
    let mut service = HedgeLayer::of(&hedge).layer(probe);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(world.run(service.call(())), Ok(1));
    assert_eq!((log.calls.get(), log.ready_polls.get(), log.clones.get()), (1, 1, 1));
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(world.run(service.call(())), Ok(3), "late by 10 ms, ready 20 ms later, and done in 5");
    assert!(log.is_idle(), "the loser is dropped with the answer");
    assert_eq!((purse.coins(), purse.is_idle()), (4, true));
}

#[test]
fn readiness_and_its_failure_are_passed_on() {
    let world = World::new();
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(TokenBudget::default());
    let (probe, log) = Probe::new(&world, [(ms(0), Ok(1))]);
    *log.readiness.borrow_mut() = [Ready::Fails("gone"), Ready::After(ms(5))].into();
    let mut service = HedgeLayer::of(&hedge).layer(probe);
    assert_eq!(poll_ready(&mut service), Poll::Ready(Err("gone")));
    assert_eq!(poll_ready(&mut service), Poll::Pending);
    world.advance(ms(5));
    assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())));
    assert_eq!(world.run(service.call(())), Ok(1));
}

#[test]
fn all_its_services_and_their_clones_pay_from_the_budget_of_the_policy() {
    let world = World::new();
    let told = Told::default();
    let hedge =
        Hedge::new([ms(10)], world.sleeper()).budget(TokenBudget::new(28, Costs::REVISION_2026)).observe(told.clone());
    let layer = HedgeLayer::of(&hedge);
    for _ in 0..3 {
        let (probe, _) = Probe::new(&world, [(ms(0), Err("a")), (ms(0), Err("b"))]);
        assert!(world.run(layer.layer(probe).clone().oneshot(())).is_err());
    }
    assert_eq!(told.sent().len(), 3 + 2, "28 tokens are two retries");
    assert_eq!(told.refused(), [Cause::Transient]);
    assert!(std::ptr::eq(layer.policy(), &hedge));
}

#[test]
fn dropped_in_flight_it_leaves_nothing_behind() {
    let world = World::new();
    let purse = Purse::of(5);
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(purse.clone());
    let (probe, log) = Probe::new(&world, [(ms(50), Ok(1)), (ms(50), Ok(2))]);
    let mut service = HedgeLayer::of(&hedge).layer(probe);
    {
        assert!(poll_ready(&mut service).is_ready());
        let mut response = pin!(service.call(()));
        let woken = Woken::new();
        assert!(woken.poll(response.as_mut()).is_pending());
        world.advance(ms(10));
        assert!(woken.poll(response.as_mut()).is_pending());
        assert_eq!(log.calls.get(), 2);
    }
    assert!(log.is_idle() && purse.is_idle());
    assert_eq!(purse.coins(), 4, "what was sent stays paid");
}

#[test]
fn alternates_do_as_with_a_policy_of_their_own() {
    let world = World::new();
    let hedge = Hedge::new(Every(ms(10)), world.sleeper()).budget(TokenBudget::default());
    let (services, logs) = probes(&world, [(ms(50), Ok(1)), (ms(5), Ok(2))]);
    let answer = world.run(Alternates::new(services).policy_of(&hedge).oneshot(())).unwrap();
    assert_eq!((answer.alternate, answer.response), (1, 2));
    assert!(logs.iter().all(|log| log.is_idle()));
}

#[test]
fn a_request_counts_no_reference_and_allocates_nothing() {
    let sleep = |_| std::future::pending::<()>();
    let hedge = Arc::new(Hedge::after(ms(10), sleep).budget(TokenBudget::default()));
    let mut service = HedgeLayer::of(&*hedge).layer(tower::service_fn(|()| std::future::ready(Ok::<_, ()>(1))));
    let woken = Woken::new();
    let allocated = measure(|| {
        let mut response = pin!(service.call(()));
        assert_eq!(Arc::strong_count(&hedge), 1);
        assert_eq!(woken.poll(response.as_mut()), Poll::Ready(Ok(1)));
    });
    assert_eq!(allocated.count_total, 0);
}
