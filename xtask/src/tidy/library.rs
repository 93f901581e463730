//! Rules for the sources of the four libraries: time comes in as an argument, nothing blocks, nothing spawns.

use super::{
    Fault, Rule,
    rust::SLEEP,
    source::{code, has_word, start_of_tests},
};
use crate::workspace::LIBRARIES;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "own-clock", applies: is_library, check: own_clock },
    Rule { name: "own-sleep", applies: is_library, check: own_sleep },
    Rule { name: "lock", applies: has_no_lock, check: locks },
    Rule { name: "spawn", applies: is_library, check: spawns },
];

fn is_library(path: &str) -> bool {
    let inside = |library| path.strip_prefix(library).is_some_and(|rest| rest.starts_with("/src/"));
    path.ends_with(".rs") && LIBRARIES.into_iter().any(inside)
}

/// A library that cannot do without has its lock in one place.
fn has_no_lock(path: &str) -> bool {
    is_library(path) && !path.ends_with("/src/sync/lock.rs")
}

/// The path `Instant::now` is the default of a clock; the call is a clock of one's own.
fn own_clock(text: &str) -> Vec<Fault> {
    let advice = "take `now` as an argument, or ask the clock that was given: tests move it by hand";
    uses(text, &["Instant::now("], advice)
}

fn own_sleep(text: &str) -> Vec<Fault> {
    uses(text, &[SLEEP], "wait with the sleeper that was given")
}

fn locks(text: &str) -> Vec<Fault> {
    uses(text, &["Mutex"], "no locks: keep the state in atomics, through `crate::sync`, so that loom sees it")
}

fn spawns(text: &str) -> Vec<Fault> {
    let advice = "hand the caller a future to drive: it alone knows the runtime";
    uses(text, &["thread::spawn", "tokio::spawn", "task::spawn"], advice)
}

/// Outside of comments, whose examples have a runtime, and of the file's own tests, whose clock has to begin somewhere.
fn uses(text: &str, names: &[&str], advice: &str) -> Vec<Fault> {
    let end = start_of_tests(text);
    let used = |&(line, code): &(usize, &str)| line < end && names.iter().any(|name| has_word(code, name));
    code(text).filter(used).map(|(line, _)| (line, advice.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::lines, *};

    #[test]
    fn the_rules_are_for_the_sources_of_the_libraries() {
        assert!(is_library("breaker/src/lib.rs") && is_library("backoff/src/tower/layer.rs"));
        assert!(!is_library("breaker/tests/models.rs") && !is_library("docs/lab/src/lib.rs"));
        assert!(!is_library("breaker/src/notes.md"));
    }

    #[test]
    fn a_lock_has_one_place() {
        assert!(has_no_lock("breaker/src/breaker/shared.rs") && !has_no_lock("breaker/src/sync/lock.rs"));
        assert_eq!(lines(&locks("use std::sync::Mutex;\n")), [1]);
    }

    #[test]
    fn a_clock_is_read_only_where_it_was_handed_in() {
        assert_eq!(lines(&own_clock("let a = 1;\nlet now = Instant::now();\n")), [2]);
        assert!(own_clock("Self { clock: Instant::now }\n/// let now = Instant::now();\n").is_empty());
    }

    #[test]
    fn a_library_does_not_sleep() {
        assert_eq!(lines(&own_sleep(&format!("std::{SLEEP}delay);\n"))), [1]);
        assert!(own_sleep("/// `std::thread::sleep`\nlet sleep = std::thread::sleep;\n").is_empty());
    }

    #[test]
    fn a_library_takes_no_lock() {
        assert_eq!(lines(&locks("use std::sync::{\n    Arc, Mutex,\n};\n")), [2]);
        assert!(locks("use std::sync::Arc; // no Mutex\n").is_empty());
    }

    #[test]
    fn a_library_spawns_nothing() {
        assert_eq!(lines(&spawns("tokio::spawn(f);\nstd::thread::spawn(f);\n")), [1, 2]);
        assert!(spawns("/// tokio::spawn(f);\nlet respawn = 1;\n").is_empty());
    }

    #[test]
    fn the_tests_at_the_end_of_a_file_may_begin_at_any_time() {
        assert!(own_clock("#[cfg(test)]\nmod tests {\n    let start = Instant::now();\n}\n").is_empty());
    }
}
