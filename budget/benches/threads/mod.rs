//! Two threads on one budget, beside two threads on tower's.

use std::{
    env,
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use evenkeel_budget::{InFlightBudget, RatioBudget, TokenBudget};
use tower::retry::budget::{Budget as _, TpsBudget};

use super::{ONE, retry, succeed};

const THREADS: usize = 2;
/// For each thread in each round; so long that starting the threads is lost in it.
const OPS: u32 = 20_000;
const ROUNDS: usize = 60;

/// What each thread does again and again.
type Op<'a> = Box<dyn Fn() + Sync + 'a>;

/// Ratios are medians of those of each round.
pub(super) fn compare_threads() {
    let tower = TpsBudget::new(Duration::from_secs(10), 10, 1.0);
    let ratio = RatioBudget::builder().ratio(1.0).build().unwrap();
    let tokens = TokenBudget::new(1 << 30, ONE);
    let full = TokenBudget::default();
    let in_flight = InFlightBudget::default();
    let candidates: Vec<(&str, Op<'_>)> = vec![
        (
            "tower `TpsBudget`: a deposit and a withdrawal",
            Box::new(|| {
                tower.deposit();
                black_box(tower.withdraw());
            }),
        ),
        (
            "`RatioBudget`: a request that retries",
            Box::new(|| {
                black_box(retry(&&ratio));
            }),
        ),
        (
            "`RatioBudget`: `deposit` and `try_withdraw`",
            Box::new(|| {
                ratio.deposit();
                let _ = black_box(ratio.try_withdraw());
            }),
        ),
        (
            "`TokenBudget`: a request that succeeds, one that retries",
            Box::new(|| {
                succeed(&&tokens);
                black_box(retry(&&tokens));
            }),
        ),
        ("`TokenBudget`: a success into a full bucket", Box::new(|| succeed(&&full))),
        (
            "`InFlightBudget`: a request that retries",
            Box::new(|| {
                black_box(retry(&&in_flight));
            }),
        ),
    ];
    let mut nanos = vec![Vec::new(); candidates.len()];
    for round in 0..rounds() {
        for place in 0..candidates.len() {
            let index = (round + place) % candidates.len();
            nanos[index].push(time(&*candidates[index].1));
        }
    }
    println!("\n### {THREADS} threads on one budget\n");
    println!("| | ns an operation of each thread | ratio |");
    println!("| --- | ---: | ---: |");
    for ((name, _), of) in candidates.iter().zip(&nanos) {
        let ratios = of.iter().zip(&nanos[0]).map(|(ours, towers)| ours / towers).collect();
        println!("| {name} | {:.1} | {:.2} |", median(of.clone()), median(ratios));
    }
}

/// Nanoseconds for each operation of the slower thread.
fn time(op: &(dyn Fn() + Sync)) -> f64 {
    let start = Barrier::new(THREADS);
    let run = || {
        start.wait();
        let start = Instant::now();
        for _ in 0..OPS {
            op();
        }
        start.elapsed()
    };
    let slowest = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max()
    });
    slowest.unwrap_or_default().as_secs_f64() * 1e9 / f64::from(OPS)
}

/// `cargo test --benches` only looks whether it runs.
fn rounds() -> usize {
    if env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}
