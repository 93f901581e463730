//! Warnings on hedges.

use std::time::Duration;

use super::{
    Case, Rule, Warning,
    budget::{MANY, is_unlimited},
};
use crate::plan::{
    facts::{Hedging, Late},
    human::{human, number},
};

pub(super) const RULES: &[Rule] = &[unpaid, product, early, never];

/// Where there is more than one attempt.
fn hedging(case: &Case<'_>) -> Option<Hedging> {
    case.policy.facts.hedging.filter(|hedging| hedging.attempts > 1)
}

fn unpaid(case: &Case<'_>) -> Option<Warning> {
    let hedging = hedging(case)?;
    if hedging.late == Late::OnFailure || !is_unlimited(case) {
        return None;
    }
    Warning::new(
        "hedge-without-budget",
        format!("a request that is late is sent up to {} times, and no budget limits it", hedging.attempts),
        "When the service is slow as a whole every request is late: hedges then multiply the load of a service that \
         is slow because \
         of its load.",
        "Add a table [budget]: retries and hedges are paid from the same one.",
    )
}

fn product(case: &Case<'_>) -> Option<Warning> {
    let hedging = hedging(case)?;
    let most = case.bounds.attempts_per_request;
    let hedged = f64::from(hedging.attempts);
    if !is_unlimited(case) || case.policy.retry.is_none() || most.is_some_and(|most| most <= MANY || most <= hedged) {
        return None;
    }
    let most = most.map_or("any number of".to_owned(), number);
    Warning::new(
        "hedge-multiplies-retries",
        format!("each attempt of a retry is hedged: up to {most} attempts for one request"),
        "Retries times hedges is what a request comes to when the service hangs, which is when it can bear it least.",
        "One budget for both, and fewer attempts of each: max_attempts in [retry] and in [hedge].",
    )
}

fn early(case: &Case<'_>) -> Option<Warning> {
    let latency = case.policy.service.latency();
    let what = match hedging(case)?.late {
        Late::After(delay) if delay < latency => format!("hedges are sent after {}", human(delay)),
        Late::Quantile(share) if share < 0.75 => {
            format!("hedges are sent when {} % have been answered", number(share * 100.0))
        }
        Late::After(_) | Late::Quantile(_) | Late::OnFailure => return None,
    };
    Warning::new(
        "hedge-too-early",
        format!("{what}, and half of all answers take up to {}", human(latency)),
        "Every second request is sent twice though nothing is wrong with it.",
        "delays = { quantile = 0.95 }: one request in twenty, wherever the latency goes.",
    )
}

fn never(case: &Case<'_>) -> Option<Warning> {
    let Late::After(delay) = hedging(case)?.late else { return None };
    let limit: Duration = case.policy.attempt_limit()?;
    if delay < limit {
        return None;
    }
    Warning::new(
        "hedge-never-sent",
        format!("a hedge is sent after {}, and an attempt is given up after {}", human(delay), human(limit)),
        "No attempt is late for so long: a hedge is sent when one has failed, and that is what retries are for.",
        "delays = { quantile = 0.95 }, or no hedge.",
    )
}
