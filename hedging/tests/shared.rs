//! What all services of a layer and their clones share: the policy, the budget, the estimate.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{num::NonZeroU32, time::Duration};

use evenkeel_hedging::{AtOnce, Hedge, HedgeLayer, OnFailure, Quantile, Unlimited};
use support::{World, ms};
use tower::{Layer, ServiceExt};
use tower_support::Probe;

const LATE: Duration = ms(100);

#[test]
fn all_services_of_a_layer_and_their_clones_share_its_budget() {
    let world = World::new();
    let layer = HedgeLayer::new(OnFailure, world.sleeper());
    let calls = |layer: &HedgeLayer<_>| {
        let (probe, log) = Probe::new(&world, []);
        let _ = world.run(layer.layer(probe).clone().oneshot(()));
        log.calls.get()
    };
    let sent: u32 = (0..40).map(|_| calls(&layer.clone())).sum();
    assert_eq!(sent, 40 + 35, "500 tokens at 14");
}

#[test]
fn all_services_of_a_layer_and_their_clones_share_its_policy_and_estimate() {
    let world = World::new();
    let p90 = Quantile::builder(0.9).warm_up(NonZeroU32::new(10).unwrap()).clock(world.clock()).build().unwrap();
    let layer = HedgeLayer::new(p90.clone(), world.sleeper());
    for _ in 0..10 {
        let (probe, _) = Probe::new(&world, [(ms(20), Ok(1))]);
        assert_eq!(world.run(layer.clone().layer(probe).clone().oneshot(())), Ok(1));
    }
    assert_eq!((p90.snapshot().count, layer.policy().delays().snapshot().count), (10, 10));
    let began = world.elapsed();
    let (probe, log) = Probe::new(&world, [(LATE, Ok(1)), (ms(1), Ok(2))]);
    assert_eq!(world.run(layer.layer(probe).oneshot(())), Ok(2));
    let hedged = log.called_at.borrow()[1] - began;
    assert!(hedged.abs_diff(ms(20)) < ms(1), "{hedged:?}");
}

#[test]
fn a_layer_has_a_budget_unless_it_is_told_that_none_is_meant() {
    let world = World::new();
    let layer = Hedge::new(AtOnce, world.sleeper()).budget(Unlimited).layer();
    let sent: u32 = (0..100)
        .map(|_| {
            let (probe, log) = Probe::new(&world, []);
            let _ = world.run(layer.layer(probe).oneshot(()));
            log.calls.get()
        })
        .sum();
    assert_eq!(sent, 200);
}
