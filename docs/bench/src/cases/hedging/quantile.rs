//! What an estimate costs, beside the atomics that it is made of.

use std::{
    cell::Cell,
    hint::black_box,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use evenkeel_hedging::{Delays, End, Quantile};

use crate::measure::{Bench, Candidate, Shared};

pub(super) fn run(bench: &mut Bench) {
    one_thread(bench);
    threads(bench);
}

/// What recording and reading are made of: two adds, to counters that share no cache line, and a load.
#[repr(align(64))]
#[derive(Default)]
struct Line(AtomicU32);

#[derive(Default)]
struct Atomics {
    bucket: Line,
    count: Line,
    threshold: AtomicU64,
}

impl Atomics {
    #[inline(always)]
    fn add_both(&self) {
        self.bucket.0.fetch_add(1, Ordering::Relaxed);
        self.count.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Latencies from 2 to 100 ms, in an order that nobody can foresee.
fn latencies() -> Vec<Duration> {
    let mut random = 1_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        2_000_000 + (random >> 33) * 98_000_000 / (1 << 31)
    };
    (0..4_096).map(|_| Duration::from_nanos(next())).collect()
}

/// An estimate with half a million samples in its window, and when that was.
fn steady() -> (Quantile, Instant) {
    let estimate = Quantile::p95();
    let (now, latencies) = (Instant::now(), latencies());
    (0..500_000).for_each(|n| estimate.record_at(latencies[n % 4_096], now));
    assert!(estimate.threshold().is_some(), "it is warm");
    (estimate, now)
}

fn one_thread(bench: &mut Bench) {
    let atomics = Atomics::default();
    let (estimate, now) = steady();
    let latencies = latencies();
    let mut turn = [0_usize; 5];
    let [a, b, c, d, e] = &mut turn;
    let next = |n: &mut usize| {
        *n = (*n + 1) % 4_096;
        black_box(latencies[*n])
    };
    // The clocks of these move: upkeep and turns have their share.
    let (busy, quiet) = (steady().0, steady().0);
    let (busy_now, quiet_now) = (Cell::new(now), Cell::new(now));
    let moved = |time: &Cell<Instant>, by| {
        time.set(time.get() + by);
        time.get()
    };
    let standing = || Quantile::builder(0.95).clock(move || now).build().expect("0.95 is a share");
    let (still, system) = (standing(), Quantile::p95());
    let full = || steady().0;
    bench.compare(
        "hedging",
        "a record",
        vec![
            Candidate::new("two atomic adds", || atomics.add_both()).keeps(Atomics::default),
            Candidate::new("by hand: two atomic adds and a load", || {
                atomics.add_both();
                atomics.threshold.load(Ordering::Relaxed)
            })
            .keeps(Atomics::default),
            Candidate::new("record and threshold", || record_and_read(&estimate, next(a), now)).keeps(full),
            Candidate::new("record and threshold, inlined", || {
                estimate.record_at(next(b), now);
                estimate.threshold()
            })
            .keeps(full),
            Candidate::new("given up, and threshold", || {
                estimate.record_longer_at(next(c), now);
                estimate.threshold()
            })
            .keeps(full),
            Candidate::new("record and threshold, 100,000 a second", || {
                busy.record_at(next(d), moved(&busy_now, Duration::from_micros(10)));
                busy.threshold()
            })
            .keeps(full),
            Candidate::new("record and threshold, 1,000 a second", || {
                quiet.record_at(next(e), moved(&quiet_now, Duration::from_millis(1)));
                quiet.threshold()
            })
            .keeps(full),
            Candidate::new("a request of a hedge, its clock stands", || request(&still)).keeps(standing),
            Candidate::new("a request of a hedge", || request(&system)).keeps(Quantile::p95),
            Candidate::new("two readings of the clock", || (Instant::now(), Instant::now())),
            Candidate::new("the threshold alone", || estimate.threshold()).keeps(full),
            Candidate::new("a snapshot", || estimate.snapshot()).keeps(full),
        ],
    );
}

/// A function of its own, so that its instructions can be counted.
#[inline(never)]
fn record_and_read(estimate: &Quantile, latency: Duration, now: Instant) -> Option<Duration> {
    estimate.record_at(latency, now);
    estimate.threshold()
}

/// What a race asks of its delays.
fn request(delays: &impl Delays) -> Option<Duration> {
    let delay = delays.session().next();
    let started = delays.start();
    delays.end(started, End::Succeeded);
    delay
}

fn threads(bench: &mut Bench) {
    let atomics = Atomics::default();
    let (estimate, now) = steady();
    let latencies = latencies();
    let (atomics, estimate, latencies) = (&atomics, &estimate, &latencies);
    bench.share(
        "hedging",
        "a record, shared",
        &[
            Shared::new("by hand: two atomic adds and a load", || {
                |_| {
                    atomics.add_both();
                    atomics.threshold.load(Ordering::Relaxed)
                }
            })
            .keeps(Atomics::default),
            Shared::new("record and threshold", || {
                // Sixteen chunks and it starts anew, as the calls of a chunk do.
                let mut start = 0;
                move |n: u64| {
                    start += usize::from(n == 0) * 256;
                    estimate.record_at(latencies[(start + n as usize) % 4_096], now);
                    estimate.threshold()
                }
            })
            .keeps(|| steady().0),
        ],
    );
}
