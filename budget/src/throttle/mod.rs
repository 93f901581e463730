//! A stub of the throttle's surface, for the metrics and the configuration: to be dropped for the throttle itself.

use std::time::Duration;

use crate::Invalid;

/// How much a request matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Rejected last.
    Critical,
    /// In between.
    Normal,
    /// Rejected first.
    Sheddable,
}

/// Hears what a throttle decides.
pub trait ThrottleObserver {
    /// A request is let through.
    fn on_admit(&self, priority: Priority) {
        let _ = priority;
    }

    /// A request is rejected here.
    fn on_reject(&self, priority: Priority, probability: f64) {
        let _ = (priority, probability);
    }

    /// A request has ended.
    fn on_outcome(&self, accepted: bool) {
        let _ = accepted;
    }
}

/// The throttle.
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveThrottle {
    _settings: ThrottleBuilder,
}

impl AdaptiveThrottle {
    /// The settings.
    pub const fn builder() -> ThrottleBuilder {
        ThrottleBuilder { k: 2.0, window: Duration::from_secs(120), max_rejection: 1.0 }
    }
}

/// The settings of a throttle.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct ThrottleBuilder {
    k: f64,
    window: Duration,
    max_rejection: f64,
}

impl ThrottleBuilder {
    /// K.
    pub const fn k(mut self, k: f64) -> Self {
        self.k = k;
        self
    }

    /// The window.
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The largest probability of a rejection.
    pub const fn max_rejection(mut self, max_rejection: f64) -> Self {
        self.max_rejection = max_rejection;
        self
    }

    /// The throttle.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when a setting is not in its range.
    pub fn build(self) -> Result<AdaptiveThrottle, Invalid> {
        let Self { k, window, max_rejection } = self;
        if !(1.0..=1000.0).contains(&k) {
            return Err(Invalid::number("k", k, "a number from 1 to 1000"));
        }
        if window.is_zero() {
            return Err(Invalid::time("window", window, "longer than zero"));
        }
        if !(0.0..=1.0).contains(&max_rejection) {
            return Err(Invalid::number("max_rejection", max_rejection, "a number from 0 to 1"));
        }
        Ok(AdaptiveThrottle { _settings: self })
    }
}
