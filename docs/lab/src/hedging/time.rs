//! Whose time passes: the queue's, or that of tokio's paused clock for those who know no other.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::{runtime, task::LocalSet, time};

/// What the libraries take for a clock.
pub(super) type Clock = Box<dyn Fn() -> Instant>;

/// Time in which requests are made; clones are the same.
pub(super) trait Time: Clone + 'static {
    type Sleep: Future<Output = ()>;

    /// Since the start.
    fn now(&self) -> Duration;

    fn clock(&self) -> Clock;

    fn sleep(&self, delay: Duration) -> Self::Sleep;
}

/// Tokio's paused clock, on which a millisecond of the experiment is a tenth of a second: its timers go by milliseconds, and so does
/// the estimate of `tower::hedge`, which so is finer here than it is in life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paused {
    start: time::Instant,
}

impl Paused {
    /// Lets a request begin at each of the `arrivals`, and goes on until all have ended.
    pub(super) fn run<F, B>(arrivals: impl Iterator<Item = Duration>, prepare: impl FnOnce(Self) -> B)
    where
        F: Future<Output = ()> + 'static,
        B: FnMut(u64) -> F,
    {
        let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        // It has no driver but its timers, for which it asks the system for nothing.
        let runtime = runtime.expect("a runtime of timers only");
        let requests = LocalSet::new();
        runtime.block_on(requests.run_until(async {
            let start = time::Instant::now();
            let mut begin = prepare(Self { start });
            for (request, arrival) in (0..).zip(arrivals) {
                time::sleep_until(start + arrival * SCALE).await;
                tokio::task::spawn_local(begin(request));
            }
        }));
        runtime.block_on(requests);
    }
}

impl Time for Paused {
    type Sleep = time::Sleep;

    fn now(&self) -> Duration {
        self.start.elapsed() / SCALE
    }

    fn clock(&self) -> Clock {
        let time = *self;
        let start = time.start.into_std();
        Box::new(move || start + time.now())
    }

    fn sleep(&self, delay: Duration) -> time::Sleep {
        time::sleep(delay * SCALE)
    }
}

/// How much slower tokio's time is.
pub(super) const SCALE: u32 = 100;

/// Held to 584 years.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
