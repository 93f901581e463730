//! Schedules by the number of their delays.

use std::{hint::black_box, time::Duration};

use backon::BackoffBuilder;
use evenkeel_backoff::{AnySchedule, Decorrelated, Exponential, Fibonacci};
use tokio_retry2::strategy::{ExponentialBackoff, jitter};

use super::grower::{At, Grower};

pub(super) const FIRST: Duration = Duration::from_millis(50);
pub(super) const CAP: Duration = Duration::from_secs(5);

pub(super) fn run(grower: &mut Grower) {
    let mut points = Vec::new();
    for delays in grower.tens(1, 10_000) {
        let exponential = Exponential::new(FIRST).cap(CAP).take(delays as usize);
        let decorrelated = Decorrelated::new(FIRST).cap(CAP).take(delays as usize);
        let fibonacci = Fibonacci::new(FIRST).cap(CAP).take(delays as usize);
        let any = AnySchedule::from(exponential);
        points.push(each("Exponential", delays, move || total(exponential)));
        points.push(each("Decorrelated", delays, move || total(decorrelated)));
        points.push(each("Fibonacci", delays, move || total(fibonacci)));
        points.push(each("AnySchedule", delays, move || total(any)));
        let backon = backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP);
        let backon = backon.with_max_times(delays as usize).with_jitter();
        points.push(each("backon", delays, move || total(black_box(backon).build())));
        points.push(each("tokio-retry2", delays, move || {
            // Its base is its factor: 2ⁿ of these.
            total(ExponentialBackoff::from_millis(2).factor(25).max_delay(CAP).map(jitter).take(delays as usize))
        }));
    }
    grower.time("schedule-delays", points);
}

fn each(line: &'static str, delays: u64, op: impl FnMut() -> Duration + 'static) -> At<'static> {
    At::new(line, delays, op).per(delays)
}

/// Looks at each delay.
fn total(delays: impl IntoIterator<Item = Duration>) -> Duration {
    delays.into_iter().map(black_box).fold(Duration::ZERO, Duration::saturating_add)
}
