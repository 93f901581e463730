//! What the demo is to show of a second provider: the outage of the first is hardly noticed, and costs it nothing.
//!
//! Without a network, under tokio's paused clock, so that these are the same figures on every machine.

#![allow(missing_docs)]

mod support;

use std::time::Duration;

use evenkeel_lab::demo::{
    incident::Phase,
    load::Record,
    provider::Provider::{Primary, Secondary},
    run::Plan,
    strategies,
    summary::Run,
};
use support::{figures, plan, run};

/// The promise of the demo, at its default load and at others. Seeds 1 to 5 are among them.
#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_by_asking_someone_else() {
    for (rps, seconds) in [(200.0, 8), (200.0, 5), (200.0, 16), (100.0, 8), (50.0, 8), (500.0, 4)] {
        for seed in 0..10 {
            let plan = plan(seed, rps, seconds);
            let seen = figures(&plan, "evenkeel").await;
            assert!(seen.outage_answered_share >= Some(0.99), "{plan:?}\n{seen:?}");
            assert!(seen.answered_share >= 0.995, "{plan:?}\n{seen:?}");
            assert!(seen.amplification <= 1.25, "{plan:?}\n{seen:?}");
            assert_eq!(seen.recovery_ms, Some(0.0), "{plan:?}\n{seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_promise_does_not_hang_on_the_capacity_that_was_chosen() {
    for factor in [0.7, 0.85, 1.5] {
        for seed in 0..5 {
            let plan = Plan { sized_for: 200.0 * factor, ..plan(seed, 200.0, 8) };
            let seen = figures(&plan, "evenkeel").await;
            assert!(seen.outage_answered_share >= Some(0.99), "{plan:?}\n{seen:?}");
            assert!(seen.answered_share >= 0.995 && seen.amplification <= 1.25, "{plan:?}\n{seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_and_calls_add_up_and_only_evenkeel_knows_the_second_provider() {
    let plan = plan(3, 200.0, 8);
    for entry in strategies::ALL {
        let seen = figures(&plan, entry.name).await;
        assert_eq!(seen.by_alternate.keys().copied().collect::<Vec<_>>(), ["primary", "secondary"]);
        assert_eq!(seen.by_alternate.values().sum::<u64>(), seen.answered, "{seen:?}");
        assert_eq!(seen.calls_by_alternate["primary"], seen.upstream_calls, "{seen:?}");
        assert!(seen.by_alternate.iter().all(|(who, answers)| seen.calls_by_alternate[who] >= *answers), "{seen:?}");
        assert_eq!(seen.calls_by_alternate["secondary"] > 0, entry.name == "evenkeel", "{seen:?}");
    }
}

/// How many of the requests that began in `phase` were answered by each, and how many were not.
fn answers(run: &Run, plan: &Plan, phase: Phase) -> (usize, usize, usize) {
    let span = plan.incident.span(phase);
    let by = |who| run.records.iter().filter(|Record { at, by, .. }| span.contains(at) && *by == who).count();
    (by(Some(Primary)), by(Some(Secondary)), by(None))
}

#[tokio::test(start_paused = true)]
async fn the_faster_one_answers_while_it_is_well_and_the_other_one_while_it_is_down() {
    for seed in 1..6 {
        let plan = plan(seed, 200.0, 8);
        let run = run(&plan, "evenkeel").await;
        let (primary, secondary, none) = answers(&run, &plan, Phase::Calm);
        assert!(secondary * 10 < primary && none == 0, "seed {seed}: {primary}, {secondary}, {none}");
        let (primary, secondary, _) = answers(&run, &plan, Phase::Surge);
        assert!(secondary < primary, "seed {seed}: {primary}, {secondary}");
        for phase in [Phase::Refused, Phase::Unavailable] {
            // One who begins just before the end of it may be answered by a probe after it.
            let (primary, secondary, _) = answers(&run, &plan, phase);
            assert!(primary * 20 < secondary, "seed {seed}: {primary}, {secondary} in {phase:?}");
        }
        let (primary, secondary, none) = answers(&run, &plan, Phase::Recovery);
        assert!(secondary < primary && none == 0, "seed {seed}: {primary}, {secondary}, {none}");
    }
}

/// In the calm nothing fails, so what the second provider is sent is hedges, of about one request in twenty. In the surge a fifth
/// of all comes on top, which has failed at the first.
#[tokio::test(start_paused = true)]
async fn the_second_provider_is_asked_when_the_first_is_late_and_when_it_fails() {
    for seed in 1..6 {
        let plan = plan(seed, 200.0, 8);
        let run = run(&plan, "evenkeel").await;
        for (phase, shares) in [(Phase::Calm, 0.01..0.12), (Phase::Surge, 0.2..0.45)] {
            let span = plan.incident.span(phase);
            let begun = run.records.iter().filter(|record| span.contains(&record.at)).count();
            let sent = run.sent_to(Secondary).filter(|sent| span.contains(&sent.at)).count();
            assert!(shares.contains(&(sent as f64 / begun as f64)), "seed {seed}: {sent} of {begun} in {phase:?}");
        }
    }
}

/// One who begins in the outage waits for the second provider, and not for the outage's end.
#[tokio::test(start_paused = true)]
async fn in_the_outage_nobody_waits_for_its_end() {
    for seed in 1..6 {
        let plan = plan(seed, 200.0, 8);
        let run = run(&plan, "evenkeel").await;
        let mut latencies: Vec<Duration> = run
            .records
            .iter()
            .filter(|record| plan.incident.outage().contains(&record.at))
            .filter_map(|record| record.latency)
            .collect();
        latencies.sort();
        // The median of the second provider is 60 ms, and the slowest of its answers takes 500 ms.
        assert!(latencies[latencies.len() / 2] < Duration::from_millis(75), "seed {seed}");
        assert!(latencies[latencies.len() * 99 / 100] < Duration::from_millis(500), "seed {seed}");
    }
}
