//! What the layers of the demo's own strategy have counted adds up: with each other, with what the client sent, and with what
//! the servers received.

#![allow(missing_docs)]

#[path = "support/adds_up.rs"]
mod adds_up;
#[path = "support/exposition.rs"]
mod exposition;

use std::time::Duration;

use adds_up::check_at_rest;
use evenkeel_lab::demo::{
    incident::Incident,
    provider::Provider,
    run::Plan,
    scrape,
    strategies::{self, Setup},
    summary::{Figures, Run},
};
use exposition::Exposition;

fn plan(seed: u64, rps: f64, seconds: u64, patience: Duration) -> Plan {
    let incident = Incident::new(Duration::from_secs(seconds));
    Plan { incident, setup: Setup { seed, rps, patience }, sized_for: rps }
}

/// A run, and what was counted when the last of its requests had ended.
fn counted(plan: &Plan, over_http: bool) -> (Run, Exposition) {
    // All on this thread, whose recorder it is.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(!over_http).build().expect("a runtime");
    let evenkeel = strategies::find("evenkeel").expect("a strategy of that name");
    let recorder = scrape::recorder();
    let run = metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            if over_http {
                plan.over_http(evenkeel).await.expect("a free port, before and after the outage")
            } else {
                plan.directly(evenkeel).await
            }
        })
    });
    (run, Exposition::parse(&recorder.handle().render()))
}

fn check(run: &Run, plan: &Plan, seen: &Exposition) {
    let figures = serde_json::to_value(Figures::of(run, &plan.incident)).expect("figures are an object");
    check_at_rest(&figures, seen);
    assert_eq!(seen.sum("demo_received_total", &[("provider", "primary")]), run.received.len() as f64);
}

const LONG: Duration = Duration::from_secs(3);

#[test]
fn over_http_the_counters_add_up_when_the_last_request_has_ended() {
    let plan = plan(1, 100.0, 2, LONG);
    let (run, seen) = counted(&plan, true);
    check(&run, &plan, &seen);
    assert!(seen.sum("evenkeel_breaker_transitions_total", &[("name", "primary"), ("to", "open")]) > 0.0);
}

/// Without a network nothing is lost on the way: all but the refused arrive.
#[test]
fn all_that_was_sent_and_not_refused_is_received() {
    for seed in 1..6 {
        let plan = plan(seed, 200.0, 8, LONG);
        let (run, seen) = counted(&plan, false);
        check(&run, &plan, &seen);
        for provider in Provider::ALL {
            let down = provider.refuses(&plan.incident).unwrap_or_default();
            let refused = run.sent_to(provider).filter(|sent| down.contains(&sent.at)).count();
            let [sent, received] = ["demo_sent_total", "demo_received_total"]
                .map(|series| seen.sum(series, &[("provider", provider.name())]));
            assert_eq!(received, sent - refused as f64, "{provider:?}");
            let counted = [("provider", provider.name()), ("how", "refused")];
            assert_eq!(seen.sum("demo_ended_total", &counted), refused as f64, "{provider:?}");
        }
    }
}

/// That there was something to add up.
fn assert_all_seen(what: &[&str], seen: &[Exposition]) {
    for series in what {
        let total: f64 = seen.iter().map(|seen| seen.sum(&format!("evenkeel_{series}"), &[])).sum();
        assert!(total > 0.0, "{series}");
    }
}

/// Requests that are dropped in the middle of an attempt, or in the wait before the next one.
#[test]
fn the_counters_add_up_when_callers_give_up() {
    let of = |patience, seed| {
        let plan = plan(seed, 200.0, 4, patience);
        let (run, seen) = counted(&plan, false);
        check(&run, &plan, &seen);
        seen
    };
    let seen: Vec<Exposition> = [30, 60, 120, 250]
        .into_iter()
        .flat_map(|ms| (1..4).map(move |seed| of(Duration::from_millis(ms), seed)))
        .collect();
    let unanswered = |seen: &Exposition| {
        seen.sum("evenkeel_retry_requests_total", &[]) - seen.sum("evenkeel_retry_stops_total", &[])
    };
    assert!(seen.iter().map(unanswered).sum::<f64>() > 100.0);
    let what =
        ["throttle_rejections_total", "budget_refunds_total", "budget_refusals_total", "breaker_late_calls_total"];
    assert_all_seen(&what, &seen);
}

/// With a tenth of the slots that they need.
#[test]
fn the_counters_add_up_when_neither_provider_can_take_the_load() {
    let of = |seed| {
        let plan = Plan { sized_for: 20.0, ..plan(seed, 200.0, 4, LONG) };
        let (run, seen) = counted(&plan, false);
        check(&run, &plan, &seen);
        seen
    };
    let seen: Vec<Exposition> = (1..4).map(of).collect();
    let what =
        ["breaker_rejections_total", "retry_retries_total", "retry_delay_seconds_count", "throttle_rejections_total"];
    assert_all_seen(&what, &seen);
}
