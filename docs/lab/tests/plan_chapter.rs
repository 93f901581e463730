//! The policy calculator's chapter shows what the program prints; and what it tells of policies is so.

#![allow(missing_docs)]

use std::{num::NonZeroU32, path::Path, process::Command, time::Duration};

use evenkeel_lab::plan::{Bounds, Load, Policy, Report, Warning};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const EXAMPLE: &str = include_str!("../../examples/policy.toml");
const CHAPTER: &str = include_str!("../../book/src/plan.md");

/// What is in the fenced pieces of this language, in order.
fn fenced(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    CHAPTER.split(begin.as_str()).skip(1).filter_map(|piece| piece.split("```").next()).collect()
}

fn load(rps: f64, clients: u32, outage: Duration) -> Load {
    Load::new(rps, NonZeroU32::new(clients).expect("some"), outage).expect("a load")
}

#[test]
fn its_line_prints_what_it_shows() {
    let line = CHAPTER.split('`').find(|code| code.starts_with("cargo xtask lab plan --config")).expect("the line");
    let args = line.split(' ').skip(3);
    let output =
        Command::new(env!("CARGO_BIN_EXE_lab")).args(args).current_dir(Path::new(ROOT)).output().expect("the lab");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(fenced("text")[0], said, "put this into the chapter:\n{said}");
}

#[test]
fn its_bad_file_has_the_warnings_that_it_shows() {
    let policy = Policy::parse("the chapter", fenced("toml")[0]).expect("it is legal");
    let load = load(1000.0, 100, Duration::from_secs(30));
    let warnings = Warning::all(&policy, &load, &Bounds::of(&policy, &load));
    let said: String = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(fenced("text")[1], said.trim_start(), "put this into the chapter:\n{said}");
}

#[test]
fn the_example_recovers_and_the_naive_never_do() {
    for seed in 1..4 {
        let policy = Policy::parse("the example", EXAMPLE).expect("it is legal");
        let report = Report::of(&policy, &load(100.0, 10, Duration::from_secs(20)), seed).expect("few enough");
        assert!(report.warnings().is_empty());
        let (yours, naive) = (report.yours(), report.naive());
        assert!(yours.recovery_ms.is_some_and(|after| after <= 12_000.0), "{yours:?}");
        assert!(yours.answered_after > 0.8 && yours.amplification < 0.5, "{yours:?}");
        assert!(yours.time_to_open_ms.is_some_and(|after| after < 4_000.0), "{yours:?}");
        assert!(naive.recovery_ms.is_none() && naive.answered_after < 0.1 && naive.amplification > 3.5, "{naive:?}");
        assert_eq!(naive.time_to_open_ms, None);
    }
}

#[test]
fn a_breaker_that_does_not_see_its_time_limit_does_not_open() {
    let (seen, unseen) = (EXAMPLE.to_owned(), EXAMPLE.replace("timeout = \"1s\"    #", "# #"));
    // No line that refuses at once, which the breaker sees in any case.
    let opened = |text: &str| {
        let text = format!("{text}\nqueue = \"10m\"\n");
        let policy = Policy::parse("it", &text).expect("it is legal");
        let report = Report::of(&policy, &load(40.0, 4, Duration::from_secs(10)), 1).expect("few enough");
        report.yours().time_to_open_ms
    };
    assert!(opened(&seen).is_some_and(|after| after < 3_000.0));
    assert_eq!(opened(&unseen), None);
}

#[test]
fn a_policy_without_an_end_is_followed_as_far_as_it_makes_sense() {
    let endless = "[retry]\nschedule = { kind = \"constant\", first = \"0s\" }\nmax_attempts = 4000000000\n";
    let policy = Policy::parse("it", endless).expect("it is legal");
    let report = Report::of(&policy, &load(5.0, 1, Duration::from_secs(5)), 1).expect("few enough");
    assert_eq!(report.bounds().amplification, Some(4e9));
    let long = "[retry]\nschedule = { kind = \"constant\", first = \"500000000000years\" }\nmax_attempts = 4\n";
    let policy = Policy::parse("it", long).expect("it is legal");
    Report::of(&policy, &load(5.0, 1, Duration::from_secs(5)), 1).expect("few enough");
}
