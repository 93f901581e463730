//! Warnings on the delays between attempts.

use std::time::Duration;

use super::{Case, Rule, Warning};
use crate::plan::{
    bounds::{first_delay, longest_delay},
    facts::Spread,
    human::human,
};

pub(super) const RULES: &[Rule] = &[endless, jitter, seed, delay];

/// Whether anything is tried again.
fn retries(case: &Case<'_>) -> bool {
    longest_delay(case.policy).is_some()
}

fn endless(case: &Case<'_>) -> Option<Warning> {
    if case.policy.retry.is_none() || case.bounds.attempts_per_request.is_some() {
        return None;
    }
    Warning::new(
        "attempts-without-limit",
        "nothing limits the number of attempts: with full jitter any number of delays fit into any time",
        "A service that refuses at once is asked again and again by the same request, for as long as the deadline \
         lasts.",
        "Set max_attempts: most of what passes at all passes at the second or third attempt.",
    )
}

fn jitter(case: &Case<'_>) -> Option<Warning> {
    let spread = case.policy.facts.schedule?.spread;
    let alone = case.load.clients().get() == 1;
    if spread != Spread::None || alone || !retries(case) {
        return None;
    }
    Warning::new(
        "no-jitter",
        "the delays have no jitter",
        "Who failed together waits equally long and comes back together: the load comes in waves.",
        "Leave jitter out, which is \"full\", or set \"equal\".",
    )
}

fn seed(case: &Case<'_>) -> Option<Warning> {
    if !case.policy.facts.schedule?.seeded || !retries(case) {
        return None;
    }
    Warning::new(
        "seeded-jitter",
        "the schedule has a seed",
        "All requests of all clients that read this file draw the same delays: it is as if there were no jitter.",
        "Leave seed out; it is for tests.",
    )
}

fn delay(case: &Case<'_>) -> Option<Warning> {
    let longest = longest_delay(case.policy)?;
    let first = first_delay(case.policy)?;
    // A delay that passes the deadline is not slept.
    if longest <= LONG || first > LONG || case.policy.deadline().is_some() {
        return None;
    }
    Warning::new(
        "no-cap",
        format!(
            "the delays grow to {}, and there is neither a cap nor a deadline that would end that sooner",
            human(longest)
        ),
        "The last attempts come when nobody waits for them any more.",
        "Set schedule.cap to a few seconds, or a deadline, or fewer attempts.",
    )
}

/// Nobody waits longer.
const LONG: Duration = Duration::from_secs(60);
