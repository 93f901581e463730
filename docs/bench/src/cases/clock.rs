//! What reading the clock costs, which is in the figures of all that reads it; and cheaper clocks.

use std::{
    cell::Cell,
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use evenkeel_breaker::Breaker;
use evenkeel_budget::{AdaptiveThrottle, Priority, RatioBudget};
use evenkeel_hedging::{Delays, End, Quantile};

use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    readings(bench);
    readers(bench);
}

fn readings(bench: &mut Bench) {
    let (start, ticks) = (Instant::now(), AtomicU64::new(1));
    let mut candidates = vec![
        Candidate::new("`Instant::now`", Instant::now),
        Candidate::new("`tokio::time::Instant::now`", || tokio::time::Instant::now().into_std()),
        Candidate::new("a count of milliseconds that a thread keeps", || {
            start + Duration::from_millis(black_box(&ticks).load(Ordering::Relaxed))
        }),
        Candidate::new("a clock that stands", || start),
    ];
    #[cfg(target_os = "linux")]
    {
        let clock = coarse::Clock::new();
        candidates.push(Candidate::new("a coarse clock", move || clock.now()));
    }
    bench.compare("clock", "a reading", candidates);
}

/// The same operation by each of the clocks.
macro_rules! by_clocks {
    ($bench:expr, $case:expr, $make:expr) => {{
        let mut candidates = vec![
            Candidate::new("`Instant::now`", $make(Instant::now)),
            Candidate::new("a clock that costs nothing", $make(for_nothing())),
        ];
        #[cfg(target_os = "linux")]
        {
            let clock = coarse::Clock::new();
            candidates.push(Candidate::new("a coarse clock", $make(move || clock.now())));
        }
        $bench.compare("clock", $case, candidates);
    }};
}

fn readers(bench: &mut Bench) {
    fn breaker<C: Fn() -> Instant>(clock: C) -> impl FnMut() {
        let builder = Breaker::builder().failure_rate(0.5).time_window(Duration::from_secs(10));
        let breaker = builder.clock(clock).build().expect("a share and a span that are legal");
        move || breaker.try_acquire().expect("closed").success()
    }
    fn budget<C: Fn() -> Instant>(clock: C) -> impl FnMut() {
        let budget = RatioBudget::builder().ratio(1.0).clock(clock).build().expect("a ratio that is one");
        move || {
            budget.deposit();
            assert!(budget.try_withdraw().is_ok());
        }
    }
    fn throttle<C: Fn() -> Instant>(clock: C) -> impl FnMut() {
        let throttle = AdaptiveThrottle::builder().clock(clock).build().expect("the defaults");
        move || {
            let admission = throttle.try_acquire(Priority::Normal).expect("all is well");
            admission.record(evenkeel_budget::Outcome::Success);
        }
    }
    fn quantile<C: Fn() -> Instant>(clock: C) -> impl FnMut() {
        let estimate = Quantile::builder(0.95).clock(clock).build().expect("a share that is one");
        move || {
            let started = estimate.start();
            estimate.end(started, End::Succeeded);
        }
    }
    by_clocks!(bench, "a breaker with a time window: a call", breaker);
    by_clocks!(bench, "a `RatioBudget`: a deposit and a withdrawal, two readings", budget);
    by_clocks!(bench, "an `AdaptiveThrottle`: a request", throttle);
    by_clocks!(bench, "a `Quantile`: a latency, two readings", quantile);
}

/// It moves by a microsecond whenever it is read.
fn for_nothing() -> impl Fn() -> Instant {
    let now = Cell::new(Instant::now());
    move || {
        now.set(now.get() + Duration::from_micros(1));
        now.get()
    }
}

/// As `docs/examples/coarse_clock.rs` has it.
#[cfg(target_os = "linux")]
#[path = "../../../examples/coarse_clock/clock.rs"]
mod coarse;
