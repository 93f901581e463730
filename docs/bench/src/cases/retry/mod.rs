//! A retry around an operation that succeeds at once, or that fails three times.

mod at_once;
mod blocking;
mod failures;
mod in_tokio;
mod layer;
mod peers;
mod threads;

use std::{
    future::{Ready, ready},
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use evenkeel_backoff::{Costs, TokenBudget};

use crate::measure::Bench;

pub(super) fn run(bench: &mut Bench) {
    at_once::run(bench);
    failures::run(bench);
    in_tokio::run(bench);
    blocking::run(bench);
    layer::run(bench);
}

/// The answer of a service that is well.
fn well<E>() -> Ready<Result<u64, E>> {
    ready(black_box(Ok(1)))
}

/// A service that fails three times out of four. The peers want one that can be sent and lives for ever, so the count of its calls
/// does; it is one thread's, and counting costs what a load and a store cost.
#[derive(Clone, Copy)]
struct Unwell(&'static AtomicU64);

impl Unwell {
    fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    fn next(self) -> Result<u64, u64> {
        let calls = self.0.load(Ordering::Relaxed) + 1;
        self.0.store(calls, Ordering::Relaxed);
        black_box(if calls % 4 == 0 { Ok(calls) } else { Err(calls) })
    }

    fn answer(self) -> Ready<Result<u64, u64>> {
        ready(self.next())
    }
}

/// Whoever gives up sooner has not done it.
#[inline(always)]
fn done<T, E>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|_| panic!("the last attempt succeeds"))
}

/// Rich enough for every failure here: what is compared is the work, not the generosity. A success returns what the last of the
/// three retries cost, so two are spent each time.
fn rich() -> TokenBudget {
    TokenBudget::new(u32::MAX, Costs { transient: 1, ..Costs::REVISION_2026 })
}
