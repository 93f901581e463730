//! After closing: a growing share of the calls.

/// All calls. The share that a call has is credited; when the credit comes to a whole one, a call is admitted for it.
pub(crate) const ONE: u64 = 1 << 32;

/// What it begins with: a tenth.
const FIRST: u64 = ONE / 10;

/// The share of calls to admit at `now` in a ramp of that length that ends then.
pub(crate) fn share(length: u64, end: u64, now: u64) -> u64 {
    let left = u128::from(end.saturating_sub(now).min(length));
    // No more than `ONE − FIRST`, for what is left is no more than the length.
    let missing = u128::from(ONE - FIRST) * left / u128::from(length.max(1));
    ONE - missing as u64
}

/// As a number.
pub(crate) fn of(share: u64) -> f64 {
    share as f64 / ONE as f64
}

/// The credit of a period: its low bits above 34 of credit.
pub(crate) fn credit(period: u64, held: u64) -> u64 {
    (period << CREDIT_BITS) | held
}

/// The credit after a call of that period, if it is the one of the period: less a whole one, if it has come to that.
pub(crate) fn credited(credit: u64, period: u64, share: u64) -> Option<u64> {
    let held = (credit & ((1 << CREDIT_BITS) - 1)) + share;
    (credit >> CREDIT_BITS == period & (u64::MAX >> CREDIT_BITS))
        .then(|| self::credit(period, if held >= ONE { held - ONE } else { held }))
}

/// Whether the call that found that credit is admitted.
pub(crate) fn admits(before: u64, share: u64) -> bool {
    (before & ((1 << CREDIT_BITS) - 1)) + share >= ONE
}

const CREDIT_BITS: u32 = 34;
