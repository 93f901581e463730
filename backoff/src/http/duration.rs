//! Durations as servers write them: decimal numbers and Go's notation, in integers, so that nothing rounds or overflows.

use std::time::Duration;

use super::LONGEST_HINT;

const MICROSECOND: u128 = 1_000;
const MILLISECOND: u128 = 1_000 * MICROSECOND;
const SECOND: u128 = 1_000 * MILLISECOND;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;

/// As many digits of a fraction as count. With the longest unit, an hour, what is cut off is less than a nanosecond, and
/// the product of the rest with it fits.
const FRACTION_DIGITS: usize = 18;

/// Seconds: `2`, `0.25`.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    bounded(nanos(text, SECOND)?)
}

/// Milliseconds: `250`, `1.5`.
pub(super) fn milliseconds(text: &str) -> Option<Duration> {
    bounded(nanos(text, MILLISECOND)?)
}

/// The sum of numbers with a unit each: `1m2.5s`, `20ms`, and `0`, which needs none. As Go's `time.ParseDuration`, but for
/// signs.
pub(super) fn go(text: &str) -> Option<Duration> {
    match text {
        "" => return None,
        "0" => return Some(Duration::ZERO),
        _ => {}
    }
    let (mut rest, mut total) = (text, 0_u128);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c| !in_number(c))?);
        let (unit, tail) = tail.split_at(tail.find(in_number).unwrap_or(tail.len()));
        total = total.checked_add(nanos(number, unit_nanos(unit)?)?)?;
        rest = tail;
    }
    bounded(total)
}

/// `duration`, unless it is longer than any hint may be.
pub(super) fn plausible(duration: Duration) -> Option<Duration> {
    (duration <= LONGEST_HINT).then_some(duration)
}

fn bounded(nanos: u128) -> Option<Duration> {
    u64::try_from(nanos).ok().map(Duration::from_nanos).and_then(plausible)
}

fn in_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

fn unit_nanos(unit: &str) -> Option<u128> {
    match unit {
        "ns" => Some(1),
        // The micro sign, which Go writes, and the Greek letter, which it reads as well.
        "us" | "\u{b5}s" | "\u{3bc}s" => Some(MICROSECOND),
        "ms" => Some(MILLISECOND),
        "s" => Some(SECOND),
        "m" => Some(MINUTE),
        "h" => Some(HOUR),
        _ => None,
    }
}

/// So many units, in nanoseconds. Digits with at most one point among them, as in Go: `2.` and `.5` too. No exponents:
/// programs write one only for a number that is as good as zero, or absurd.
fn nanos(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.get(..FRACTION_DIGITS).unwrap_or(fraction);
    // At most 18 digits, hence neither the power nor the length is out of range.
    let scale = 10_u128.pow(fraction.len() as u32);
    digits(whole)?.checked_mul(unit)?.checked_add(digits(fraction)? * unit / scale)
}

fn digits(text: &str) -> Option<u128> {
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u128::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}
