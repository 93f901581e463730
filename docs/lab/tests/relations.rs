//! What the demo is to show, over many seeds and loads: the strategies against the model of the service without a
//! network, under tokio's paused clock, so that these are the same figures on every machine.

#![allow(missing_docs)]

mod support;

use std::time::Duration;

use evenkeel_lab::demo::{
    incident::Phase, provider::Provider, run::Plan, strategies, summary::Figures, timeline::timeline,
};
use support::{figures, plan, run};

#[tokio::test(start_paused = true)]
async fn a_run_replays_by_its_seed() {
    let (first, again, other) = (plan(5, 100.0, 4), plan(5, 100.0, 4), plan(6, 100.0, 4));
    for entry in strategies::ALL {
        let seen = figures(&first, entry.name).await;
        assert_eq!(seen, figures(&again, entry.name).await);
        assert_ne!(seen, figures(&other, entry.name).await);
    }
}

#[tokio::test(start_paused = true)]
async fn all_strategies_are_offered_the_same_load() {
    let plan = plan(2, 100.0, 4);
    let none = figures(&plan, "none").await;
    assert_eq!(none.upstream_calls, none.requests);
    for entry in strategies::ALL {
        let seen = figures(&plan, entry.name).await;
        assert_eq!(seen.requests, none.requests, "{}", entry.name);
        // Every one of them is sent, but where a breaker is open.
        assert!(seen.upstream_calls >= seen.requests || entry.name == "evenkeel", "{}", entry.name);
    }
}

#[tokio::test(start_paused = true)]
async fn retrying_at_once_hammers_a_service_that_is_down() {
    for seed in 0..10 {
        let naive = figures(&plan(seed, 200.0, 8), "naive").await;
        assert!(naive.outage_amplification > Some(3.0), "seed {seed}: {naive:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn long_waits_answer_late() {
    for seed in 0..10 {
        let plan = plan(seed, 200.0, 8);
        let none = figures(&plan, "none").await;
        for patient in ["bash", "tenacity"] {
            let seen = figures(&plan, patient).await;
            assert!(seen.answered > none.answered, "seed {seed}: {seen:?}");
            assert!(seen.p99_ms > none.p99_ms.map(|ms| ms + 100.0), "seed {seed}: {seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn evenkeel_answers_most_and_late_answers_are_rare_and_the_outage_is_left_alone() {
    for (rps, seconds) in [(200.0, 8), (200.0, 5), (100.0, 8), (50.0, 8), (500.0, 4)] {
        for seed in 0..10 {
            let plan = plan(seed, rps, seconds);
            let evenkeel = figures(&plan, "evenkeel").await;
            let tenacity = figures(&plan, "tenacity").await;
            for other in ["none", "bash"] {
                let other = figures(&plan, other).await;
                assert!(evenkeel.answered > other.answered, "{plan:?}\n{evenkeel:?}\n{other:?}");
            }
            assert!(evenkeel.answered >= tenacity.answered, "{plan:?}\n{evenkeel:?}\n{tenacity:?}");
            assert!(evenkeel.p99_ms < tenacity.p99_ms, "{plan:?}\n{evenkeel:?}\n{tenacity:?}");
            // A dozen probes are that, however few the requests are.
            let allowed = if rps < 100.0 { 0.2 } else { 0.1 };
            assert!(evenkeel.outage_amplification.is_some_and(|share| share < allowed), "{plan:?}\n{evenkeel:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn evenkeels_breaker_leaves_a_dead_service_alone_and_notices_its_return() {
    for (rps, seconds) in [(200.0, 8), (200.0, 5), (200.0, 16), (100.0, 8), (500.0, 8)] {
        for seed in [1, 2, 3, 7, 42, 1234] {
            let plan = plan(seed, rps, seconds);
            let run = run(&plan, "evenkeel").await;
            let seen = Figures::of(&run, &plan.incident);
            assert!(seen.outage_amplification.is_some_and(|share| share < 0.1), "{plan:?}\n{seen:?}");
            let back = run
                .records
                .iter()
                .find(|record| record.at >= plan.incident.outage().end && record.by == Some(Provider::Primary));
            let noticed = back.map(|record| record.at - plan.incident.outage().end);
            assert!(noticed.is_some_and(|after| after < Duration::from_millis(600)), "{plan:?}\n{noticed:?}");
        }
    }
}

/// While the primary is back, and its breaker does not know it yet, the secondary answers.
#[tokio::test(start_paused = true)]
async fn whoever_begins_after_the_outage_is_answered_by_evenkeel() {
    let (mut begun, mut lost) = (0, 0);
    for seed in 0..10 {
        let plan = plan(seed, 200.0, 8);
        let run = run(&plan, "evenkeel").await;
        for record in run.records.iter().filter(|record| record.at >= plan.incident.outage().end) {
            begun += 1;
            lost += u32::from(record.latency.is_none());
        }
    }
    assert!(lost * 100 < begun, "{lost} of {begun}");
}

/// 15 % errors, 5 % refusals, some that hang: no reason to stop calling. While the breaker is closed, every request is
/// sent to the primary when it begins; that is a tick of the clock late, and may be in the next slice.
#[tokio::test(start_paused = true)]
async fn evenkeels_breaker_does_not_take_the_surge_for_an_outage() {
    for seed in 0..10 {
        let plan = plan(seed, 200.0, 8);
        let run = run(&plan, "evenkeel").await;
        let surge = plan.incident.span(Phase::Surge);
        for slice in timeline(&run, &plan.incident) {
            if (surge.start.as_secs_f64()..surge.end.as_secs_f64()).contains(&slice.at) {
                let two = 2.0 / (plan.incident.length().as_secs_f64() / 40.0);
                assert!(slice.sent + two >= slice.offered, "seed {seed}: {slice:?}");
            }
        }
    }
}

/// With less than three quarters of the slots the first relation no longer holds: retries that help are refunded by the
/// budget, so the load of all retries tips a service that had just enough for the first attempts.
#[tokio::test(start_paused = true)]
async fn the_relations_do_not_hang_on_the_capacity_that_was_chosen() {
    for factor in [0.85, 0.9, 1.1, 1.5] {
        for seed in 0..3 {
            let plan = Plan { sized_for: 200.0 * factor, ..plan(seed, 200.0, 8) };
            let [none, tenacity, evenkeel] =
                [figures(&plan, "none").await, figures(&plan, "tenacity").await, figures(&plan, "evenkeel").await];
            assert!(evenkeel.answered > none.answered, "{plan:?}\n{evenkeel:?}\n{none:?}");
            assert!(evenkeel.answered >= tenacity.answered, "{plan:?}\n{evenkeel:?}\n{tenacity:?}");
            assert!(evenkeel.outage_amplification.is_some_and(|share| share < 0.1), "{plan:?}\n{evenkeel:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_with_too_few_slots_gets_slower_and_then_fails_for_all() {
    for entry in strategies::ALL {
        let ample = figures(&plan(0, 200.0, 8), entry.name).await;
        let scarce = figures(&Plan { sized_for: 100.0, ..plan(0, 200.0, 8) }, entry.name).await;
        assert!(scarce.p95_ms > ample.p95_ms, "{scarce:?}\n{ample:?}");
        assert!(scarce.answered < ample.answered, "{scarce:?}\n{ample:?}");
    }
}
