//! What a throttle tells those who watch it.

use std::{rc::Rc, sync::Arc};

use super::Priority;

/// Hears what becomes of each request. Every method does nothing unless it is written.
///
/// It is called on the request's own path, after the throttle's counts are settled: it may look at them, and should be
/// quick. A panic in it leaves the counts as they are; an outcome is told in a drop, and where that is of a thread that
/// unwinds already, a panic ends there.
///
/// ```
/// use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority, ThrottleObserver};
/// use std::cell::Cell;
///
/// #[derive(Default)]
/// struct Failures(Cell<u32>);
///
/// impl ThrottleObserver for Failures {
///     fn on_outcome(&self, accepted: bool) {
///         self.0.set(self.0.get() + u32::from(!accepted));
///     }
/// }
///
/// let failures = Failures::default();
/// let throttle = AdaptiveThrottle::builder().observe(&failures).build()?;
/// throttle.try_acquire(Priority::Normal).expect("nothing has failed yet").record(Outcome::Transient);
/// assert_eq!(failures.0.get(), 1);
/// # Ok::<(), evenkeel_budget::Invalid>(())
/// ```
pub trait ThrottleObserver {
    /// A request of that priority was admitted, though one of its priority was to be rejected with that probability.
    fn on_admit(&self, priority: Priority, probability: f64) {
        let _ = (priority, probability);
    }

    /// A request of that priority was rejected, as one of its priority was to be with that probability.
    fn on_reject(&self, priority: Priority, probability: f64) {
        let _ = (priority, probability);
    }

    /// A request that was admitted has ended. It was accepted, or it failed or was given up.
    fn on_outcome(&self, accepted: bool) {
        let _ = accepted;
    }
}

/// Hears nothing.
impl ThrottleObserver for () {}

/// Both hear all, the first one first.
impl<A: ThrottleObserver, B: ThrottleObserver> ThrottleObserver for (A, B) {
    fn on_admit(&self, priority: Priority, probability: f64) {
        self.0.on_admit(priority, probability);
        self.1.on_admit(priority, probability);
    }

    fn on_reject(&self, priority: Priority, probability: f64) {
        self.0.on_reject(priority, probability);
        self.1.on_reject(priority, probability);
    }

    fn on_outcome(&self, accepted: bool) {
        self.0.on_outcome(accepted);
        self.1.on_outcome(accepted);
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<O: ThrottleObserver + ?Sized> ThrottleObserver for $pointer {
            fn on_admit(&self, priority: Priority, probability: f64) {
                (**self).on_admit(priority, probability);
            }

            fn on_reject(&self, priority: Priority, probability: f64) {
                (**self).on_reject(priority, probability);
            }

            fn on_outcome(&self, accepted: bool) {
                (**self).on_outcome(accepted);
            }
        }
    )*};
}

forward!(&O, Box<O>, Rc<O>, Arc<O>);
