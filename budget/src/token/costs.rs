//! What the AWS form charges.

use crate::Cause;

/// What one extra attempt costs in the AWS form of a [`TokenBudget`](crate::TokenBudget), in tokens, by its cause.
///
/// A cost above the capacity is never granted; a cost of 0 always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// After a transient failure.
    pub transient: u32,
    /// After a throttled one.
    pub throttled: u32,
    /// After an attempt that was cut off by a timeout.
    pub timeout: u32,
    /// Beside an attempt that is late.
    pub hedge: u32,
}

impl Costs {
    /// The 2026 revision of the standard mode: 14, and 5 when throttled, for such an answer is cheap for the service.
    pub const REVISION_2026: Self = Self { transient: 14, throttled: 5, timeout: 14, hedge: 14 };

    /// The standard mode before that: 5, and 10 after a timeout, for a service that is too slow to answer suffers most
    /// from being asked again.
    pub const EARLIER: Self = Self { transient: 5, throttled: 5, timeout: 10, hedge: 5 };

    pub(super) const fn of(&self, cause: Cause) -> u32 {
        match cause {
            Cause::Transient => self.transient,
            Cause::Throttled => self.throttled,
            Cause::Timeout => self.timeout,
            Cause::Hedge => self.hedge,
        }
    }
}
