//! What a retry costs, beside a bare loop and beside the peers.
//!
//! `cargo bench -p evenkeel-backoff --features tower` prints the tables. Everything runs in one process, in turn; the
//! allocations are counted, which makes each of them some nanoseconds dearer for all.
#![allow(clippy::disallowed_methods)] // A bench measures time.

use std::{
    cell::Cell,
    future::{Ready, ready},
    hint::black_box,
    time::Duration,
};

use backon::{BackoffBuilder, Retryable};
use evenkeel_backoff::{
    AnySchedule, Constant, Costs, Decorrelated, Exponential, Fibonacci, Jitter, Linear, Ratio, Retry, TokenBudget,
};
use tokio_retry2::{
    RetryError,
    strategy::{ExponentialBackoff, FixedInterval, jitter},
};

mod harness;
#[cfg(feature = "tower")]
mod layers;

use harness::{Candidate, compare, drive};

const FIRST: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(5);
const SCHEDULE: Exponential = Exponential::new(FIRST).cap(CAP);

fn main() {
    ten_delays();
    other_schedules();
    a_success_at_once();
    three_failures_without_a_runtime();
    three_failures_in_tokio();
    #[cfg(feature = "tower")]
    layers::compare_layers();
}

fn ten_delays() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let backon = backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP).with_max_times(10);
    compare(
        "Ten delays: exponential with jitter",
        vec![
            Candidate::new("`Exponential`", || total(SCHEDULE.take(10))),
            Candidate::new("`Exponential`, seeded", || total(SCHEDULE.seed(black_box(1)).take(10))),
            Candidate::new("a hand-written loop", || {
                let (mut total, mut delay) = (Duration::ZERO, FIRST.as_nanos() as u64);
                for _ in 0..10 {
                    // Xorshift, the least that a jitter can be drawn from.
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    total += black_box(Duration::from_nanos(((u128::from(random) * u128::from(delay)) >> 64) as u64));
                    delay = delay.saturating_mul(2).min(CAP.as_nanos() as u64);
                }
                total
            }),
            Candidate::new("backon", move || total(black_box(backon).with_jitter().build())),
            Candidate::new("tokio-retry2", || {
                // Its base is its factor: 2ⁿ of these.
                total(ExponentialBackoff::from_millis(2).factor(25).max_delay(CAP).map(jitter).take(10))
            }),
        ],
    );
}

fn other_schedules() {
    let any: AnySchedule = SCHEDULE.into();
    compare(
        "Ten delays of the others",
        vec![
            Candidate::new("`Exponential`, full jitter", || total(SCHEDULE.take(10))),
            Candidate::new("equal jitter", || total(SCHEDULE.jitter(Jitter::Equal).take(10))),
            Candidate::new("around", || total(SCHEDULE.jitter(Jitter::Around(Ratio::HALF)).take(10))),
            Candidate::new("no jitter", || total(SCHEDULE.jitter(Jitter::None).take(10))),
            Candidate::new("within a total", || total(SCHEDULE.within(Duration::from_secs(3600)).take(10))),
            Candidate::new("`Constant`", || total(Constant::new(FIRST).take(10))),
            Candidate::new("`Linear`", || total(Linear::new(FIRST, FIRST).cap(CAP).take(10))),
            Candidate::new("`Fibonacci`", || total(Fibonacci::new(FIRST).cap(CAP).take(10))),
            Candidate::new("`Decorrelated`", || total(Decorrelated::new(FIRST).cap(CAP).take(10))),
            Candidate::new("`AnySchedule`", || total(black_box(any).into_iter().take(10))),
        ],
    );
}

/// Looks at each delay.
fn total(delays: impl IntoIterator<Item = Duration>) -> Duration {
    delays.into_iter().map(black_box).sum()
}

