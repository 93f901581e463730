//! The settings of a log, and what is refused of them.

use std::{
    hash::RandomState,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
    vec::Vec,
};

use ::http::HeaderName;

use super::{AttemptLog, Shared, credential::credential, ids::IdHeaders, ring::Ring, totals::Totals};
use crate::Invalid;

/// Settings of an [`AttemptLog`]: see [`AttemptLog::builder`].
#[derive(Clone, Debug)]
pub struct AttemptLogBuilder {
    capacity: NonZeroUsize,
    everything: bool,
    dropped_after: Duration,
    ids: Vec<HeaderName>,
    clock: fn() -> Instant,
    wall_clock: fn() -> SystemTime,
}

impl AttemptLogBuilder {
    // The clocks are the system's: paths, not calls.
    #[allow(clippy::disallowed_methods)]
    pub(super) const fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            everything: false,
            dropped_after: Duration::ZERO,
            ids: Vec::new(),
            clock: Instant::now,
            wall_clock: SystemTime::now,
        }
    }

    /// Records attempts that succeed as well, and those that are [dropped soon](Self::dropped_after): to compare, or to send
    /// one of each to the support. They take the place of failures, for the capacity stays what it is; and each takes a lock.
    #[must_use]
    pub const fn everything(mut self) -> Self {
        self.everything = true;
        self
    }

    /// What is dropped sooner than after so long is no failure: it is counted as none, and recorded, as
    /// [`DroppedSoon`](super::AttemptEnd::DroppedSoon), only with [`everything`](Self::everything). The losers of hedges, of which
    /// there are always some, would take the places of what the support can do something about. By default zero: all that
    /// is dropped is a failure. So is, with any time, what panicked, and what is dropped by a clock that went back.
    ///
    /// Let it be shorter than every timeout around the log, or what times out there vanishes from it; and shorter than the
    /// delay of a hedge, if a provider that hangs is to show: it loses to the hedge, and is dropped when that has answered.
    /// (What was merely slow, and lost, shows then as well.) The same time as of a breaker's `Abandoned::FailureAfter` is
    /// right.
    #[must_use]
    pub const fn dropped_after(mut self, dropped_after: Duration) -> Self {
        self.dropped_after = dropped_after;
        self
    }

    /// Reads ids from this header as well, of the response and of the request: before those that are [known](AttemptLog),
    /// and in the order in which they are given. Any number.
    #[must_use]
    pub fn id_header(mut self, header: HeaderName) -> Self {
        self.ids.push(header);
        self
    }

    /// Asks `clock` how long attempts take; by default `Instant::now`. Under tokio's paused clock:
    /// `|| tokio::time::Instant::now().into_std()`.
    #[must_use]
    pub const fn clock(mut self, clock: fn() -> Instant) -> Self {
        self.clock = clock;
        self
    }

    /// Asks `wall_clock` when a failure was, and nothing else: how long it took, the other clock says. By default
    /// [`SystemTime::now`].
    #[must_use]
    pub const fn wall_clock(mut self, wall_clock: fn() -> SystemTime) -> Self {
        self.wall_clock = wall_clock;
        self
    }

    /// The log.
    ///
    /// # Errors
    ///
    /// - `capacity`: above [`AttemptLog::MAX_CAPACITY`].
    /// - `id_header`: it has a part in its name by which headers are called that carry credentials: `auth`, `cookie`,
    ///   `credential`, `jwt`, `key` (unless it is an idempotency key), `passw`, `secret`, `session`, `signature`, `token`, or
    ///   the words `pass`, `pwd` and `sig`.
    pub fn build(self) -> Result<AttemptLog, Invalid> {
        if self.capacity > AttemptLog::MAX_CAPACITY {
            return Err(Invalid::number("capacity", self.capacity.get() as f64, "from 1 to 65536"));
        }
        match self.ids.iter().find_map(|header| credential(header.as_str())) {
            Some(part) => Err(Invalid::named("id_header", part, "a header that carries no credentials")),
            None => Ok(self.log()),
        }
    }

    pub(super) fn log(self) -> AttemptLog {
        AttemptLog(Arc::new(Shared {
            ring: Ring::new(self.capacity, (self.wall_clock)()),
            totals: Totals::new(),
            ids: IdHeaders::with(self.ids),
            everything: self.everything,
            dropped_after: self.dropped_after,
            clock: self.clock,
            wall_clock: self.wall_clock,
            key: RandomState::new(),
        }))
    }
}
