//! For all interleavings: nothing is admitted twice, counted twice or lost, and no state is left that is none.
//!
//! Under `--cfg loom` every interleaving is tried, elsewhere a thousand of them are sampled.

#[path = "models/counts.rs"]
mod counts;
#[path = "models/map.rs"]
mod map;
#[path = "models/periods.rs"]
mod periods;
#[path = "models/probes.rs"]
mod probes;
#[path = "models/time.rs"]
mod time;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder};
#[cfg(loom)]
use loom::thread;
#[cfg(not(loom))]
use std::thread;

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
    (0..1_000).for_each(|_| counted());
    let theorem = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{theorem}: explored {} interleavings", explored.load(Ordering::Relaxed));
}

type Clock = Box<dyn Fn() -> Instant + Send + Sync>;
type Tested = Breaker<Clock>;

/// A breaker whose clock stands still, and the moment at which it does.
fn breaker(set: impl FnOnce(BreakerBuilder) -> BreakerBuilder) -> (Tested, Instant) {
    // For an `Instant` to count from; nothing reads it later.
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let clock: Clock = Box::new(move || start);
    (set(Breaker::builder().open_for([SECOND])).clock(clock).build().unwrap(), start)
}

const SECOND: Duration = Duration::from_secs(1);

fn in_thread<T: Send + 'static>(
    breaker: &Tested,
    call: impl FnOnce(&Tested) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let breaker = breaker.clone();
    thread::spawn(move || call(&breaker))
}
