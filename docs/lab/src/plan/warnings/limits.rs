//! Warnings on time limits and deadlines.

use std::time::Duration;

use super::{Case, Rule, Warning};
use crate::plan::{
    bounds::first_delay,
    human::{human, ms},
};

pub(super) const RULES: &[Rule] = &[hangs, short_limit, short_deadline, held, server_delay];

fn hangs(case: &Case<'_>) -> Option<Warning> {
    if case.policy.attempt_limit().is_some() {
        return None;
    }
    let what = match case.policy.deadline() {
        Some(_) => "there is a deadline, but no time limit of an attempt, which it could cut off",
        None => "no attempt has a time limit",
    };
    Warning::new(
        "no-attempt-timeout",
        what,
        "An attempt that hangs holds its caller for as long as the service likes: it is no failure, so nothing is \
         tried again and \
         no breaker opens.",
        "Set retry.attempt_timeout, and service.timeout to the limit that the client has itself.",
    )
}

fn short_limit(case: &Case<'_>) -> Option<Warning> {
    let limit = case.policy.attempt_limit()?;
    let latency = case.policy.service.latency();
    if limit >= latency.saturating_mul(2) {
        return None;
    }
    Warning::new(
        "attempt-timeout-too-short",
        format!("an attempt is given up after {}, and half of all answers take up to {}", human(limit), human(latency)),
        "A service that is well seems to fail: the budget is spent and the breaker opens for nothing.",
        "Give an attempt at least as long as the slowest of a hundred answers takes.",
    )
}

fn short_deadline(case: &Case<'_>) -> Option<Warning> {
    let deadline = case.policy.deadline()?;
    let attempt = case.policy.attempt_limit().unwrap_or(case.policy.service.slow());
    let first = first_delay(case.policy)?;
    let once = case.policy.retry?.max_attempts.is_some_and(|most| most.get() == 1);
    let needs = attempt.saturating_add(first);
    if once || deadline > needs {
        return None;
    }
    Warning::new(
        "deadline-too-short",
        format!(
            "the deadline of {} is no longer than an attempt ({}) and the first delay ({})",
            human(deadline),
            human(attempt),
            human(first)
        ),
        "An attempt that hangs leaves no time for another one: the retries are there for those that fail early alone.",
        format!("A deadline of more than {}, or a shorter attempt_timeout.", human(needs.saturating_add(attempt))),
    )
}

fn held(case: &Case<'_>) -> Option<Warning> {
    let longest = case.bounds.longest_wait_with_server_delays_ms?;
    if case.policy.deadline().is_some() || longest <= ms(LONG) {
        return None;
    }
    let longest = Duration::try_from_secs_f64(longest / 1e3).unwrap_or(Duration::MAX);
    Warning::new(
        "no-deadline",
        format!(
            "there is no deadline: a caller may wait for {}, the delays that a server may ask for included",
            human(longest)
        ),
        "Callers who wait hold connections and memory, and most of them are gone before the answer comes.",
        "Set retry.deadline to what a caller waits for, and max_server_delay to a part of it.",
    )
}

/// Nobody waits longer.
const LONG: Duration = Duration::from_secs(60);

fn server_delay(case: &Case<'_>) -> Option<Warning> {
    let (deadline, retry) = (case.policy.deadline()?, case.policy.retry?);
    if !case.policy.facts.server_delay_given || retry.max_server_delay < deadline {
        return None;
    }
    Warning::new(
        "max-server-delay-above-deadline",
        format!("max_server_delay is {}, the deadline is {}", human(retry.max_server_delay), human(deadline)),
        "A delay that passes the deadline ends the request at once, so this limit never decides anything.",
        "Shorter than the deadline, by an attempt at least; or leave it out.",
    )
}
