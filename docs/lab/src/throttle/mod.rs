//! What a service sees of an overload when its client throttles itself.
//!
//! A client offers a multiple of what the service can serve, as a Poisson process in virtual time, and asks an
//! [`AdaptiveThrottle`] before each request; what the throttle rejects never reaches the service. The service works off
//! its capacity and has a queue of one second: it accepts a request while what waits is less than a second's work, and
//! answers all others at once with a refusal. Whether a request is accepted is known at once; the client does not repeat
//! it.
//!
//! The queue matters. A service without one refuses whenever two requests happen to come together, also while it is idle
//! most of the time; the client takes each such refusal for a smaller capacity and sends less, and the two settle where
//! a service that sees 1.0 times its capacity (at `k = 2`) serves half of it. So whoever sizes a `k` must know how
//! evenly the service accepts.

mod view;

use std::time::Duration;

use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority};
use serde::Serialize;

use crate::{clock::Clock, rng::Rng};

/// What is varied, and for how long it is watched.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck arrivals and rejections have.
    pub seed: u64,
    /// The throttle's multipliers: how much more than it accepts the service is to see.
    pub ks: Vec<f64>,
    /// The loads, in units of the capacity; above zero.
    pub offered: Vec<f64>,
    /// What the service can serve, in requests per second; at least one.
    pub capacity: f64,
    /// How many windows of the throttle, of two minutes, are watched, at least one; it has two more to settle before.
    pub windows: u32,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ks: KS.to_vec(), offered: OFFERED.to_vec(), capacity: 50.0, windows: 3 }
    }

    /// What became of every load under every multiplier, multiplier by multiplier.
    ///
    /// # Panics
    ///
    /// When a `k` is none that the throttle takes.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let under = |&k: &f64| self.offered.iter().map(move |&offered| self.row(k, offered));
        self.ks.iter().flat_map(under).collect()
    }

    fn row(&self, k: f64, offered: f64) -> Row {
        let clock = Clock::new();
        let throttle = AdaptiveThrottle::builder()
            .k(k)
            .window(WINDOW)
            .seed(Rng::keyed(&[self.seed, REJECTIONS]).next_u64())
            .clock(clock.reader())
            .build();
        // The window is the throttle's own default, so it is the caller's `k` if anything.
        let throttle = throttle.expect("a multiplier that the throttle takes");
        let mut arrivals = Rng::keyed(&[self.seed, ARRIVALS]);
        let mut service = Service { capacity: self.capacity, queued: 0.0, at: 0.0 };
        let (warm, end) = (seconds(WARM_UP), seconds(WARM_UP + self.windows));

        let mut seen = Seen::default();
        let mut at = 0.0;
        loop {
            at += arrivals.exponential(1.0 / (offered * self.capacity));
            if at >= end {
                break;
            }
            clock.set(Duration::from_secs_f64(at));
            let Ok(admission) = throttle.try_acquire(Priority::Normal) else { continue };
            let counted = u32::from(at >= warm);
            seen.sent += counted;
            let outcome = service.answer(at);
            seen.served += counted * u32::from(outcome == Outcome::Success);
            admission.record(outcome);
        }
        let in_capacities = |count: u32| f64::from(count) / (self.capacity * (end - warm));
        Row { k, offered, sent: in_capacities(seen.sent), served: in_capacities(seen.served) }
    }
}

/// One load under one multiplier; loads are in units of the service's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The throttle's multiplier.
    pub k: f64,
    /// What the callers asked of the client.
    pub offered: f64,
    /// What the client sent: the load at the service.
    pub sent: f64,
    /// What the service accepted, about 1 at most.
    pub served: f64,
}

/// Counts, after the throttle has settled.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    sent: u32,
    served: u32,
}

/// A server with a queue of one second.
struct Service {
    /// Requests per second that it works off.
    capacity: f64,
    /// Requests that wait, as of `at`.
    queued: f64,
    /// Seconds since the start.
    at: f64,
}

impl Service {
    fn answer(&mut self, now: f64) -> Outcome {
        self.queued = (self.queued - (now - self.at) * self.capacity).max(0.0);
        self.at = now;
        if self.queued + 1.0 > self.capacity {
            return Outcome::Throttled;
        }
        self.queued += 1.0;
        Outcome::Success
    }
}

/// The throttle's default, two minutes: Google's.
const WINDOW: Duration = Duration::from_secs(120);

/// Windows: in the first it fills, and after the second none of what came in before it was full counts.
const WARM_UP: u32 = 2;

fn seconds(windows: u32) -> f64 {
    (WINDOW * windows).as_secs_f64()
}

/// From one that wastes nothing to one that finds out soon when the service is well again; 2 is the default.
const KS: [f64; 4] = [1.1, 1.5, 2.0, 3.0];

const OFFERED: [f64; 10] = [1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

/// Keys of the draws.
const ARRIVALS: u64 = 0;
const REJECTIONS: u64 = 1;
