//! Hedges that need not be sent, and some that are.

mod fired;
mod fired_layer;
mod future;
mod layer;
mod peers;
mod quantile;
mod threads;
mod turn;

use std::time::{Duration, Instant};

use evenkeel_hedging::Quantile;

use crate::measure::Bench;

/// None of the calls that are hedged after it takes so long.
const DELAY: Duration = Duration::from_secs(10);

pub(super) fn run(bench: &mut Bench) {
    let runtime = super::runtime::with_time();
    let _entered = runtime.enter();
    future::run(bench);
    layer::run(bench);
    fired::run(bench);
    fired_layer::run(bench);
    quantile::run(bench);
    threads::run(bench, &runtime);
}

/// An estimate in the middle of its life.
fn warm() -> Quantile {
    let quantile = Quantile::p95();
    fill(&quantile);
    quantile
}

/// The same without what reading the clock costs.
fn warm_whose_clock_stands() -> Quantile<impl Fn() -> Instant + Clone + Send + Sync + 'static> {
    let now = Instant::now();
    let quantile = Quantile::builder(0.95).clock(move || now).build().expect("0.95 is a share");
    fill(&quantile);
    quantile
}

fn fill<C: Fn() -> Instant>(quantile: &Quantile<C>) {
    for micros in 0..20_000 {
        quantile.record(Duration::from_micros(5_000 + micros % 1_000));
    }
    assert!(quantile.threshold().is_some(), "it is warm");
}

/// Whoever fails has not done it.
#[inline(always)]
fn done<T, E>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|_| panic!("one of the attempts succeeds"))
}
