//! What a retry tells those who watch it.

use std::{boxed::Box, fmt, rc::Rc, sync::Arc, time::Duration};

use evenkeel_budget::{Cause, Verdict};

/// Hears what a request's attempts come to. Every method does nothing unless it is written.
///
/// It is called on the request's own path, after the shared state (the budget) is settled: it may look at that, and
/// should be quick. Attempts are numbered from 0, the first.
///
/// ```
/// use evenkeel_backoff::{Observer, Retry, Stop};
/// use std::{cell::Cell, time::Duration};
///
/// #[derive(Default)]
/// struct Last(Cell<Option<(u32, Stop)>>);
///
/// impl Observer for Last {
///     fn on_stop(&self, attempts: u32, stop: Stop) {
///         self.0.set(Some((attempts, stop)));
///     }
/// }
///
/// let last = Last::default();
/// let retry = Retry::new([Duration::ZERO; 2], std::thread::sleep).observe(&last);
/// assert_eq!(retry.run_blocking(|_| Err::<(), _>("down")), Err("down"));
/// assert_eq!(last.0.get(), Some((3, Stop::Exhausted)));
/// ```
pub trait Observer {
    /// An attempt is sent now.
    fn on_attempt(&self, attempt: u32) {
        let _ = attempt;
    }

    /// An attempt has ended, and was judged.
    fn on_verdict(&self, attempt: u32, verdict: Verdict) {
        let _ = (attempt, verdict);
    }

    /// `attempt` will follow after `delay`; it is paid for.
    fn on_retry(&self, attempt: u32, cause: Cause, delay: Duration) {
        let _ = (attempt, cause, delay);
    }

    /// The request has ended after so many attempts, and this is why no other follows. A request that its caller drops
    /// ends without it.
    fn on_stop(&self, attempts: u32, stop: Stop) {
        let _ = (attempts, stop);
    }
}

/// Why no further attempt follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The last attempt succeeded.
    Success,
    /// The last attempt failed, and would again.
    Permanent,
    /// The server asked not to be asked again.
    Server,
    /// The server asked for a longer delay than the policy waits.
    ServerDelay,
    /// All attempts that the schedule or the limit on attempts has are used.
    Exhausted,
    /// The next attempt would come after the deadline, or its wait took until then.
    Deadline,
    /// The budget refused to pay.
    Budget,
    /// The request may not be sent twice, or cannot be copied.
    NotRepeatable,
    /// The service failed, or took longer than an attempt may, while it was made ready for the next attempt.
    NotReady,
}

impl Stop {
    /// All reasons, in the order in which they are declared.
    pub const ALL: &'static [Self] = &[
        Self::Success,
        Self::Permanent,
        Self::Server,
        Self::ServerDelay,
        Self::Exhausted,
        Self::Deadline,
        Self::Budget,
        Self::NotRepeatable,
        Self::NotReady,
    ];

    /// The reason in one word, as in a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Permanent => "permanent",
            Self::Server => "server",
            Self::ServerDelay => "server_delay",
            Self::Exhausted => "exhausted",
            Self::Deadline => "deadline",
            Self::Budget => "budget",
            Self::NotRepeatable => "not_repeatable",
            Self::NotReady => "not_ready",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Hears nothing.
impl Observer for () {}

/// Both hear all, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_attempt(&self, attempt: u32) {
        self.0.on_attempt(attempt);
        self.1.on_attempt(attempt);
    }

    fn on_verdict(&self, attempt: u32, verdict: Verdict) {
        self.0.on_verdict(attempt, verdict);
        self.1.on_verdict(attempt, verdict);
    }

    fn on_retry(&self, attempt: u32, cause: Cause, delay: Duration) {
        self.0.on_retry(attempt, cause, delay);
        self.1.on_retry(attempt, cause, delay);
    }

    fn on_stop(&self, attempts: u32, stop: Stop) {
        self.0.on_stop(attempts, stop);
        self.1.on_stop(attempts, stop);
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<O: Observer + ?Sized> Observer for $pointer {
            fn on_attempt(&self, attempt: u32) {
                (**self).on_attempt(attempt);
            }

            fn on_verdict(&self, attempt: u32, verdict: Verdict) {
                (**self).on_verdict(attempt, verdict);
            }

            fn on_retry(&self, attempt: u32, cause: Cause, delay: Duration) {
                (**self).on_retry(attempt, cause, delay);
            }

            fn on_stop(&self, attempts: u32, stop: Stop) {
                (**self).on_stop(attempts, stop);
            }
        }
    )*};
}

forward!(&O, Box<O>, Rc<O>, Arc<O>);
