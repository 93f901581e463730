//! A policy that is held by reference or in an `Arc` is the same policy: under a combinator and in a layer.
#![cfg(all(feature = "retry", not(loom)))]

mod support;

use std::{sync::Arc, time::Duration};

use evenkeel_backoff::{Exponential, Jitter, PolicyFor, Retry, Stop};
use support::{
    World, ms,
    spies::{InFlight, Stops},
};

const EXACT: Exponential = Exponential::new(ms(10)).jitter(Jitter::None);

/// A request that has to be cut off, sent again, and in the end is late: what it makes of all of a policy's parts.
fn story(
    policy: &impl PolicyFor<u32, &'static str>,
    world: &World,
    stops: &Stops,
) -> (Result<u32, &'static str>, Vec<Duration>) {
    let (since, sleep) = (world.slept().len(), world.sleeper());
    let answer = world.run(policy.run(|attempt| {
        let never = sleep(ms(1_000));
        async move {
            if attempt == 1 {
                never.await;
            }
            Err("busy")
        }
    }));
    assert_eq!(stops.0.take(), [(3, Stop::Deadline)]);
    (answer, world.slept().split_off(since))
}

#[test]
#[allow(clippy::arc_with_non_send_sync)] // The world is of one thread.
fn a_combinator_asks_the_policy_behind_a_pointer() {
    let (world, budget, stops) = (World::new(), InFlight::default(), Stops::default());
    let policy = Retry::new(EXACT, world.sleeper()).budget(budget.clone()).observe(&stops);
    let policy = policy.attempt_timeout(ms(50), || "too late").deadline(ms(100)).clock(world.clock());
    let by_value = story(&policy, &world, &stops);
    assert_eq!(by_value.0, Err("busy"), "10 + 50 + 20 ms are within the deadline, and 40 more are not");
    assert_eq!(by_value, story(&&policy, &world, &stops));
    assert_eq!(by_value, story(&Arc::new(policy), &world, &stops));
    assert_eq!(budget.0.get(), (0, 0));
}

#[cfg(feature = "tower")]
mod layers {
    use std::{cell::Cell, pin::pin, rc::Rc, task::Poll};

    use evenkeel_backoff::{RetryLayer, TokenBudget};
    use tower::{Layer, Service, ServiceExt};

    use super::*;
    use crate::support::{
        Woken,
        probe::{Probe, Request},
    };

    /// Readiness, copies and the budget, in the sleep, at the end and for a response that is dropped anywhere.
    fn is_lawful<P>(layer: &RetryLayer<P>, world: &World, budget: &InFlight)
    where
        P: PolicyFor<u32, &'static str> + Clone,
    {
        let (probe, log) = Probe::new([Err("a"), Err("b"), Ok(7)]);
        let copies = Rc::new(Cell::new(0));
        let mut service = layer.layer(probe);
        world.run(ServiceExt::<Request>::ready(&mut service)).unwrap();
        let mut response = pin!(service.call(Request(copies.clone())));
        assert_eq!((log.calls.get(), budget.0.get()), (1, (1, 0)), "sent at once");
        assert!(Woken::new().poll(response.as_mut()).is_pending());
        assert_eq!((log.reserved.get(), budget.0.get()), (0, (1, 1)), "it waits, paid for, and holds no readiness");
        assert_eq!(world.run(response.as_mut()), Ok(7));
        assert_eq!((log.calls.get(), log.ready_polls.get(), copies.get()), (3, 3, 3));

        for polls in 0..8 {
            let (probe, log) = Probe::new([]);
            let mut service = layer.layer(probe).clone();
            world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
            let mut response = Box::pin(service.call(()));
            for _ in 0..polls {
                if Woken::new().poll(response.as_mut()).is_ready() {
                    break;
                }
                world.advance(ms(40));
            }
            drop(response);
            assert_eq!(log.reserved.get(), 0, "dropped after {polls} polls");
        }
    }

    #[test]
    fn a_layer_is_lawful_whichever_way_it_holds_its_policy() {
        let (world, budget) = (World::new(), InFlight::default());
        let policy = Retry::new(EXACT.take(3), world.sleeper()).budget(budget.clone());
        is_lawful(&RetryLayer::of(&policy), &world, &budget);
        assert_eq!(budget.0.get(), (0, 0));
        is_lawful(&policy.layer(), &world, &budget);
        assert_eq!(budget.0.get(), (0, 0));
    }

    /// A response whose service is not ready again before the attempt's time, or the deadline, is over.
    fn ends_in_readiness<P>(layer: &RetryLayer<P>, world: &World, wait: Duration) -> Poll<Result<u32, &'static str>>
    where
        P: PolicyFor<u32, &'static str> + Clone,
    {
        let (probe, log) = Probe::new([Err("a"), Ok(1)]);
        *log.readiness.borrow_mut() = [Poll::Ready(Ok(())), Poll::Pending].into();
        let mut service = layer.layer(probe);
        world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
        let mut response = pin!(service.call(()));
        let woken = Woken::new();
        assert!(woken.poll(response.as_mut()).is_pending(), "it sleeps");
        world.advance(ms(10));
        assert!(woken.poll(response.as_mut()).is_pending(), "the service is not ready yet");
        world.advance(wait);
        woken.poll(response.as_mut())
    }

    #[test]
    fn a_layer_keeps_the_time_of_the_policy_behind_a_reference() {
        let (world, stops) = (World::new(), Stops::default());
        let policy = Retry::new(EXACT.take(3), world.sleeper()).deadline(ms(100)).clock(world.clock());
        let policy = policy.attempt_timeout(ms(50), || "late").budget(TokenBudget::default()).observe(&stops);
        let layer = RetryLayer::of(&policy);
        assert_eq!(ends_in_readiness(&layer, &world, ms(20)), Poll::Ready(Ok(1)));
        assert_eq!(ends_in_readiness(&layer, &world, ms(95)), Poll::Ready(Err("late")));
        assert_eq!(stops.0.take(), [(2, Stop::Success), (1, Stop::Deadline)]);
    }

    #[test]
    fn all_services_of_a_layer_by_reference_share_the_budget_of_the_policy() {
        let world = World::new();
        let policy = Retry::new([ms(1)], world.sleeper()).budget(TokenBudget::default());
        let layers = [RetryLayer::of(&policy), RetryLayer::of(&policy)];
        for layer in layers.iter().cycle().take(100) {
            let _ = world.run(layer.layer(Probe::new([]).0).oneshot(()));
        }
        assert_eq!(world.slept().len(), 35, "500 tokens at 14");
        assert!(std::ptr::eq(layers[0].policy(), &policy));
    }
}
