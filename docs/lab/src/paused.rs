//! Tokio's paused clock, for those who wait: hours pass in seconds, in the same way on every machine.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::{runtime, task::LocalSet, time};

/// Time since an experiment began; copies are the same.
///
/// Tokio's timers go by milliseconds. With a `scale` of 100 a millisecond of the experiment is a tenth of a second of tokio's, so
/// that timers are exact to 10 µs.
#[derive(Clone, Copy, Debug)]
pub struct Paused {
    start: time::Instant,
    scale: u32,
}

impl Paused {
    /// Carries out what `experiment` returns, and then all that it has spawned with `tokio::task::spawn_local`.
    ///
    /// Tasks run on this thread, one at a time, in an order that is the same every time; time moves on when all of them
    /// wait.
    ///
    /// ```
    /// use evenkeel_lab::paused::Paused;
    /// use std::time::Duration;
    ///
    /// let hour = Duration::from_secs(3600);
    /// let now = Paused::run(1, async |time: Paused| {
    ///     time.sleep(hour).await;
    ///     time.now()
    /// });
    /// assert_eq!(now, hour);
    /// ```
    ///
    /// # Panics
    ///
    /// When the scale is zero.
    pub fn run<T>(scale: u32, experiment: impl AsyncFnOnce(Self) -> T) -> T {
        assert!(scale > 0, "time must pass");
        let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        // It has no driver but its timers, for which it asks the system for nothing.
        let runtime = runtime.expect("a runtime of timers only");
        let tasks = LocalSet::new();
        let result =
            runtime.block_on(tasks.run_until(async { experiment(Self { start: time::Instant::now(), scale }).await }));
        runtime.block_on(tasks);
        result
    }

    /// Since the start.
    #[must_use]
    pub fn now(self) -> Duration {
        self.start.elapsed() / self.scale
    }

    /// What the libraries take for a clock.
    pub fn clock(self) -> impl Fn() -> Instant + Copy + Send + Sync {
        let start = self.start.into_std();
        move || start + self.now()
    }

    /// Waits.
    pub fn sleep(self, delay: Duration) -> time::Sleep {
        time::sleep(delay.saturating_mul(self.scale))
    }

    /// Waits until a time since the start.
    pub fn sleep_until(self, at: Duration) -> impl Future<Output = ()> {
        time::sleep_until(self.start + at.saturating_mul(self.scale))
    }

    /// What the libraries take for a sleeper.
    pub fn sleeper(self) -> impl Fn(Duration) -> time::Sleep + Copy + Send + Sync {
        move |delay| self.sleep(delay)
    }
}
