//! The soak: short ones of the program, and that its audit sees what a defect would do.

// The soaks of one process take turns, by a lock that is none of the libraries' business.
#![allow(missing_docs, clippy::disallowed_types)]

use std::{
    alloc::System,
    process::{Command, Output},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use evenkeel_lab::soak::{Plan, Report, Rule, Sabotage};
use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The heap is the whole process's: one soak at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn lab(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab")).args(args).output().expect("the lab, which cargo has built")
}

fn soak(sabotage: Option<Sabotage>) -> Report {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A drain takes a moment; only what never ends takes longer than the patience.
    let patience = if sabotage == Some(Sabotage::Wedge) || sabotage == Some(Sabotage::Task) { 5 } else { 60 };
    let (length, patience) = (Duration::from_millis(600), Duration::from_secs(patience));
    Plan { length, patience, threads: 2, sabotage, ..Plan::new(3) }.run().expect("a soak")
}

fn rules(report: &Report) -> Vec<Rule> {
    report.violations.iter().map(|violation| violation.rule).collect()
}

#[test]
fn a_short_soak_has_every_fault_and_survives_each() {
    for seed in ["1", "2"] {
        let output = lab(&["soak", "--seconds", "1.2", "--seed", seed, "--threads", "3", "--json"]);
        assert!(output.status.success(), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("one object and nothing else");
        for counts in ["injected", "survived"] {
            let counts = report[counts].as_object().expect("counts by name");
            assert!(counts.len() > 20);
            let never: Vec<_> = counts.iter().filter(|(_, count)| count.as_u64() == Some(0)).collect();
            assert!(never.is_empty(), "{never:?}");
        }
        assert_eq!(report["violations"], Value::Array(vec![]));
        assert_eq!(report["seed"].to_string(), seed);
        let heap = report["heap"].as_array().expect("the live bytes after each round");
        assert!(heap.iter().all(|bytes| bytes.as_u64() > Some(0)), "its allocator counts: {heap:?}");
    }
}

#[test]
fn without_json_it_prints_what_it_injected_and_survived_and_that_every_rule_holds() {
    let output = lab(&["soak", "--seconds", "0.5", "--threads", "2"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    for part in ["injected\n", "clock jumps back", "survived\n", "requests answered", "every rule holds"] {
        assert!(said.contains(part), "{part} is in {said}");
    }
}

#[test]
fn the_audit_finds_what_a_defect_would_do() {
    let defects = [
        (Sabotage::Permit, Rule::Permits),
        (Sabotage::Account, Rule::Tokens),
        (Sabotage::Refund, Rule::Balances),
        (Sabotage::Probe, Rule::Slots),
        (Sabotage::Breaker, Rule::Recovery),
        (Sabotage::Task, Rule::Tasks),
        (Sabotage::Request, Rule::Leftovers),
        (Sabotage::Memory, Rule::Memory),
        (Sabotage::Answer, Rule::Answers),
        (Sabotage::Panic, Rule::Panics),
        (Sabotage::Wedge, Rule::Stuck),
    ];
    for (sabotage, rule) in defects {
        let report = soak(Some(sabotage));
        assert!(rules(&report).contains(&rule), "{sabotage:?}: {:?}", report.violations);
        let others = rules(&report).into_iter().filter(|found| *found != rule);
        assert_eq!(others.count(), 0, "and nothing else: {:?}", report.violations);
    }
}

#[test]
fn without_damage_the_same_soak_finds_nothing() {
    assert_eq!(soak(None).violations, []);
}

#[test]
fn the_one_who_is_stuck_is_named() {
    let report = soak(Some(Sabotage::Wedge));
    let why: Vec<_> = report.violations.iter().map(ToString::to_string).collect();
    assert!(why.iter().any(|why| why.starts_with("Stuck: layers, AWS budget: 1 without an answer")), "{why:?}");
}

#[test]
fn nonsense_is_refused() {
    let nonsense: [&[&str]; 9] = [
        &["--seconds", "0.4"],
        &["--seconds", "86401"],
        &["--seconds", "NaN"],
        &["--seconds", "-1"],
        &["--seconds"],
        &["--threads", "0"],
        &["--threads", "65"],
        &["--seed", "x"],
        &["--quick"],
    ];
    for args in nonsense {
        let output = lab(&[&["soak"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(output.stdout.is_empty());
    }
    // Nor have the experiments what is the soak's.
    assert_eq!(lab(&["budgets", "--seconds", "5"]).status.code(), Some(2));
}

#[test]
fn help_names_it_and_its_options() {
    let said = |args: &[&str]| String::from_utf8_lossy(&lab(args).stdout).into_owned();
    assert!(said(&["--help"]).contains("soak"));
    assert!(said(&["help"]).contains("soak"));
    let own = said(&["soak", "--help"]);
    assert!(
        ["--seconds", "--seed", "--threads", "--json", "cargo xtask lab soak"].iter().all(|part| own.contains(part))
    );
}
