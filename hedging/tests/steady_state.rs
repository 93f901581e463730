//! A p95 trigger sends 5 % of the requests twice, whatever the latencies are: with slow tails of several weights, with
//! tails that are slow for every attempt, after a change of all latencies, and through the real combinator.
//!
//! Virtual time: a thousand requests a second, and a million for a figure. Nothing here is random from one run to the
//! next.
#![cfg(not(loom))]

mod support;

#[path = "steady_state/latencies.rs"]
mod latencies;
#[path = "steady_state/traffic.rs"]
mod traffic;

use std::time::Duration;

use evenkeel_hedging::{Hedge, Quantile};

use latencies::{Latencies, Tail};
use support::World;
use traffic::Traffic;

const MILLION: u32 = 1_000_000;

#[test]
fn p95_holds_5_percent_with_a_slow_tail_of_2_percent() {
    assert_near(0.05, share_sent_twice(0.95, Tail::Each(0.02)));
}

#[test]
fn p95_holds_5_percent_with_a_slow_tail_of_5_percent() {
    assert_near(0.05, share_sent_twice(0.95, Tail::Each(0.05)));
}

#[test]
fn p95_holds_5_percent_with_a_slow_tail_of_10_percent() {
    assert_near(0.05, share_sent_twice(0.95, Tail::Each(0.1)));
}

#[test]
fn p95_holds_5_percent_where_the_slow_are_slow_in_every_attempt() {
    for slow in [0.02, 0.05, 0.1] {
        assert_near(0.05, Traffic::new(0.95).sent_twice(200_000, &mut Latencies::new(Tail::Request(slow))));
    }
}

#[test]
fn p90_and_p99_hold_their_shares() {
    for slow in [0.02, 0.05, 0.1] {
        let of = |share: f64| Traffic::new(share).sent_twice(200_000, &mut Latencies::new(Tail::Each(slow)));
        assert_near(0.1, of(0.9));
        let extra = of(0.99);
        assert!((0.008..=0.012).contains(&extra), "{extra} with {slow}");
    }
}

#[test]
fn p95_holds_5_percent_where_a_second_attempt_answers_at_once() {
    // Of the late ones nothing is ever seen but that they were late.
    for slow in [0.02, 0.05, 0.1] {
        let mut latencies = Latencies::new(Tail::Each(slow));
        latencies.second_takes(Duration::from_micros(50));
        assert_near(0.05, Traffic::new(0.95).sent_twice(500_000, &mut latencies));
    }
}

/// After every latency has changed by a factor, the load is back within two windows. Until then it is more, or less: it
/// is the budget that bounds it there.
#[test]
fn after_a_step_of_all_latencies_the_extra_load_is_back_within_two_windows() {
    for tail in [Tail::Each(0.02), Tail::Each(0.05), Tail::Each(0.1), Tail::Request(0.05)] {
        for factor in [10.0, 0.1, 2.0] {
            let mut traffic = Traffic::new(0.95);
            let mut latencies = Latencies::new(tail);
            traffic.sent_twice(PER_WINDOW * 3, &mut latencies);
            latencies.scale(factor);
            let during = traffic.sent_twice(PER_WINDOW * 2, &mut latencies);
            let after = traffic.sent_twice(PER_WINDOW * 4, &mut latencies);
            println!("{tail:?}, times {factor}: {during:.3} in the two windows, {after:.3} after");
            assert_near(0.05, after);
            // A request is hedged when it is later than all but a twentieth of the window, old and new: the share of
            // the new ones is 0.05 over the part of the window that they make up.
            assert!(during <= 0.15, "{during}");
        }
    }
}

#[test]
fn the_real_combinator_holds_5_percent() {
    for slow in [0.02, 0.05, 0.1] {
        let world = World::new();
        let p95 = Quantile::builder(0.95).clock(world.clock()).build().unwrap();
        let hedge = Hedge::new(p95, world.sleeper());
        let mut latencies = Latencies::new(Tail::Each(slow));
        let (mut sent, requests) = (0, 20_000);
        for _ in 0..requests {
            let takes = latencies.request();
            let world_of = &world;
            let answer = hedge.run(|attempt| {
                sent += 1;
                async move {
                    world_of.sleep(takes[attempt as usize]).await;
                    Ok::<_, ()>(attempt)
                }
            });
            assert!(world.run(answer).is_ok());
        }
        assert_near(0.05, f64::from(sent) / f64::from(requests) - 1.0);
    }
}

const PER_WINDOW: u32 = 30_000;

fn share_sent_twice(share: f64, tail: Tail) -> f64 {
    Traffic::new(share).sent_twice(MILLION, &mut Latencies::new(tail))
}

#[track_caller]
fn assert_near(share: f64, extra: f64) {
    println!("{extra:.4} of the requests were sent twice, for {share}");
    assert!((extra - share).abs() <= 0.01, "{extra} of the requests were sent twice");
}
