//! The right to send one request, and the duty to say how it ended.

use std::{fmt, time::Instant};

use super::{AdaptiveThrottle, Priority, Rejected, ThrottleHandle, ThrottleObserver};
use crate::Outcome;

/// One request that an [`AdaptiveThrottle`] lets through. Keep it while the request is in flight.
///
/// `T` is how it holds on to its throttle: by reference ([`AdaptiveThrottle::try_acquire`]), or by a handle of its own
/// ([`AdaptiveThrottle::try_acquire_owned`]).
///
/// # Cancel safety
///
/// Dropped without [`record`](Self::record), the request counts, and as one that was not accepted: its caller was
/// cancelled, gave up after a timeout of its own, or panicked. In an overload giving up is how most requests end; if they
/// counted for nothing the throttle would never see it.
#[must_use = "dropped at once, the request counts as one that was not accepted"]
pub struct Admission<T: ThrottleHandle = AdaptiveThrottle> {
    throttle: T,
    priority: Priority,
    accepted: bool,
}

impl<T: ThrottleHandle> Admission<T> {
    /// Asks to send one request, and holds a copy of `handle` while it is in flight.
    #[inline]
    pub(crate) fn ask(handle: &T, priority: Priority) -> Result<Self, Rejected> {
        Self::ask_at(handle, priority, handle.throttle().now())
    }

    /// [`ask`](Self::ask) at `now`.
    #[inline]
    pub(super) fn ask_at(handle: &T, priority: Priority, now: Instant) -> Result<Self, Rejected> {
        let probability = handle.throttle().judge(priority, now)?;
        Ok(Self::admit(handle.clone(), priority, probability))
    }

    /// A request that was judged is to be sent.
    #[inline]
    pub(super) fn admit(throttle: T, priority: Priority, probability: f64) -> Self {
        // First: should the observer panic, the request counts as one that was given up.
        let admission = Self { throttle, priority, accepted: false };
        admission.throttle.throttle().shared.observer.on_admit(priority, probability);
        admission
    }

    /// Says how the request ended, and counts it. It was accepted if it is a [`Success`](Outcome::Success), and if it is
    /// [`Permanent`](Outcome::Permanent): a service that answers that the request is wrong has done its part.
    ///
    /// This reads no clock: it counts at the latest moment at which a request asked.
    #[inline]
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
impl<T: ThrottleHandle> Drop for Admission<T> {
    #[inline]
    fn drop(&mut self) {
        self.throttle.throttle().settle(self.priority, self.accepted);
    }
}

impl<T: ThrottleHandle> fmt::Debug for Admission<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("priority", &self.priority).finish_non_exhaustive()
    }
}
