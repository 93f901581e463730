//! Delays of any kind are those that they were made of.
#![cfg(not(loom))]

mod support;

use std::{num::NonZeroU32, time::Duration};

use evenkeel_hedging::{AnyDelays, AtOnce, Delays, End, Every, Hedge, NEVER, OnFailure, Quantile};
use support::{World, ms};

#[test]
fn each_kind_has_the_delays_and_the_length_of_what_it_was_made_of() {
    fn same<D: Delays + Into<AnyDelays> + Clone>(delays: &D) {
        let any: AnyDelays = delays.clone().into();
        let (mut any, mut own) = (any.session(), delays.session());
        for _ in 0..5 {
            assert_eq!(any.size_hint(), own.size_hint());
            assert_eq!(any.next(), own.next());
        }
    }
    same(&Every(ms(30)));
    same(&OnFailure);
    same(&AtOnce);
    same(&[ms(1), ms(20), NEVER]);
    same(&vec![ms(3), ms(2)]);
    same(&[]);
    same(&Quantile::p95());
    let warm = Quantile::p90();
    (0..200).for_each(|millis| warm.record(ms(millis)));
    assert!(warm.threshold().is_some());
    same(&warm);
}

#[test]
fn an_estimate_learns_what_it_is_told_of_and_others_ask_no_clock() {
    let warm = Quantile::builder(0.5).warm_up(NonZeroU32::MIN).build().unwrap();
    let any = AnyDelays::from(warm.clone());
    any.end(any.start(), End::Succeeded);
    any.clone().end(any.start(), End::Dropped);
    any.end(any.start(), End::Failed);
    let seen = any.quantile().unwrap().snapshot();
    assert_eq!(seen, warm.snapshot(), "it is the same estimate");
    assert_eq!(seen.count, 1);
    assert!(seen.longer >= 1, "the one that was dropped");
    for other in [AnyDelays::from(Every(ms(1))), OnFailure.into(), AtOnce.into(), [ms(1)].into()] {
        assert!(other.quantile().is_none());
        assert_eq!(other.start(), None);
        other.end(Some(an_instant()), End::Succeeded);
    }
}

#[allow(clippy::disallowed_methods)]
fn an_instant() -> std::time::Instant {
    std::time::Instant::now()
}

#[test]
fn a_list_bounds_the_attempts_and_others_end_after_the_second() {
    let world = World::new();
    let sent = |delays: AnyDelays| {
        let hedge = Hedge::new(delays, world.sleeper());
        world.run(hedge.run(async |attempt| Err::<(), _>(attempt))).unwrap_err() + 1
    };
    assert_eq!(sent([ms(1); 4].into()), 5);
    assert_eq!(sent(vec![Duration::ZERO].into()), 2);
    assert_eq!(sent(OnFailure.into()), 2);
    assert_eq!(sent(Quantile::p95().into()), 2);
}

#[test]
fn delays_of_any_kind_go_to_any_thread() {
    fn is<T: Send + Sync + Unpin + 'static>() {}
    is::<AnyDelays>();
    is::<evenkeel_hedging::AnySession>();
}
