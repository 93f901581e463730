//! What a policy is asked about: how much load, from how many clients, through how long an outage.

use std::{num::NonZeroU32, time::Duration};

use super::{Refused, human::human};

/// The load, and the outage. Made by [`Load::new`], which checks it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    rps: f64,
    clients: NonZeroU32,
    outage: Duration,
}

impl Load {
    /// How many clients share the load, when that is not said.
    pub const DEFAULT_CLIENTS: NonZeroU32 = NonZeroU32::new(100).unwrap();
    /// The most requests a second.
    pub const MOST_RPS: f64 = 1e9;
    /// The shortest outage.
    pub const SHORTEST: Duration = Duration::from_millis(100);
    /// The longest outage.
    pub const LONGEST: Duration = Duration::from_secs(3600);
    /// The most clients.
    pub const MOST_CLIENTS: u32 = 10_000_000;

    /// `rps` requests a second of all `clients` together, and an outage of that length.
    ///
    /// # Errors
    ///
    /// By the name of the program's flag: when there are not above 0 and at most [`MOST_RPS`](Self::MOST_RPS), more than
    /// [`MOST_CLIENTS`](Self::MOST_CLIENTS), or the outage is not from [`SHORTEST`](Self::SHORTEST) to
    /// [`LONGEST`](Self::LONGEST).
    pub fn new(rps: f64, clients: NonZeroU32, outage: Duration) -> Result<Self, Refused> {
        if !(rps > 0.0 && rps <= Self::MOST_RPS) {
            return Err(Refused::flag("--rps", format_args!("it is {rps}: it must be above 0 and at most 1000000000")));
        }
        if clients.get() > Self::MOST_CLIENTS {
            let why = format!("it is {clients}: it must be a whole number from 1 to {}", Self::MOST_CLIENTS);
            return Err(Refused::flag("--clients", why));
        }
        if !(Self::SHORTEST..=Self::LONGEST).contains(&outage) {
            let why = format!("it is {}: it must be from 100ms to 1h", human(outage));
            return Err(Refused::flag("--outage", why));
        }
        Ok(Self { rps, clients, outage })
    }

    /// Requests a second, of all clients together.
    #[must_use]
    pub fn rps(&self) -> f64 {
        self.rps
    }

    /// How many clients share them.
    #[must_use]
    pub fn clients(&self) -> NonZeroU32 {
        self.clients
    }

    /// How long the outage is.
    #[must_use]
    pub fn outage(&self) -> Duration {
        self.outage
    }

    /// Requests a second, of one client.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rps / f64::from(self.clients.get())
    }

    /// Requests of one client while the outage lasts, in the mean.
    #[must_use]
    pub fn asked(&self) -> f64 {
        self.rate() * self.outage.as_secs_f64()
    }
}
