//! The estimate by the samples in its window, and by how long they are.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use evenkeel_hedging::Quantile;
use hdrhistogram::Histogram;

use super::grower::{At, Grower};

const WINDOW: Duration = Quantile::DEFAULT_WINDOW;

pub(super) fn run(grower: &mut Grower) {
    let mut points = Vec::new();
    for samples in grower.tens(100, 1_000_000) {
        let middle = Duration::from_millis(50);
        points.push(ours("Quantile: record, threshold", samples, samples, middle));
        points.push(theirs(RECORD, samples, samples, middle, false));
        points.push(theirs(BOTH, samples, samples, middle, true));
    }
    grower.time("quantile-samples", points);

    let mut points = Vec::new();
    // Of microseconds: up to 100 s.
    for micros in grower.tens(10, 100_000_000) {
        let middle = Duration::from_micros(micros);
        points.push(ours("Quantile, 1,000 in the window", micros, 1_000, middle));
        points.push(ours("Quantile, 100,000 in the window", micros, 100_000, middle));
        points.push(theirs(BOTH, micros, 1_000, middle, true));
    }
    grower.time("quantile-latency", points);
}

const RECORD: &str = "hdrhistogram: record";
const BOTH: &str = "hdrhistogram: record, value at quantile";

/// From a half to one and a half of the middle one, in an order that nobody foresees.
fn latencies(middle: Duration) -> impl FnMut() -> Duration {
    let mut any = super::hand::scattered(middle.as_nanos() as u64);
    let shortest = middle / 2;
    move || shortest + Duration::from_nanos(any())
}

/// So many in the window all the while.
fn ours(line: &'static str, x: u64, samples: u64, middle: Duration) -> At<'static> {
    let (estimate, mut now, mut latency) = (Quantile::p95(), Instant::now(), latencies(middle));
    let step = WINDOW / samples as u32;
    let mut op = move || {
        now += step;
        estimate.record_at(black_box(latency()), now);
        estimate.threshold()
    };
    for _ in 0..samples {
        black_box(op());
    }
    At::new(line, x, op)
}

/// It has no window: it holds so many, and then more.
fn theirs(line: &'static str, x: u64, samples: u64, middle: Duration, ask: bool) -> At<'static> {
    // Microseconds up to an hour, to two digits, as ours.
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000, 2).expect("bounds in their ranges");
    let mut latency = latencies(middle);
    let mut record = move || {
        histogram.saturating_record(black_box(latency()).as_micros() as u64);
        if ask { histogram.value_at_quantile(0.95) } else { 0 }
    };
    for _ in 0..samples {
        black_box(record());
    }
    At::new(line, x, record)
}
