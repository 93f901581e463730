//! The model of the service: so many slots, a bounded queue, and the fate of each attempt.
//!
//! It knows nothing of HTTP, so that it runs behind a real server, or without one under tokio's paused clock.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use metrics::{Counter, Unit, counter, describe_counter};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{incident::Incident, provider::Provider};
use crate::rng::Rng;

/// What an attempt is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// When to come back, in the demo's time.
    pub retry_after: Option<Duration>,
}

/// A model API with a finite capacity, in the weather of its [`Provider`] in an [`Incident`].
///
/// - `slots` attempts are worked on at once; `queue` more wait in line; the rest is answered 503 at once.
/// - The longer the line, the slower the work (up to twice the time), as with a batch that fills: overload first makes
///   it slower and then makes it fail.
/// - **Work goes on when the caller has given up**, and keeps its place until it is done, as in real model servers.
/// - An attempt that hangs is lost before it has a slot, and holds none: its connection stays open and silent until the
///   caller closes it, or for [`HANG`], which is longer than anybody waits.
/// - A caller that was told to come back later, and comes back earlier, is told again.
/// - The luck of an attempt depends on the seed, the request, the provider and the attempt's number there, and on nothing
///   else: a request's first attempt has the same luck under every strategy. What comes of it depends on the crowd, too.
#[derive(Debug)]
pub struct Service {
    provider: Provider,
    seed: u64,
    incident: Incident,
    start: Instant,
    /// Before the outage and after it: what was in line when the service went down is lost.
    lives: [Gate; 2],
    barred: Mutex<HashMap<u64, Instant>>,
    received: Mutex<Vec<Duration>>,
    /// As `received`, for a recorder.
    counted: Counter,
}

#[derive(Debug)]
struct Gate {
    slots: Semaphore,
    waiting: AtomicUsize,
    queue: usize,
}

impl Service {
    /// That provider's service, with room for `rps` requests a second in the surge and about a quarter more, whose incident
    /// begins at `start`.
    #[must_use]
    pub fn new(provider: Provider, seed: u64, incident: Incident, rps: f64, start: Instant) -> Self {
        describe_counter!(RECEIVED, Unit::Count, "Attempts that reached the provider's server");
        let slots = slots(rps);
        let gate =
            || Gate { slots: Semaphore::new(slots), waiting: AtomicUsize::new(0), queue: slots * QUEUE_PER_SLOT };
        Self {
            provider,
            seed,
            incident,
            start,
            lives: [gate(), gate()],
            barred: Mutex::default(),
            received: Mutex::default(),
            counted: counter!(RECEIVED, "provider" => provider.name()),
        }
    }

    /// When it does not listen, since the start, if that ever is so.
    #[must_use]
    pub fn refuses(&self) -> Option<Range<Duration>> {
        self.provider.refuses(&self.incident)
    }

    /// When the incident began.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// When each attempt that reached it did so, since the start. Refused ones do not.
    #[must_use]
    pub fn received(&self) -> Vec<Duration> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers an attempt, when it has been worked on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the waiting and not the work.
    pub async fn answer(self: &Arc<Self>, request: u64, attempt: u32) -> Reply {
        let service = Arc::clone(self);
        let work = tokio::spawn(async move { service.work(request, attempt).await });
        // The task neither panics nor is aborted, other than by the end of the runtime.
        work.await.unwrap_or(Reply::status(500))
    }

    async fn work(&self, request: u64, attempt: u32) -> Reply {
        let arrived = Instant::now();
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(arrived - self.start);
        self.counted.increment(1);
        let Some(weather) = self.provider.weather(&self.incident, arrived - self.start) else {
            return Reply::status(503);
        };
        let mut draw = self.luck(request, attempt);
        if let Some(reply) = self.refuse(request, arrived, draw.chance(weather.throttled), &mut draw) {
            return reply;
        }
        let (fails, kind, luck) = (draw.unit() < weather.errors, draw.unit(), draw.normal());
        if draw.chance(weather.hangs) {
            tokio::time::sleep(HANG).await;
            return Reply::status(504);
        }

        let Some((_slot, crowding)) = self.life(arrived).enter().await else {
            return Reply::status(503);
        };
        let time = weather.median.mul_f64((SPREAD * luck).exp()).min(SLOWEST);
        let (status, time) = if fails { error(kind, time) } else { (200, time) };
        tokio::time::sleep(time.mul_f64(1.0 + crowding)).await;
        Reply::status(status)
    }

