//! Delays.

use std::{hint::black_box, time::Duration};

use evenkeel_backoff::{AnySchedule, Decorrelated, Exponential, Jitter};

use super::repeat;

const FIRST: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(5);

/// The schedule of the other paths. The compiler does not see which: it would reckon delays that it knows.
#[inline(always)]
pub(super) fn exponential() -> Exponential {
    black_box(Exponential::new(FIRST).cap(CAP))
}

pub(super) fn run() {
    repeat(|| ten_exponential(black_box(1)));
    repeat(|| ten_decorrelated(black_box(1)));
    let bare = exponential().jitter(Jitter::None).seed(1);
    repeat(|| ten_without_jitter(black_box(bare)));
    let any = AnySchedule::from(exponential().seed(1));
    repeat(|| ten_of_any(black_box(any)));
}

/// Ten exponential delays, full jitter.
#[inline(never)]
pub fn ten_exponential(seed: u64) -> Duration {
    total(exponential().seed(seed))
}

/// Ten decorrelated delays.
#[inline(never)]
pub fn ten_decorrelated(seed: u64) -> Duration {
    total(black_box(Decorrelated::new(FIRST).cap(CAP)).seed(seed))
}

/// Ten exponential delays that nothing spreads.
#[inline(never)]
pub fn ten_without_jitter(schedule: Exponential) -> Duration {
    total(schedule)
}

/// Ten delays of a schedule that is known when the program runs.
#[inline(never)]
pub fn ten_of_any(schedule: AnySchedule) -> Duration {
    total(schedule)
}

/// Looks at each of ten.
#[inline(always)]
fn total(delays: impl IntoIterator<Item = Duration>) -> Duration {
    delays.into_iter().take(10).map(black_box).sum()
}
