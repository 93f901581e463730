//! The row, the messages to it, and the clients that want to write it.

use std::{
    cell::{Cell, RefCell},
    num::NonZeroU32,
    rc::Rc,
    time::Duration,
};

use evenkeel_backoff::{Constant, Decorrelated, Exponential, Jitter, Retry};
use tokio::task;

use super::{BASE, CAP, Strategy, cut::Cut};
use crate::{drawn::Drawn, paused::Paused, rng::Rng};

/// What became of one contention.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// When the last client had the answer that it has written.
    pub(super) completion: Duration,
    /// How many writes were tried.
    pub(super) calls: u64,
}

/// Lets so many clients contend until all have written. The luck of the messages is the same for every strategy.
pub(super) fn run(keys: [u64; 2], strategy: Strategy, clients: u32) -> Run {
    let [seed, run] = keys;
    let draws = Rng::keyed(&[seed, run, WAITS]).next_u64();
    // AWS's program counts the failure first: see the module above.
    let [exponential, from_base] = [2 * BASE, BASE].map(|first| Exponential::new(first).cap(CAP));
    let jittered = |schedule: Exponential, jitter| Drawn::new(draws, move |seed| schedule.jitter(jitter).seed(seed));
    match strategy {
        Strategy::None => contend(keys, clients, Constant::new(Duration::ZERO)),
        Strategy::Exponential => contend(keys, clients, exponential.jitter(Jitter::None)),
        Strategy::ExponentialFromBase => contend(keys, clients, from_base.jitter(Jitter::None)),
        Strategy::Equal => contend(keys, clients, jittered(exponential, Jitter::Equal)),
        Strategy::EqualFromBase => contend(keys, clients, jittered(from_base, Jitter::Equal)),
        Strategy::Full => contend(keys, clients, jittered(exponential, Jitter::Full)),
        Strategy::FullFromBase => contend(keys, clients, jittered(from_base, Jitter::Full)),
        Strategy::Decorrelated => contend(keys, clients, Drawn::new(draws, Cut::new)),
        Strategy::DecorrelatedUnderCap => {
            contend(keys, clients, Drawn::new(draws, |seed| Decorrelated::new(BASE).cap(CAP).seed(seed)))
        }
    }
}

fn contend<S>(keys: [u64; 2], clients: u32, schedule: S) -> Run
where
    S: IntoIterator<Item = Duration> + Clone + 'static,
{
    Paused::run(SCALE, async |time| {
        let row = Rc::new(Row::default());
        let retry = Rc::new(Retry::new(schedule, time.sleeper()).max_attempts(NonZeroU32::MAX));
        let client = |client: u32| {
            let (row, retry) = (Rc::clone(&row), Rc::clone(&retry));
            let network = Network::of(keys, client);
            task::spawn_local(async move { retry.run(|_| one_try(time, &network, &row)).await })
        };
        let all: Vec<_> = (0..clients).map(client).collect();
        for client in all {
            // Nobody aborts it, and it has more attempts than any contention lasts.
            client.await.expect("a client panicked").expect("it tries until it has written");
        }
        Run { completion: time.now(), calls: row.writes.get() }
    })
}

/// Reads the version, and writes with it.
async fn one_try(time: Paused, network: &Network, row: &Row) -> Result<(), Moved> {
    time.sleep(network.message()).await;
    let version = row.version.get();
    // The reply, and at once the request to write.
    time.sleep(network.message() + network.message()).await;
    let written = row.write(version);
    time.sleep(network.message()).await;
    written
}

/// What the server keeps.
#[derive(Debug, Default)]
struct Row {
    version: Cell<u64>,
    writes: Cell<u64>,
}

/// Somebody else has written in between.
#[derive(Debug)]
struct Moved;

impl Row {
    fn write(&self, version: u64) -> Result<(), Moved> {
        self.writes.set(self.writes.get() + 1);
        if self.version.get() != version {
            return Err(Moved);
        }
        self.version.set(version + 1);
        Ok(())
    }
}

/// Between one client and the server.
#[derive(Debug)]
struct Network(RefCell<Rng>);

impl Network {
    fn of([seed, run]: [u64; 2], client: u32) -> Self {
        Self(RefCell::new(Rng::keyed(&[seed, run, client.into(), MESSAGES])))
    }

    /// How long the next message takes: |N(10, 2)| ms.
    fn message(&self) -> Duration {
        let ms = 10.0 + 2.0 * self.0.borrow_mut().normal();
        Duration::from_secs_f64(ms.abs() / 1_000.0)
    }
}

/// Timers are exact to 10 µs, a thousandth of what a message takes.
const SCALE: u32 = 100;

/// Set these draws apart from all others.
const WAITS: u64 = u64::from_be_bytes(*b"waits   ");
const MESSAGES: u64 = u64::from_be_bytes(*b"messages");