    fn luck(&self, request: u64, attempt: u32) -> Rng {
        match self.provider {
            Provider::Primary => Rng::keyed(&[self.seed, request, u64::from(attempt)]),
            Provider::Secondary => Rng::keyed(&[self.seed, request, u64::from(attempt), SECONDARY]),
        }
    }

    /// The 429 at the door, for one who is out of luck or comes back before the time that it was told.
    fn refuse(&self, request: u64, now: Instant, unlucky: bool, draw: &mut Rng) -> Option<Reply> {
        let wait = RETRY_AFTER_MIN + (RETRY_AFTER_MAX - RETRY_AFTER_MIN).mul_f64(draw.unit());
        let mut barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        let until = match barred.get(&request) {
            Some(until) if now < *until => *until,
            _ if unlucky => now + wait,
            _ => return None,
        };
        barred.insert(request, until);
        Some(Reply { status: 429, retry_after: Some(until - now) })
    }

    fn life(&self, now: Instant) -> &Gate {
        let is_back = self.refuses().is_some_and(|down| now - self.start >= down.start);
        &self.lives[usize::from(is_back)]
    }
}

impl Gate {
    /// Takes a slot, when one is free, and says how full the line was then (0 to 1); none when there is no room to
    /// wait.
    async fn enter(&self) -> Option<(SemaphorePermit<'_>, f64)> {
        if let Ok(slot) = self.slots.try_acquire() {
            return Some((slot, 0.0));
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let slot = self.slots.acquire().await;
        let waiting = self.waiting.fetch_sub(1, Ordering::Relaxed);
        // The semaphore is never closed.
        Some((slot.ok()?, waiting as f64 / self.queue as f64))
    }
}

impl Reply {
    const fn status(status: u16) -> Self {
        Self { status, retry_after: None }
    }
}

/// Which error, and how long it takes: most come as quickly as an answer in fair weather; a gateway waits before it gives
/// up. The 500 is the most frequent, as it is where model APIs are in trouble.
fn error(kind: f64, time: Duration) -> (u16, Duration) {
    match kind {
        k if k < 0.55 => (500, QUICK.min(time)),
        k if k < 0.72 => (502, QUICK.min(time)),
        k if k < 0.92 => (503, QUICK.min(time)),
        _ => (504, GATEWAY),
    }
}

/// How many slots: enough for the surge with the load of a strategy that retries a fifth of its attempts. From four fifths of
/// them upwards the figures hardly move; with two thirds of them every strategy that retries, ours too, tips the service
/// into an overload in the surge, and answers no more than one that does not. The root is for chance, which weighs more in
/// a small system.
fn slots(rps: f64) -> usize {
    let load = rps * SLOTS_PER_RPS;
    (load + load.sqrt()).ceil() as usize
}

/// Of all strategies that run while the recorder is installed.
const RECEIVED: &str = "demo_received_total";

/// Slots for each request per second.
const SLOTS_PER_RPS: f64 = 0.18;

/// How many may wait for each slot.
const QUEUE_PER_SLOT: usize = 2;

/// The standard deviation of the logarithm of the time that the work takes.
const SPREAD: f64 = 0.7;

/// No work takes longer, where nobody waits in line: 5 s of a model API's life.
const SLOWEST: Duration = Duration::from_millis(500);

/// When a gateway gives up.
const GATEWAY: Duration = Duration::from_millis(300);

/// How long the silence lasts: 10 minutes of real life.
pub const HANG: Duration = Duration::from_secs(60);

/// What most errors take.
const QUICK: Duration = Duration::from_millis(20);

/// 1 s to 2 s of real life.
const RETRY_AFTER_MIN: Duration = Duration::from_millis(100);
const RETRY_AFTER_MAX: Duration = Duration::from_millis(200);

/// Sets the second provider's draws apart from the first's.
const SECONDARY: u64 = u64::from_be_bytes(*b"second  ");