fn a_success_at_once() {
    let retry = Retry::new(SCHEDULE.take(3), tokio::time::sleep);
    let blocking = Retry::new(SCHEDULE.take(3), std::thread::sleep);
    let budgeted = retry.budget(TokenBudget::default());
    let deadline = retry.deadline(CAP);
    let timeout = retry.attempt_timeout(CAP, || 0);
    compare(
        "A success at the first attempt",
        vec![
            Candidate::new("`Retry::run`", || drive(retry.run(|_| well::<u64>()))),
            Candidate::new("with a budget", || drive(budgeted.run(|_| well::<u64>()))),
            Candidate::new("with an attempt timeout", || drive(timeout.run(|_| well::<u64>()))),
            Candidate::new("with a deadline, and so a clock", || drive(deadline.run(|_| well::<u64>()))),
            Candidate::new("`Retry::run_blocking`", || blocking.run_blocking(|_| black_box(Ok::<u64, u64>(1)))),
            Candidate::new("a bare await", || drive(well::<u64>())),
            Candidate::new("backon", || {
                let schedule =
                    backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP).with_jitter();
                drive(well::<u64>.retry(schedule).sleep(tokio::time::sleep))
            }),
            Candidate::new("tokio-retry2", || {
                let schedule = ExponentialBackoff::from_millis(2).factor(25).max_delay(CAP).map(jitter).take(3);
                drive(tokio_retry2::Retry::spawn(schedule, well::<RetryError<u64>>))
            }),
        ],
    );
}

/// The sleepers do not sleep: what is left is the machinery.
fn three_failures_without_a_runtime() {
    let unwell = Unwell::default();
    let yielding = Retry::new([Duration::ZERO; 3], |_| ready(()));
    let sleeping = Retry::new([Duration::from_nanos(1); 3], |_| ready(()));
    let drawing = Retry::new(SCHEDULE.take(3), |_| ready(()));
    // A success returns what the last of the three cost, so two are spent each time.
    let rich = TokenBudget::new(u32::MAX, Costs { transient: 1, ..Costs::REVISION_2026 });
    let budgeted = drawing.budget(rich);
    let nothing = backon::ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(3);
    let drawn = backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP).with_jitter();
    compare(
        "Three failures and a success, polled by hand, no sleep",
        vec![
            Candidate::new("`Retry::run`, zero delays: three yields", || drive(yielding.run(|_| unwell.answer()))),
            Candidate::new("delays from an array", || drive(sleeping.run(|_| unwell.answer()))),
            Candidate::new("delays drawn", || drive(drawing.run(|_| unwell.answer()))),
            Candidate::new("delays drawn, with a budget", || drive(budgeted.run(|_| unwell.answer()))),
            Candidate::new("a hand-written loop", || {
                drive(async {
                    for _ in 0..3 {
                        if let Ok(answer) = unwell.answer().await {
                            return Ok(answer);
                        }
                    }
                    unwell.answer().await
                })
            }),
            Candidate::new("backon, zero delays", || drive((|| unwell.answer()).retry(nothing).sleep(|_| ready(())))),
            Candidate::new("backon, delays drawn", || drive((|| unwell.answer()).retry(drawn).sleep(|_| ready(())))),
        ],
    );
}

/// With the runtime's own sleep, which is what everyone has.
fn three_failures_in_tokio() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let unwell = Unwell::default();
    let retry = Retry::new([Duration::ZERO; 3], tokio::time::sleep);
    let nothing = backon::ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(3);
    compare(
        "Three failures and a success in tokio, delays of zero",
        vec![
            Candidate::batched("`Retry::run`", |times| {
                runtime.block_on(async {
                    for _ in 0..times {
                        let _ = black_box(retry.run(|_| unwell.answer()).await);
                    }
                });
            }),
            Candidate::batched("backon", |times| {
                runtime.block_on(async {
                    for _ in 0..times {
                        let _ = black_box((|| unwell.answer()).retry(nothing).sleep(tokio::time::sleep).await);
                    }
                });
            }),
            Candidate::batched("tokio-retry2", |times| {
                runtime.block_on(async {
                    for _ in 0..times {
                        let schedule = FixedInterval::new(Duration::ZERO).take(3);
                        let action = || ready(unwell.next().map_err(RetryError::transient));
                        let _ = black_box(tokio_retry2::Retry::spawn(schedule, action).await);
                    }
                });
            }),
        ],
    );
}

/// The answer of a service that is well.
fn well<E>() -> Ready<Result<u64, E>> {
    ready(black_box(Ok(1)))
}

/// A service that fails three times out of four.
#[derive(Default)]
struct Unwell {
    calls: Cell<u64>,
}

impl Unwell {
    fn next(&self) -> Result<u64, u64> {
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        black_box(if calls % 4 == 0 { Ok(calls) } else { Err(calls) })
    }

    fn answer(&self) -> Ready<Result<u64, u64>> {
        ready(self.next())
    }
}
