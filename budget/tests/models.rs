//! For all interleavings: no thread is granted what another holds, and nothing is lost or made.
//!
//! Under `--cfg loom` every interleaving is tried, elsewhere a thousand of them are sampled.

#[path = "models/in_flight.rs"]
mod in_flight;
#[path = "models/map.rs"]
mod map;
#[path = "models/pair.rs"]
mod pair;
#[path = "models/ratio.rs"]
mod ratio;
#[cfg(feature = "throttle")]
#[path = "models/throttle.rs"]
mod throttle;
#[path = "models/tokens.rs"]
mod tokens;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

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
