//! What a breaker tells those who watch it.

use std::{rc::Rc, sync::Arc, time::Duration};

use crate::{Cause, Outcome, Rejected, Transition};

/// Hears what a breaker does. Every method does nothing unless it is written.
///
/// It is called after the breaker's state is settled and its lock is free: it may look at the breaker, or reset it.
/// Transitions are told one after the other, in the order in which they happened, each once, by whichever thread is there:
/// while one is being told, those that happen meanwhile wait for the same thread. A panic in it leaves the breaker as it is;
/// in the drop of a permit while its thread unwinds, a panic ends there.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerObserver, State, Transition};
/// use std::cell::Cell;
///
/// #[derive(Default)]
/// struct Alarm(Cell<bool>);
///
/// impl BreakerObserver for Alarm {
///     fn on_transition(&self, transition: &Transition) {
///         self.0.set(transition.to == State::Open);
///     }
/// }
///
/// let alarm = Alarm::default();
/// let breaker = Breaker::builder().consecutive_failures(1).observe(&alarm).build()?;
/// breaker.try_acquire().unwrap().failure();
/// assert!(alarm.0.get());
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
pub trait BreakerObserver {
    /// It went from one state to another.
    fn on_transition(&self, transition: &Transition) {
        let _ = transition;
    }

    /// A call that it admitted has ended. The checks of a prober are no calls: see [`on_check`](Self::on_check).
    fn on_call(&self, call: &CallEnd) {
        let _ = call;
    }

    /// It rejected a call; in a dry run, it would have.
    fn on_reject(&self, rejected: &Rejected) {
        let _ = rejected;
    }

    /// Its rules say that it should open, but too many keys of its [map](crate::BreakerMap) reject already: it goes on
    /// admitting and counting.
    fn on_held_closed(&self, cause: Cause) {
        let _ = cause;
    }

    /// A check of a [`Prober`](crate::Prober) has ended.
    fn on_check(&self, check: &CheckEnd) {
        let _ = check;
    }

    /// Whether [`CallEnd::duration`] is wanted: then the clock is read when a call begins and when it ends, even where no
    /// rule needs it. Asked once, when the breaker is built.
    fn wants_durations(&self) -> bool {
        false
    }
}

/// How a call ended that a breaker had admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallEnd {
    /// What it said, or was taken for.
    pub outcome: Outcome,
    /// Whether nobody said how it ended: its permit was dropped, and `outcome` is what that means.
    pub abandoned: bool,
    /// Whether it took as long as is slow, or longer.
    pub slow: bool,
    /// Whether it was a probe.
    pub probe: bool,
    /// Whether its period was over, or its probe timed out: then it counted for nothing.
    pub late: bool,
    /// How long it took, if the clock was read.
    pub duration: Option<Duration>,
}

/// How a check of a [`Prober`](crate::Prober) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckEnd {
    /// Whether it succeeded. One that took longer than the prober's timeout did not.
    pub success: bool,
    /// How many failed in a row, with this one; 0 after a success. Alert at three. A row ends as well when somebody else
    /// closes the breaker, or forces it.
    pub consecutive_failures: u32,
    /// Whether it was a probe, and so decided what the breaker does. Checks while it is closed decide nothing.
    pub probe: bool,
    /// How long it took.
    pub duration: Duration,
}

/// Hears nothing.
impl BreakerObserver for () {}

/// Both hear all, the first one first.
impl<A: BreakerObserver, B: BreakerObserver> BreakerObserver for (A, B) {
    fn on_transition(&self, transition: &Transition) {
        self.0.on_transition(transition);
        self.1.on_transition(transition);
    }

    fn on_call(&self, call: &CallEnd) {
        self.0.on_call(call);
        self.1.on_call(call);
    }

    fn on_reject(&self, rejected: &Rejected) {
        self.0.on_reject(rejected);
        self.1.on_reject(rejected);
    }

    fn on_held_closed(&self, cause: Cause) {
        self.0.on_held_closed(cause);
        self.1.on_held_closed(cause);
    }

    fn on_check(&self, check: &CheckEnd) {
        self.0.on_check(check);
        self.1.on_check(check);
    }

    fn wants_durations(&self) -> bool {
        self.0.wants_durations() || self.1.wants_durations()
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<O: BreakerObserver + ?Sized> BreakerObserver for $pointer {
            fn on_transition(&self, transition: &Transition) {
                (**self).on_transition(transition);
            }

            fn on_call(&self, call: &CallEnd) {
                (**self).on_call(call);
            }

            fn on_reject(&self, rejected: &Rejected) {
                (**self).on_reject(rejected);
            }

            fn on_held_closed(&self, cause: Cause) {
                (**self).on_held_closed(cause);
            }

            fn on_check(&self, check: &CheckEnd) {
                (**self).on_check(check);
            }

            fn wants_durations(&self) -> bool {
                (**self).wants_durations()
            }
        }
    )*};
}

forward!(&O, Box<O>, Rc<O>, Arc<O>);
