//! What is measured, one area a module.

mod breaker;
mod budget;
mod clock;
mod hedging;
mod retry;
mod runtime;
mod schedules;
mod stack;
mod threads;

use crate::measure::Bench;

/// Their names.
pub const AREAS: [&str; 7] = ["schedules", "retry", "breaker", "budget", "hedging", "stack", "clock"];

/// Runs all cases.
pub fn run(bench: &mut Bench) {
    schedules::run(bench);
    retry::run(bench);
    breaker::run(bench);
    budget::run(bench);
    hedging::run(bench);
    stack::run(bench);
    clock::run(bench);
}

/// What is made once and lives as long as the program: to be had by reference, as one does.
fn forever<T>(of: T) -> &'static T {
    Box::leak(Box::new(of))
}
