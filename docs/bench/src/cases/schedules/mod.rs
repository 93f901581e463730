//! Delays, and what it takes to draw ten of them.

mod exponential;
mod others;
pub(super) mod peers;

use std::{hint::black_box, time::Duration};

use evenkeel_backoff::Exponential;

use crate::measure::Bench;

pub(super) const FIRST: Duration = Duration::from_millis(50);
pub(super) const CAP: Duration = Duration::from_secs(5);
pub(super) const SCHEDULE: Exponential = Exponential::new(FIRST).cap(CAP);

pub(super) fn run(bench: &mut Bench) {
    exponential::run(bench);
    others::run(bench);
}

/// Looks at each delay.
#[inline(always)]
fn ten(delays: impl IntoIterator<Item = Duration>) -> Duration {
    let (mut total, mut count) = (Duration::ZERO, 0);
    for delay in delays {
        total += black_box(delay);
        count += 1;
    }
    assert_eq!(count, 10, "there are ten");
    total
}
