//! Two threads on one breaker, beside one.
//!
//! tower-resilience waits for its lock in a future, which is polled again at once: no runtime has to be woken.

use std::{
    env,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use evenkeel_breaker::Breaker;

use crate::{
    SPAN,
    peers::{Answer, Atomics, Peer, answers, failsafe, failsafe_both, ours, recloser, resilience},
};

const THREADS: usize = 2;
/// For how long the threads call: all of them for as long, so that none is ever alone.
const SLICE: Duration = Duration::from_millis(2);
/// Calls between two looks at the clock, whose cost is lost among them; each chunk begins with a success.
const CHUNK: u64 = 2 * answers::ONE_IN;
const ROUNDS: usize = 150;
const TRIES: usize = 20;

pub(crate) fn compare_threads() {
    table("all calls succeed", 0.5, 10, 100, answers::success);
    table("every second call fails", 0.9, 10, 100, answers::every_second_fails);
    // Of both threads there are 254 failures in a row at most, and so no window of 500 without a success.
    table("all calls but one in 128 fail", 1.0, 1_000, 500, answers::nearly_all_fail);
}

/// With rules that do not open: from that share of failures, or after so many in a row.
fn table(title: &str, rate: f64, run: u32, window: u32, answer: impl Fn(u64) -> Answer + Copy + Send + Sync) {
    let start = Instant::now();
    let both_rules = ours(rate, run).count_window(window).build().unwrap();
    let row = Breaker::builder().consecutive_failures(run).build().unwrap();
    let count = Breaker::builder().failure_rate(rate).count_window(window).build().unwrap();
    let timed = Breaker::builder().failure_rate(rate).time_window(SPAN).build().unwrap();
    let still = Breaker::builder().failure_rate(rate).time_window(SPAN).clock(move || start).build().unwrap();
    // The peers' windows are of 100 results, which may all be failures: theirs are rules that nothing can meet.
    let never = rate >= 1.0;
    let most = if never { u32::MAX } else { run };
    let recloser = recloser(if never { 1.1 } else { rate as f32 });
    let (failsafe, both) = (failsafe(most), failsafe_both(rate, most));
    let in_a_row = resilience(|rules| rules.consecutive_failures(most as usize));
    let share = resilience(|rules| rules.failure_rate_threshold(rate));
    let candidates = [
        Shared::new("the rules of both kinds", &both_rules, answer),
        Shared::new("failures in a row", &row, answer),
        Shared::new("count window", &count, answer),
        Shared::new("time window, its clock stands", &still, answer),
        Shared::new("time window, with the clock", &timed, answer),
        Shared::new("recloser, `call`", &recloser, answer),
        Shared::new("failsafe, failures in a row", &failsafe, answer),
        Shared::new("failsafe, both policies, with the clock", &both, answer),
        Shared::new("tower-resilience, a share, with the clock", share, answer),
        Shared::new("tower-resilience, failures in a row, with the clock", in_a_row, answer),
        Shared::new("one atomic load and one atomic add", Atomics::default(), answer),
        Shared::new("the same, each thread its own: what the machine has", Alone(Atomics::default()), answer),
    ];
    compare(title, &candidates);
}

/// Calls of one thread, which gets ready, and then waits for the others; from when to when.
type Slice<'a> = Box<dyn Fn(&dyn Fn()) -> (u64, Instant, Instant) + Sync + 'a>;

/// One breaker that threads share.
struct Shared<'a> {
    name: &'static str,
    slice: Slice<'a>,
}

impl<'a> Shared<'a> {
    fn new<P: Peer + Sync + 'a>(
        name: &'static str,
        peer: P,
        answer: impl Fn(u64) -> Answer + Copy + Sync + 'a,
    ) -> Self {
        let slice = move |ready: &dyn Fn()| {
            let mut peer = peer.clone();
            ready();
            let (start, mut calls) = (Instant::now(), 0_u64);
            loop {
                for n in 0..CHUNK {
                    assert!(peer.admits(black_box(answer(n))), "{name}");
                }
                calls += CHUNK;
                let now = Instant::now();
                if now - start >= SLICE {
                    return (calls, start, now);
                }
            }
        };
        Self { name, slice: Box::new(slice) }
    }

    /// Calls a nanosecond of so many threads together; again, while a busy machine does not let them run together.
    fn throughput(&self, threads: usize) -> f64 {
        let mut measured = self.together(threads);
        for _ in 0..TRIES {
            if measured.1 <= SLICE.mul_f64(1.2) {
                break;
            }
            measured = self.together(threads);
        }
        measured.0 as f64 / measured.1.as_nanos() as f64
    }

    /// How many calls they made, from when the first began to when the last ended.
    fn together(&self, threads: usize) -> (u64, Duration) {
        let waited_for = AtomicUsize::new(threads);
        let ready = || {
            waited_for.fetch_sub(1, Ordering::AcqRel);
            // Waking one that sleeps takes too long.
            while waited_for.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| (self.slice)(&ready))).collect();
            let all = threads.into_iter().map(|thread| thread.join().unwrap());
            let (calls, start, end) = all.reduce(|a, b| (a.0 + b.0, a.1.min(b.1), a.2.max(b.2))).expect("a thread");
            (calls, end - start)
        })
    }
}

/// Not shared at all.
struct Alone(Atomics);

impl Clone for Alone {
    fn clone(&self) -> Self {
        Self(Atomics::default())
    }
}

impl Peer for Alone {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        self.0.admits(answer)
    }
}

/// Each round measures a candidate with one thread and with two, one just after the other; the figure is the median of
/// what it is in each round.
fn compare(title: &str, candidates: &[Shared<'_>]) {
    let mut alone = vec![Vec::new(); candidates.len()];
    let mut gained = vec![Vec::new(); candidates.len()];
    for round in 0..rounds() {
        for place in 0..candidates.len() {
            let index = (round + place) % candidates.len();
            let one = candidates[index].throughput(1);
            let two = candidates[index].throughput(THREADS);
            alone[index].push(1.0 / one);
            gained[index].push(two / one);
        }
    }
    println!("\n### {THREADS} threads on one closed breaker: {title}\n");
    println!("| | ns a call of one thread | throughput of {THREADS} threads, relative to one | quartiles |");
    println!("| --- | ---: | ---: | ---: |");
    for ((candidate, nanos), gained) in candidates.iter().zip(alone).zip(gained) {
        let [low, gained, high] = quartiles(gained);
        let [_, nanos, _] = quartiles(nanos);
        println!("| {} | {nanos:.1} | {gained:.2} | {low:.2} to {high:.2} |", candidate.name);
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
