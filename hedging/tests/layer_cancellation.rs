//! A response that is dropped at any await leaves budget, permits and estimate as an abandoned one (hazard 56).
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{num::NonZeroU32, pin::Pin, time::Duration};

use evenkeel_hedging::{Alternates, Every, Hedge, HedgeLayer, Quantile, Verdict};
use support::{Woken, World, ms};
use tower::{Layer, Service, limit::ConcurrencyLimitLayer};
use tower_support::{Answer, Probe, Purse, Ready, poll_ready, probes};

const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();
const HANGS: Duration = ms(1_000_000);

/// What is left of a request that is dropped at a time.
#[derive(Debug, PartialEq)]
struct Left {
    calls: u32,
    /// Of ten.
    coins: u32,
    /// Requests that are known to have taken longer.
    longer: u64,
}

/// Hedges after 10 ms, hears of a hint, and drops the response after so long, having polled it each millisecond.
fn dropped_at(time: Duration, answers: [(Duration, Answer); 3], readiness: [Ready; 3], alternates: bool) -> Left {
    let world = World::new();
    let purse = Purse::of(10);
    let p95 = Quantile::builder(0.95).until_warm(ms(10)).clock(world.clock()).build().unwrap();
    let judge = |result: &Result<u32, &str>| match result {
        Ok(_) => Verdict::success(),
        Err("wait") => Verdict::throttled().not_before(ms(30)),
        Err(_) => Verdict::transient(),
    };
    let hedge = Hedge::new(p95.clone(), world.sleeper()).when(judge).max_attempts(THREE).budget(purse.clone());

    let run = |mut response: Pin<Box<dyn Future<Output = Result<u32, &'static str>> + '_>>| {
        let woken = Woken::new();
        while world.elapsed() < time {
            assert!(woken.poll(Pin::new(&mut response)).is_pending());
            world.advance(ms(1));
        }
        if !time.is_zero() {
            assert!(woken.poll(Pin::new(&mut response)).is_pending());
        }
    };
    let calls = if alternates {
        let (services, logs) = probes(&world, answers);
        for (log, ready) in logs.iter().zip(readiness) {
            // And so again, if it was asked in vain.
            log.readiness.borrow_mut().extend([ready; 3]);
        }
        let limited = services.map(|service| ConcurrencyLimitLayer::new(1).layer(service));
        let mut service = Alternates::new(limited.clone()).policy(hedge);
        assert!(poll_ready(&mut service).is_ready());
        let response = service.call(());
        run(Box::pin(async { response.await.map(|answered| answered.response) }));
        assert!(logs.iter().all(|log| log.is_idle()));
        logs.iter().for_each(|log| log.readiness.borrow_mut().clear());
        assert!(limited.into_iter().all(|mut limited| poll_ready(&mut limited).is_ready()), "a permit is lost");
        logs.iter().map(|log| log.calls.get()).sum()
    } else {
        let (probe, log) = Probe::new(&world, answers);
        *log.readiness.borrow_mut() = readiness.into();
        let limited = ConcurrencyLimitLayer::new(3).layer(probe);
        let mut service = hedge.layer().layer(limited.clone());
        assert!(poll_ready(&mut service).is_ready());
        let response = service.call(());
        run(Box::pin(response));
        assert!(log.is_idle());
        log.readiness.borrow_mut().clear();
        let mut others = [(); 3].map(|()| limited.clone());
        assert!(others.iter_mut().all(|limited| poll_ready(limited).is_ready()), "a permit is lost");
        log.calls.get()
    };
    assert!(purse.is_idle());
    Left { calls, coins: purse.coins(), longer: p95.snapshot().longer }
}

const BOTH: [bool; 2] = [false, true];

#[test]
fn dropped_before_it_is_polled_it_was_not_waited_for() {
    for alternates in BOTH {
        let left = dropped_at(ms(0), [(HANGS, Ok(1)); 3], [Ready::Now; 3], alternates);
        assert_eq!(left, Left { calls: 1, coins: 10, longer: 0 });
    }
}

#[test]
fn dropped_in_flight_what_was_sent_stays_paid() {
    for alternates in BOTH {
        for (time, calls, coins) in [(5, 1, 10), (9, 1, 10), (10, 2, 9), (15, 2, 9), (20, 3, 8), (40, 3, 8)] {
            let left = dropped_at(ms(time), [(HANGS, Ok(1)); 3], [Ready::Now; 3], alternates);
            assert_eq!(left, Left { calls, coins, longer: 1 }, "after {time} ms, alternates: {alternates}");
        }
    }
}

