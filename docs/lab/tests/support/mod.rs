//! Runs of the demo without a network, under tokio's paused clock.
#![allow(dead_code)] // Each test file takes what it needs.

use std::time::Duration;

use evenkeel_lab::demo::{
    incident::Incident,
    run::Plan,
    strategies::{self, Setup},
    summary::{Figures, Run},
};

/// Callers wait for 3 s, as they do by default.
pub(crate) fn plan(seed: u64, rps: f64, seconds: u64) -> Plan {
    let setup = Setup { seed, rps, patience: Duration::from_secs(3) };
    Plan { incident: Incident::new(Duration::from_secs(seconds)), setup, sized_for: rps }
}

pub(crate) async fn run(plan: &Plan, name: &str) -> Run {
    plan.directly(strategies::find(name).expect("a strategy of that name")).await
}

pub(crate) async fn figures(plan: &Plan, name: &str) -> Figures {
    Figures::of(&run(plan, name).await, &plan.incident)
}
