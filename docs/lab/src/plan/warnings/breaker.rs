//! Warnings on when the breaker opens, and for how long.

use std::time::Duration;

use super::{Case, Rule, Warning};
use crate::plan::human::{human, number};

pub(super) const RULES: &[Rule] = &[unseen, late, quiet, slow, long, probe, dry];

/// The policy's time limit is outside of the breaker: what it cuts off is dropped, and nobody says that it failed.
fn is_unseen(case: &Case<'_>) -> bool {
    let Some((guard, ours)) = case.policy.facts.guard.as_ref().zip(case.policy.attempt_timeout()) else { return false };
    let seen_before = case.policy.service.timeout.is_some_and(|own| own <= ours);
    !seen_before && guard.dropped_fails_after.is_none_or(|least| least > ours)
}

fn unseen(case: &Case<'_>) -> Option<Warning> {
    if !is_unseen(case) {
        return None;
    }
    Warning::new(
        "breaker-does-not-see-timeouts",
        "the only time limit that cuts off what hangs is retry.attempt_timeout, which is outside of the breaker",
        "It drops the call, and a call that is dropped counts for nothing: the breaker does not open while the \
         service hangs.",
        "Give the client a time limit of its own (service.timeout), or set breaker.abandoned = { failure_after = \
         \"…\" } to a time \
         shorter than the attempt_timeout.",
    )
}

fn late(case: &Case<'_>) -> Option<Warning> {
    case.policy.facts.guard.as_ref()?;
    if is_unseen(case)
        || is_quiet(case)
        || case.policy.attempt_limit().is_none()
        || case.bounds.time_to_open_ms.is_some()
    {
        return None;
    }
    Warning::new(
        "breaker-slower-than-outage",
        format!(
            "at {} requests a second of a client the breaker does not open within {}",
            number(case.load.rate()),
            human(case.load.outage())
        ),
        "What it is to spare the service is sent all the same. It is the client's own requests that have to fail, \
         not those of \
         the fleet.",
        "Fewer consecutive_failures, a shorter time limit of an attempt; or a prober, which does not depend on \
         requests.",
    )
}

fn is_quiet(case: &Case<'_>) -> bool {
    let Some(guard) = &case.policy.facts.guard else { return false };
    let calls = guard.time_window.map(|window| window.as_secs_f64() * case.load.rate());
    guard.judges_shares && calls.is_some_and(|calls| calls < f64::from(guard.minimum_calls))
}

fn quiet(case: &Case<'_>) -> Option<Warning> {
    let guard = case.policy.facts.guard.as_ref().filter(|_| is_quiet(case))?;
    let window = guard.time_window?;
    let calls = window.as_secs_f64() * case.load.rate();
    Warning::new(
        "minimum-calls-not-reached",
        format!(
            "a client has about {} calls in a window of {}, and minimum_calls is {}",
            number(calls),
            human(window),
            guard.minimum_calls
        ),
        "The share of failures is not judged before there are so many: at this rate it never is.",
        "A longer time_window, fewer minimum_calls, or a count_window, which does not depend on the traffic.",
    )
}

fn slow(case: &Case<'_>) -> Option<Warning> {
    let threshold = case.policy.facts.guard.as_ref()?.slow_threshold?;
    let limit = case.policy.attempt_limit()?;
    if threshold <= limit {
        return None;
    }
    Warning::new(
        "slow-threshold-never-reached",
        format!("a call is slow from {} on, and none lasts longer than {}", human(threshold), human(limit)),
        "The rule never says anything: what would be slow is cut off before.",
        "A threshold between what answers take when all is well and the time limit.",
    )
}

fn long(case: &Case<'_>) -> Option<Warning> {
    let longest = Duration::try_from_secs_f64(case.bounds.longest_open_ms? / 1e3).ok()?;
    case.bounds.time_to_open_ms?;
    if longest <= case.load.outage().saturating_mul(2) {
        return None;
    }
    Warning::new(
        "open-time-longer-than-outage",
        format!("an outage of {} can keep the breaker open for {}", human(case.load.outage()), human(longest)),
        "The service is back, and the clients do not ask: the outage lasts longer for them than it did.",
        "Begin with a few seconds (open_for.first) and let them grow; ramp and half_open_permits protect what has \
         just come back.",
    )
}

fn probe(case: &Case<'_>) -> Option<Warning> {
    let guard = case.policy.facts.guard.as_ref()?;
    let (shortest, _) = guard.open_for.ranges().next()?;
    let (what, limit) = match guard.probe_timeout {
        Some(limit) => ("probe_timeout is", limit),
        None => ("without a probe_timeout it is the open time before, which is as short as", shortest),
    };
    let latency = case.policy.service.latency();
    if limit >= latency.saturating_mul(2) {
        return None;
    }
    Warning::new(
        "probe-timeout-too-short",
        format!("{what} {}, and half of all answers take up to {}", human(limit), human(latency)),
        "A probe that is well answered counts as failed because it was not answered in time: the breaker stays open \
         though the \
         service is back.",
        "As long as an attempt may take.",
    )
}

fn dry(case: &Case<'_>) -> Option<Warning> {
    if !case.policy.facts.guard.as_ref()?.dry_run {
        return None;
    }
    Warning::new(
        "breaker-dry-run",
        "the breaker makes a dry run",
        "It says what it would reject, and rejects nothing: in an outage it is as if it were not there.",
        "Leave dry_run out, once what it says is what you want.",
    )
}
