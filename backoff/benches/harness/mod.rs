//! Measures candidates beside each other: batch by batch in turn, so that whatever else the machine does hits all alike.

use std::{
    env,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Long enough that reading the clock is lost in it, short enough that a candidate's turn comes often.
const BATCH: Duration = Duration::from_micros(100);
const ROUNDS: usize = 400;

/// One way to do the operation.
pub(crate) struct Candidate<'a> {
    name: &'static str,
    /// Does it so many times.
    batch: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Candidate<'a> {
    /// `op` is inlined into its own loop; only the loop is called through a pointer.
    pub(crate) fn new<T>(name: &'static str, mut op: impl FnMut() -> T + 'a) -> Self {
        let batch = Box::new(move |times| {
            for _ in 0..times {
                black_box(op());
            }
        });
        Self { name, batch }
    }

    /// One that does a whole batch by itself.
    #[allow(dead_code)] // not every bench has one
    pub(crate) fn batched(name: &'static str, batch: impl FnMut(u64) + 'a) -> Self {
        Self { name, batch: Box::new(batch) }
    }

    fn time(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        (self.batch)(times);
        start.elapsed()
    }

    /// How many times fill a batch.
    fn calibrate(&mut self) -> u64 {
        let mut times = 1;
        while self.time(times) < BATCH {
            times *= 2;
        }
        times
    }

    fn allocations(&mut self) -> f64 {
        const TIMES: u64 = 100;
        (self.batch)(1);
        allocation_counter::measure(|| (self.batch)(TIMES)).count_total as f64 / TIMES as f64
    }
}

/// Measures all in turn and prints a table; the first is the one that the others are compared with.
///
/// The ratio is the median of those of each round, where both were measured in the same tenth of a millisecond or so:
/// it is steadier than the ratio of the medians.
pub(crate) fn compare(title: &str, mut candidates: Vec<Candidate<'_>>) {
    let times: Vec<u64> = candidates.iter_mut().map(Candidate::calibrate).collect();
    let mut nanos = vec![Vec::with_capacity(ROUNDS); candidates.len()];
    for round in 0..rounds() {
        // Each goes first in its turn, for the first has the caches of the last.
        for place in 0..candidates.len() {
            let index = (round + place) % candidates.len();
            let elapsed = candidates[index].time(times[index]);
            nanos[index].push(elapsed.as_secs_f64() * 1e9 / times[index] as f64);
        }
    }
    println!("\n### {title}\n");
    println!("| | ns | quartiles | ratio | allocations |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (candidate, of) in candidates.iter_mut().zip(&nanos) {
        let ratios = of.iter().zip(&nanos[0]).map(|(nanos, ours)| nanos / ours);
        let [_, ratio, _] = quartiles(ratios.collect());
        let [low, median, high] = quartiles(of.clone());
        let (name, allocations) = (candidate.name, candidate.allocations());
        println!("| {name} | {median:.1} | {low:.1} to {high:.1} | {ratio:.2} | {allocations:.0} |");
    }
}

/// Polls until it is ready, without a runtime. Inlined always, for whether it is would else be chance, and show.
#[inline(always)]
pub(crate) fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// `cargo test --benches` only looks whether it runs.
fn rounds() -> usize {
    if env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 }
}

fn quartiles(mut of: Vec<f64>) -> [f64; 3] {
    of.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| of[of.len() * quarter / 4])
}
