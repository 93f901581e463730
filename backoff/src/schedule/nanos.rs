//! A length of time in whole nanoseconds, in one word.

use core::{fmt, time::Duration};

/// Nanoseconds, up to 2⁶⁴ − 1 of them: 584 years. A longer `Duration` is held to that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) u64);

impl Nanos {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const MAX: Self = Self(u64::MAX);

    pub(crate) const fn from(duration: Duration) -> Self {
        let nanos = duration.as_nanos();
        if nanos > u64::MAX as u128 { Self::MAX } else { Self(nanos as u64) }
    }

    /// As a limit, which [`MAX`](Self::MAX) is none.
    pub(crate) fn limit(self) -> Option<Duration> {
        (self != Self::MAX).then(|| self.duration())
    }

    #[inline]
    pub(crate) const fn duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.duration().fmt(f)
    }
}
