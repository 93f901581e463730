//! The right to send one request, and the duty to say how it ended.

use std::{fmt, time::Instant};

use super::{AdaptiveThrottle, Priority, ThrottleObserver};
use crate::Outcome;

/// One request that an [`AdaptiveThrottle`] lets through. Keep it while the request is in flight.
///
/// # Cancel safety
///
/// Dropped without [`record`](Self::record), the request counts, and as one that was not accepted: its caller was
/// cancelled, gave up after a timeout of its own, or panicked. In an overload giving up is how most requests end; if they
/// counted for nothing the throttle would never see it.
#[must_use = "dropped at once, the request counts as one that was not accepted"]
pub struct Admission<C = fn() -> Instant, O: ThrottleObserver = ()> {
    throttle: AdaptiveThrottle<C, O>,
    priority: Priority,
    accepted: bool,
}

impl<C, O: ThrottleObserver> Admission<C, O> {
    pub(super) const fn new(throttle: AdaptiveThrottle<C, O>, priority: Priority) -> Self {
        Self { throttle, priority, accepted: false }
    }

    pub(super) const fn throttle(&self) -> &AdaptiveThrottle<C, O> {
        &self.throttle
    }

    /// Says how the request ended, and counts it. It was accepted if it is a [`Success`](Outcome::Success), and if it is
    /// [`Permanent`](Outcome::Permanent): a service that answers that the request is wrong has done its part.
    ///
    /// This reads no clock: it counts at the latest moment at which a request asked.
    pub fn record(mut self, outcome: Outcome) {
        self.accepted = match outcome {
            Outcome::Success | Outcome::Permanent => true,
            Outcome::Transient | Outcome::Throttled => false,
        };
    }

    /// The priority that it was asked for with.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.priority
    }
}

/// The one place where a request that was admitted is counted.
impl<C, O: ThrottleObserver> Drop for Admission<C, O> {
    fn drop(&mut self) {
        self.throttle.settle(self.priority, self.accepted);
    }
}

impl<C, O: ThrottleObserver> fmt::Debug for Admission<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("priority", &self.priority).finish_non_exhaustive()
    }
}
