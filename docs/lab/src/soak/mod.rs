//! The soak: the whole stack from many tasks and threads, under random faults, latencies, cancellations, panics in callbacks
//! and clock jumps; and an audit of what it leaves behind.
//!
//! It runs in rounds: load, a drain until nothing is in flight, an audit. The last thing is a calm, in which all services are
//! well: then every breaker must close and every budget fill. What is drawn follows from the seed, what the threads make of
//! it does not: two runs with one seed are alike and not the same.
//!
//! | file | |
//! | --- | --- |
//! | `faults`, `clock`, `service`, `weather` | what goes wrong |
//! | `world`, `budgets`, `stack`, `ways`, `threads` | what it is done to |
//! | `load` | who does it |
//! | `watch`, `ledger`, `panics` | what is heard, counted and seen on the way |
//! | `audit`, `calm` | what must hold |
//! | `sabotage` | what shows that the audit would see it |
//! | `report` | what it comes to |

mod audit;
mod budgets;
mod calm;
mod clock;
mod faults;
mod ledger;
mod load;
mod panics;
mod report;
mod sabotage;
mod service;
mod stack;
mod threads;
mod watch;
mod ways;
mod weather;
mod world;

use std::{
    error,
    sync::Arc,
    time::{Duration, Instant},
};

use stats_alloc::INSTRUMENTED_SYSTEM;

pub use report::{Report, Rule, Violation};
pub use sabotage::Sabotage;

use clock::{Leaps, Time};
use faults::Faults;
use load::Load;
use world::World;

/// What a soak is to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How long the load is, in all of its rounds; the drains and the calm come on top.
    pub length: Duration,
    /// Of all draws.
    pub seed: u64,
    /// Threads of the runtime, at least 1.
    pub threads: usize,
    /// How long a drain may take. Those who are not done by then are stuck: a request takes less than a second.
    pub patience: Duration,
    /// What to break on purpose.
    pub sabotage: Option<Sabotage>,
}

impl Plan {
    /// 30 s with four threads.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let (length, patience) = (Duration::from_secs(30), Duration::from_secs(30));
        Self { length, seed, threads: 4, patience, sabotage: None }
    }

    /// Runs it. It is a program's work: it starts a runtime and threads, and where `stats_alloc`'s is the global allocator it
    /// watches the heap of the whole process.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started. What does not hold is in the report.
    pub fn run(&self) -> Result<Report, Box<dyn error::Error>> {
        let thread_name = panics::watch();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.threads)
            .thread_name(&thread_name)
            .enable_time()
            .build()?;
        let faults = Arc::new(Faults::new(self.seed));
        let clock = Leaps::new(Arc::clone(&faults));
        let now = clock.reader();
        let world = Arc::new(World::new(faults, clock, now)?);
        let load = Arc::new(Load::new(Arc::clone(&world), ways::all(&world)?, thread_name));
        let report = runtime.block_on(self.soak(&load));
        // Those who are stuck are left behind.
        runtime.shutdown_background();
        Ok(report?)
    }

    async fn soak<K: Time>(&self, load: &Arc<Load<K>>) -> std::io::Result<Report> {
        let began = Instant::now();
        // Of two seconds each, and enough of them to tell a heap that grows from one that is warm.
        let rounds = (self.length.as_secs() / 2).max(6) as usize;
        let (mut heap, mut violations) = (Vec::with_capacity(rounds), Vec::new());
        for _ in 0..rounds {
            let more = self.sabotage.and_then(|sabotage| sabotage.before(load));
            let drained = load.round(self.length / rounds as u32, self.patience, more).await?;
            if let Some(sabotage) = self.sabotage {
                sabotage.after(&load.world);
            }
            violations.extend(audit::drained(load, began, self.patience).await);
            violations.extend(panics::take(&load.thread_name));
            if !drained || !violations.is_empty() {
                return Ok(Report::of(load, (self.seed, began.elapsed()), heap, violations));
            }
            heap.push(load.world.live_bytes_without_keys());
        }
        violations.extend(audit::heap(&heap));
        violations.extend(calm::recovers(load, self).await);
        violations.extend(audit::drained(load, began, self.patience).await);
        violations.extend(panics::take(&load.thread_name));
        Ok(Report::of(load, (self.seed, began.elapsed()), heap, violations))
    }
}

/// What the process has on its heap now, where `stats_alloc`'s is the global allocator; else 0.
fn live_bytes() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}
