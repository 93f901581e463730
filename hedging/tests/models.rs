//! For all interleavings: the estimate loses nothing and forgets in time, and requests that share a budget are granted
//! no more than it has, and give back what they leave.
//!
//! Under `--cfg loom` every interleaving is tried, elsewhere some hundreds of them are sampled.

#[path = "models/budget.rs"]
mod budget;
#[path = "models/counts.rs"]
mod counts;
#[path = "models/requests.rs"]
mod requests;
#[cfg(feature = "tower")]
#[path = "models/services.rs"]
mod services;
#[path = "models/turns.rs"]
mod turns;

use std::{
    num::NonZeroU32,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_hedging::Quantile;
#[cfg(loom)]
use loom::{sync::atomic::AtomicBool, thread};
#[cfg(not(loom))]
use std::{sync::atomic::AtomicBool, thread};

/// Runs `f` in every interleaving, and says how many there were.
fn model(f: impl Fn() + Send + Sync + 'static) {
    // Not loom's atomics: this count outlives each run.
    let explored = Arc::new(AtomicUsize::new(0));
    let counted = {
        let explored = Arc::clone(&explored);
        move || {
            explored.fetch_add(1, Ordering::Relaxed);
            f();
        }
    };
    #[cfg(loom)]
    loom::model(counted);
    #[cfg(not(loom))]
    (0..300).for_each(|_| counted());
    let theorem = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{theorem}: explored {} interleavings", explored.load(Ordering::Relaxed));
}

type Clock = fn() -> Instant;

/// An estimate of the median, in a window of two seconds.
fn median(warm_up: u32) -> Quantile<Clock> {
    let builder = Quantile::builder(0.5).window(Duration::from_secs(2)).warm_up(NonZeroU32::new(warm_up).unwrap());
    builder.clock(start as Clock).build().unwrap()
}

/// The beginning of this half of a window.
fn half(number: u64) -> Instant {
    start() + Duration::from_secs(number)
}

/// Where all the clocks begin, and stand.
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *START.get_or_init(Instant::now)
}

/// Of the two buckets that an estimate has in a model, each its latency.
const FAST: Duration = Duration::from_nanos(1_000);
const SLOW: Duration = Duration::from_nanos(1_035);

/// In which of them it is, to its end.
fn is_fast(latency: Duration) -> bool {
    latency < Duration::from_nanos(1_020)
}

fn in_thread<T: Send + 'static>(
    estimate: &Quantile<Clock>,
    f: impl FnOnce(&Quantile<Clock>) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let estimate = estimate.clone();
    thread::spawn(move || f(&estimate))
}