#[test]
fn dropped_while_one_waits_for_its_readiness_that_one_is_refunded() {
    for alternates in BOTH {
        for (readiness, calls, coins) in [
            ([Ready::Now, Ready::Never, Ready::Never], 1, 10),
            ([Ready::Now, Ready::After(ms(20)), Ready::After(ms(30))], 1, 10),
            ([Ready::Now, Ready::Now, Ready::Never], 2, 9),
            ([Ready::Now, Ready::After(ms(2)), Ready::After(ms(99))], 2, 9),
        ] {
            let left = dropped_at(ms(25), [(HANGS, Ok(1)); 3], readiness, alternates);
            assert_eq!(left, Left { calls, coins, longer: 1 }, "{readiness:?}, alternates: {alternates}");
        }
    }
}

#[test]
fn dropped_while_it_waits_as_a_server_asked_it_has_paid_for_nothing() {
    for time in [5, 15, 34] {
        let answers = [(ms(5), Err("wait")), (HANGS, Ok(2)), (HANGS, Ok(3))];
        let left = dropped_at(ms(time), answers, [Ready::Now; 3], false);
        assert_eq!(left, Left { calls: 1, coins: 10, longer: 0 }, "after {time} ms; it failed soon");
    }
    let answers = [(ms(5), Err("wait")), (HANGS, Ok(2)), (HANGS, Ok(3))];
    let left = dropped_at(ms(35), answers, [Ready::Now; 3], false);
    assert_eq!(left, Left { calls: 2, coins: 9, longer: 0 });
}

#[test]
fn dropped_while_the_second_alternate_waits_and_the_third_was_sent_only_that_is_paid_for() {
    for second in [Ready::Never, Ready::After(ms(20))] {
        let left = dropped_at(ms(25), [(HANGS, Ok(1)); 3], [Ready::Now, second, Ready::Now], true);
        assert_eq!(left, Left { calls: 2, coins: 9, longer: 1 }, "{second:?}");
    }
}

#[test]
fn dropped_when_the_first_has_failed_the_estimate_hears_nothing_more() {
    for alternates in BOTH {
        let answers = [(ms(5), Err("a")), (HANGS, Ok(2)), (HANGS, Ok(3))];
        let coins = if alternates { 10 } else { 9 };
        let left = dropped_at(ms(8), answers, [Ready::Now; 3], alternates);
        assert_eq!(left, Left { calls: 2, coins, longer: 0 });
        // While the others wait for their readiness.
        let left = dropped_at(ms(8), answers, [Ready::Now, Ready::Never, Ready::Never], alternates);
        assert_eq!(left, Left { calls: 1, coins: 10, longer: 0 });
    }
}

#[test]
fn dropped_at_any_millisecond_of_any_story_it_leaves_nothing_behind() {
    let stories: [[(Duration, Answer); 3]; 4] = [
        [(HANGS, Ok(1)); 3],
        [(ms(3), Err("wait")), (ms(9), Err("wait")), (HANGS, Ok(1))],
        [(ms(12), Err("a")), (ms(1), Err("b")), (HANGS, Ok(3))],
        [(HANGS, Ok(1)), (ms(3), Err("wait")), (HANGS, Ok(3))],
    ];
    let queues = [
        [Ready::Now; 3],
        [Ready::Now, Ready::After(ms(4)), Ready::After(ms(3))],
        [Ready::Now, Ready::FailsAfter(ms(2), "gone"), Ready::Never],
    ];
    for (story, alternates) in stories.iter().flat_map(|story| BOTH.map(|both| (story, both))) {
        for readiness in &queues {
            // A readiness that failed leaves one service with nothing to wait for but those in flight.
            let ends = !alternates && matches!(readiness[1], Ready::FailsAfter(..)) && story[0].0 != HANGS;
            for time in 0..if ends { 3 } else { 60 } {
                let _ = dropped_at(ms(time), *story, *readiness, alternates);
            }
        }
    }
}

#[test]
fn a_service_that_is_ready_and_dropped_gives_its_readiness_back() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, []);
    let mut layered = HedgeLayer::new(Every(ms(1)), world.sleeper()).layer(probe.clone());
    let mut alternates = Alternates::new([probe.clone(), probe]);
    assert!(poll_ready(&mut layered).is_ready() && poll_ready(&mut alternates).is_ready());
    assert_eq!(log.reserved.get(), 2);
    drop((layered, alternates));
    assert!(log.is_idle());
}
