//! What a permit knows of its call.

/// One call that was admitted. Three whole words, so that a permit goes through registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) period: u64,
    pub(crate) role: Role,
    /// When it was admitted, where that matters; else the most.
    started: u64,
}

/// What the call is to the breaker: the number of a probe, or one of the others, which are beyond all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role(u64);

impl Lease {
    #[inline]
    pub(super) const fn new(period: u64, role: Role, started: Option<u64>) -> Self {
        let started = if let Some(started) = started { started } else { u64::MAX };
        Self { period, role, started }
    }

    #[inline]
    pub(crate) fn started(&self) -> Option<u64> {
        (self.started != u64::MAX).then_some(self.started)
    }

    /// It begins only now, if when it does matters.
    #[cfg(feature = "tower")]
    pub(crate) fn restart(&mut self, now: u64) {
        if self.started().is_some() {
            self.started = now;
        }
    }
}

impl Role {
    pub(crate) const CALL: Self = Self(u64::MAX);
    /// In a dry run: it would have been rejected, and counts for nothing.
    pub(crate) const BYSTANDER: Self = Self(u64::MAX - 1);
    /// There is none: not yet, or no more.
    pub(crate) const NONE: Self = Self(u64::MAX - 2);

    pub(crate) const fn probe(id: u32) -> Self {
        Self(id as u64)
    }

    /// The number of a probe.
    #[inline]
    pub(crate) const fn as_probe(self) -> Option<u32> {
        if self.0 <= u32::MAX as u64 { Some(self.0 as u32) } else { None }
    }
}
