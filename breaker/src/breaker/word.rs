//! The one word that every call looks at.

use crate::State;

/// What kind of state it is, the low bits of the period's number, and 43 bits more: while it is closed, what is counted; in
/// other states the number of a change, so that no two are the same.
///
/// ```text
///  63                        31 30        21 20          3 2    0
/// ┌────────────────────────────┬────────────┬─────────────┬──────┐
/// │ of the window: 33 bits     │ run: 10    │ period: 18  │ kind │  closed
/// ├────────────────────────────┴────────────┼─────────────┼──────┤
/// │ number of the change: 43 bits           │ period: 18  │ kind │  other states
/// └─────────────────────────────────────────┴─────────────┴──────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

/// What a call does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is admitted.
    Closed,
    /// It may be admitted: it takes its share.
    Ramping,
    /// It is admitted, and not counted.
    ForcedClosed,
    /// It is rejected until a time.
    Open,
    /// The same.
    HalfOpen,
    /// It is rejected.
    ForcedOpen,
    /// Whoever has the lock is about to change the state: it waits for the lock.
    Leaving,
}

const KIND_BITS: u32 = 3;
const PERIOD_BITS: u32 = 18;
const RUN_BITS: u32 = 10;
const PERIOD_AT: u32 = KIND_BITS;
const RUN_AT: u32 = PERIOD_AT + PERIOD_BITS;
const PAYLOAD_AT: u32 = RUN_AT + RUN_BITS;

/// The most failures in a row that it can count.
pub(super) const MOST_RUN: u32 = 1_000;

impl Word {
    /// A closed state that begins, of that kind, with that in its window's bits.
    pub(super) fn closed(kind: Kind, period: u64, payload: u64) -> Self {
        Self::of(kind, period).with_payload(payload)
    }

    /// A state that is not closed, after so many changes.
    pub(super) fn other(kind: Kind, period: u64, change: u64) -> Self {
        Self(Self::of(kind, period).0 | (change << RUN_AT))
    }

    fn of(kind: Kind, period: u64) -> Self {
        let code = match kind {
            Kind::Closed => 0,
            Kind::Ramping => 1,
            Kind::ForcedClosed => 2,
            Kind::Open => 3,
            Kind::HalfOpen => 4,
            Kind::ForcedOpen => 5,
            Kind::Leaving => 6,
        };
        Self(code | (low(period) << PERIOD_AT))
    }

    pub(super) fn kind(self) -> Kind {
        match self.0 & mask(KIND_BITS) {
            0 => Kind::Closed,
            1 => Kind::Ramping,
            2 => Kind::ForcedClosed,
            3 => Kind::Open,
            4 => Kind::HalfOpen,
            5 => Kind::ForcedOpen,
            _ => Kind::Leaving,
        }
    }

    /// Whether every call is admitted, whatever the time is.
    #[inline]
    pub(super) fn is_steadily_closed(self) -> bool {
        matches!(self.kind(), Kind::Closed | Kind::ForcedClosed)
    }

    pub(super) fn with_kind(self, kind: Kind) -> Self {
        Self(self.0 & !mask(KIND_BITS) | Self::of(kind, 0).0)
    }

    /// The state that it shows; none where only the lock tells.
    pub(super) fn state(self) -> Option<State> {
        match self.kind() {
            Kind::Closed | Kind::Ramping => Some(State::Closed),
            Kind::ForcedClosed => Some(State::ForcedClosed),
            Kind::Open => Some(State::Open),
            Kind::ForcedOpen => Some(State::ForcedOpen),
            Kind::HalfOpen | Kind::Leaving => None,
        }
    }

    /// The whole number of its period, given one that is less than 2¹⁷ periods off.
    pub(super) fn period(self, near: u64) -> u64 {
        let ahead = low((self.0 >> PERIOD_AT).wrapping_sub(near));
        // The upper half of the differences are those that are behind.
        let behind = if ahead >> (PERIOD_BITS - 1) == 0 { 0 } else { 1 << PERIOD_BITS };
        near.wrapping_add(ahead).wrapping_sub(behind)
    }

    /// Failures in a row.
    pub(super) fn run(self) -> u32 {
        ((self.0 >> RUN_AT) & mask(RUN_BITS)) as u32
    }

    /// One result more: of a failure the run is longer, up to the most, and a success ends it.
    pub(super) fn run_after(self, failed: bool) -> u32 {
        if failed { (self.run() + 1).min(MOST_RUN) } else { 0 }
    }

    pub(super) fn with_run(self, run: u32) -> Self {
        Self(self.0 & !(mask(RUN_BITS) << RUN_AT) | (u64::from(run) << RUN_AT))
    }

    pub(super) fn payload(self) -> u64 {
        self.0 >> PAYLOAD_AT
    }

    pub(super) fn with_payload(self, payload: u64) -> Self {
        Self(self.0 & mask(PAYLOAD_AT) | (payload << PAYLOAD_AT))
    }
}

fn low(period: u64) -> u64 {
    period & mask(PERIOD_BITS)
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out() {
        let kinds = [
            Kind::Closed,
            Kind::Ramping,
            Kind::ForcedClosed,
            Kind::Open,
            Kind::HalfOpen,
            Kind::ForcedOpen,
            Kind::Leaving,
        ];
        for kind in kinds {
            let word = Word::closed(kind, 77, (1 << 33) - 1).with_run(1_000);
            assert_eq!((word.kind(), word.run(), word.payload(), word.period(70)), (kind, 1_000, (1 << 33) - 1, 77));
            assert_eq!(word.with_run(0).with_kind(Kind::Open), Word::closed(Kind::Open, 77, (1 << 33) - 1));
            assert_eq!(Word::other(kind, 77, (1 << 43) - 1).kind(), kind);
        }
    }

    #[test]
    fn a_period_is_whole_again_from_a_near_one() {
        for period in [0, 1, (1 << 17) + 3, (1 << 18) - 1, 1 << 18, (1 << 40) + 5] {
            let word = Word::closed(Kind::Closed, period, 0);
            for off in [0, 1, 2, 1_000, (1 << 17) - 1] {
                assert_eq!(word.period(period + off), period);
                assert_eq!(word.period(period.saturating_sub(off)), period);
            }
        }
    }
}
