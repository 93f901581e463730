//! A count window in two words: what the breaker's says of it, and its sums.

use super::Entry;

/// What the word says about a count window: 33 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Results so far, in 30 bits; it goes on from period to period.
    pub(super) at: u64,
    /// Whether there were more in this period than the window has room for: the first one has fallen out.
    pub(super) over: bool,
    pub(super) last: Entry,
}

/// Positions are counted modulo this and one.
pub(super) const AT: u64 = (1 << 30) - 1;

impl Head {
    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self { last: Entry::from_bits(bits & 3), over: bits & 4 != 0, at: (bits >> 3) & AT }
    }

    pub(crate) fn bits(self) -> u64 {
        self.last.bits() | (u64::from(self.over) << 2) | (self.at << 3)
    }

    /// A period that begins where another one ended.
    pub(crate) fn anew(self) -> Self {
        Self { over: false, last: Entry::GOOD, ..self }
    }
}

/// The sums of the window before one result: slow ones in the low 16 bits, failures in the next 16, and which result that is
/// above. Of the results that came since, all but the last left them as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums(pub(super) u64);

const FAILURES_AT: u32 = 16;
const POSITION_AT: u32 = 32;

impl Sums {
    /// No result but good ones.
    pub(super) fn clean(at: u64) -> Self {
        Self(at << POSITION_AT)
    }

    pub(super) fn at(self) -> u64 {
        self.0 >> POSITION_AT
    }

    pub(super) fn failures(self) -> u32 {
        u32::from((self.0 >> FAILURES_AT) as u16)
    }

    pub(super) fn slow(self) -> u32 {
        u32::from(self.0 as u16)
    }

    pub(super) fn is_clean(self) -> bool {
        self.0 as u32 == 0
    }

    /// What falls out was added when it came in. Wrapping, for a thread that is late may have read what does not belong
    /// together; it then fails to exchange anything.
    pub(super) fn after(self, at: u64, entry: Entry, outgoing: Entry) -> Self {
        let one = |entry: Entry| (u32::from(entry.failed) << FAILURES_AT) | u32::from(entry.slow);
        let sums = (self.0 as u32).wrapping_add(one(entry)).wrapping_sub(one(outgoing));
        Self((((at + 1) & AT) << POSITION_AT) | u64::from(sums))
    }
}
