//! Two threads on one estimate, beside two threads on two counters.

use std::{
    env,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::quantile::{Atomics, latencies, steady};

const ROUNDS: usize = 60;
/// For how long the threads record: both of them for as long, so that neither is ever alone.
const SLICE: Duration = Duration::from_millis(4);
const CHUNK: usize = 256;

pub(crate) fn compare_threads() {
    let atomics = Atomics::default();
    let (estimate, now) = steady();
    let latencies = latencies();
    let record = |n: usize| {
        estimate.record_at(black_box(latencies[n % 4_096]), now);
        black_box(estimate.threshold());
    };
    let add = |_: usize| atomics.add_both();
    let mut nanos = [const { Vec::new() }; 4];
    for _ in 0..rounds() {
        let measured = [of_each(1, &add), of_each(1, &record), of_each(2, &add), of_each(2, &record)];
        for (all, one) in nanos.iter_mut().zip(measured) {
            all.push(one);
        }
    }
    println!("\n### Two threads at once\n");
    println!("| | ns each, one thread | ns each, two threads |");
    println!("| --- | ---: | ---: |");
    let [add_1, record_1, add_2, record_2] = nanos.map(median);
    println!("| two atomic adds to shared counters | {add_1:.1} | {add_2:.1} |");
    println!("| record and threshold | {record_1:.1} | {record_2:.1} |");
    println!("| ratio | {:.2} | {:.2} |", record_1 / add_1, record_2 / add_2);
}

/// Nanoseconds that an operation takes one of so many threads.
fn of_each(threads: usize, op: &(impl Fn(usize) + Sync)) -> f64 {
    let waited_for = AtomicUsize::new(threads);
    let run = || {
        waited_for.fetch_sub(1, Ordering::AcqRel);
        while waited_for.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
        let (start, mut n) = (Instant::now(), 0);
        loop {
            (n..n + CHUNK).for_each(op);
            n += CHUNK;
            let elapsed = start.elapsed();
            if elapsed >= SLICE {
                return elapsed.as_nanos() as f64 / n as f64;
            }
        }
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).sum::<f64>() / threads as f64
    })
}

/// `cargo test --benches` only looks whether it runs.
fn rounds() -> usize {
    if env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}
