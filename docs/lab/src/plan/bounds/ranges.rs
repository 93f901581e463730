//! The shortest and the longest that each delay of a schedule can be.

use std::{iter, time::Duration};

use evenkeel_backoff::{AnySchedule, Jitter};

use super::super::facts::{Schedule, Spread};

/// One by one, without an end.
pub(super) fn ranges(schedule: AnySchedule, facts: Schedule) -> Box<dyn Iterator<Item = (Duration, Duration)>> {
    let Schedule { spread, first, floor, cap, .. } = facts;
    let spread = move |delay: Duration| {
        let (low, high) = match spread {
            Spread::None | Spread::Decorrelated => (delay, delay),
            Spread::Full => (Duration::ZERO, delay),
            Spread::Equal => (delay / 2, delay),
            // A ten-thousandth more, for the share was rounded to that.
            Spread::Around(share) => (times(delay, 1.0 - share - 1e-4), times(delay, 1.0 + share + 1e-4)),
        };
        (low.max(floor), high.min(cap).max(floor))
    };
    match curve(schedule) {
        Some(curve) => Box::new(curve.map(spread)),
        None => {
            let longest = iter::successors(Some(first.saturating_mul(3)), |time| Some(time.saturating_mul(3)));
            Box::new(longest.map(move |longest| (first.min(cap), longest.min(cap))))
        }
    }
}

/// The delays before jitter, under the cap; none of a schedule that is nothing but jitter.
fn curve(schedule: AnySchedule) -> Option<Box<dyn Iterator<Item = Duration>>> {
    const FOR_EVER: Duration = Duration::MAX;
    Some(match schedule {
        AnySchedule::Constant(plain) => Box::new(plain.jitter(Jitter::None).within(FOR_EVER).into_iter()),
        AnySchedule::Linear(plain) => Box::new(plain.jitter(Jitter::None).within(FOR_EVER).into_iter()),
        AnySchedule::Exponential(plain) => Box::new(plain.jitter(Jitter::None).within(FOR_EVER).into_iter()),
        AnySchedule::Fibonacci(plain) => Box::new(plain.jitter(Jitter::None).within(FOR_EVER).into_iter()),
        _ => return None,
    })
}

/// Held to what there is.
fn times(delay: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64((delay.as_secs_f64() * share).max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Policy;

    fn policy(schedule: &str) -> Policy {
        let text = format!("[retry]\nschedule = {{ {schedule} }}");
        Policy::parse("it", &text).expect("a schedule that is legal")
    }

    #[test]
    fn what_is_drawn_is_never_outside() {
        let kinds = [
            "kind = \"constant\", first = \"1s\"",
            "kind = \"linear\", first = \"1s\", step = \"300ms\", jitter = \"equal\", cap = \"4s\"",
            "kind = \"exponential\", first = \"10ms\", factor = 1.5, jitter = { around = 0.33333 }, cap = \"2s\"",
            "kind = \"exponential\", first = \"10ms\", floor = \"30ms\", cap = \"2s\"",
            "kind = \"fibonacci\", first = \"50ms\", jitter = \"none\"",
            "kind = \"fibonacci\", first = \"50ms\", jitter = { around = 1.0 }, floor = \"200ms\"",
            "kind = \"decorrelated\", first = \"50ms\", cap = \"3s\"",
            "kind = \"decorrelated\", first = \"0s\"",
        ];
        for kind in kinds {
            let policy = policy(kind);
            let (schedule, facts) = (policy.retry.expect("it").schedule, policy.facts.schedule.expect("it"));
            let mut reached = (Duration::MAX, Duration::ZERO);
            for _ in 0..500 {
                for ((low, high), delay) in ranges(schedule, facts).zip(schedule).take(12) {
                    assert!((low..=high).contains(&delay), "{kind}: {delay:?} is not in {low:?}..={high:?}");
                    reached = (reached.0.min(delay.saturating_sub(low)), reached.1.max(delay));
                }
            }
            assert!(reached.0 < Duration::from_millis(20), "{kind}: the shortest is not far off: {reached:?}");
        }
    }

    #[test]
    fn no_schedule_is_too_large() {
        let longest = "500000000000years";
        let schedule =
            format!("kind = \"exponential\", first = \"{longest}\", factor = 255, jitter = {{ around = 1.0 }}");
        let policy = policy(&schedule);
        let all = ranges(policy.retry.expect("it").schedule, policy.facts.schedule.expect("it"));
        assert!(all.take(100).all(|(low, high)| low <= high));
    }
}
