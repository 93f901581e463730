//! Warnings on how much more is sent than was asked for.

use evenkeel_budget::TokenBudget;

use super::{Case, Rule, Warning};
use crate::plan::{
    Bounds,
    facts::Budget,
    human::{human, number},
};

pub(super) const RULES: &[Rule] = &[load, retries, multiplied, fleet];

fn load(case: &Case<'_>) -> Option<Warning> {
    let capacity = case.policy.capacity(case.load.rps());
    if case.load.rps() <= capacity {
        return None;
    }
    Warning::new(
        "load-above-capacity",
        format!(
            "{} requests a second are asked of a service that can do {}",
            number(case.load.rps()),
            number(capacity)
        ),
        "It is overloaded before anything is tried again: no policy for retries can help it.",
        "Ask for less, or have more of the service; an adaptive throttle sheds what it cannot do.",
    )
}

fn retries(case: &Case<'_>) -> Option<Warning> {
    let once = case.bounds.attempts_per_request == Some(f64::from(case.policy.hedged()));
    let retries = case.policy.retry.is_some() && !once;
    if !(retries && is_unlimited(case)) {
        return None;
    }
    let budget = if case.policy.is_unbudgeted() { "there is no budget" } else { "the budget limits none of that" };
    let what = match case.bounds.attempts_per_request {
        Some(most) => format!("each request is sent up to {} times, and {budget}", number(most)),
        None => format!("requests are sent as often as the deadline allows, and {budget}"),
    };
    Warning::new(
        "retries-without-budget",
        what,
        "A limit on attempts bounds what one request does; in an outage all requests do it, and the service has that \
         load to \
         come back under.",
        "Add a table [budget]: kind = \"aws\" costs nothing while all is well, and grants nothing in an outage once \
         it is spent.",
    )
}

/// Whether no budget limits what is sent beyond first attempts: there is none, or it grants all that there is to grant. That what
/// it has saved up is too much for small clients is another warning.
pub(super) fn is_unlimited(case: &Case<'_>) -> bool {
    let Bounds { attempts_per_request: all, amplification, .. } = case.bounds;
    match case.policy.facts.budget {
        None | Some(Budget::Unlimited) => true,
        Some(Budget::InFlight { share, min_concurrency }) => {
            // As many as a client has in flight when all hang for as long as they may.
            let wait = case.bounds.longest_wait_ms.unwrap_or(f64::INFINITY) / 1e3;
            share >= f64::from(case.policy.hedged()) || f64::from(min_concurrency) >= case.load.rate() * wait * 2.0
        }
        Some(_) => match (amplification, all) {
            (Some(granted), Some(all)) => granted >= all && fleet(case).is_none(),
            (granted, _) => granted.is_none(),
        },
    }
}

fn multiplied(case: &Case<'_>) -> Option<Warning> {
    let layers = &case.policy.elsewhere;
    let (own, all) = (case.bounds.attempts_per_request, case.bounds.attempts_with_elsewhere);
    let others = layers.iter().filter(|layer| layer.attempts > 1).count();
    let levels = others + usize::from(own != Some(1.0));
    if others == 0 || levels < 2 || all.is_some_and(|all| all <= MANY) {
        return None;
    }
    let names: Vec<String> = layers.iter().map(|layer| format!("{} × {}", layer.attempts, layer.name)).collect();
    let (ours, all) = match (own, all) {
        (Some(1.0), Some(all)) => (String::new(), number(all)),
        (Some(ours), Some(all)) => (format!(", times ours ({})", number(ours)), number(all)),
        _ => (", times ours (as many as fit into the deadline)".to_owned(), "no limit".to_owned()),
    };
    Warning::new(
        "multiplied-retries",
        format!("{}{ours}: up to {all} attempts for one request", names.join(", ")),
        "Who retries around a client that retries, retries its retries. And a budget of ours takes each of them for \
         a new request.",
        "Retry in one place: where the request begins, or where the most is known about it. Switch it off in the \
         others.",
    )
}

/// More than a request should come to.
pub(super) const MANY: f64 = 4.0;

/// What one client sends beyond its first attempts whatever its share, for it was saved up before or is there in any case.
fn saved_up(case: &Case<'_>) -> Option<f64> {
    Some(match case.policy.facts.budget? {
        Budget::Ratio { min_per_second, ttl, .. } => {
            let windows = (case.load.outage().as_secs_f64() / ttl.as_secs_f64()).ceil();
            windows * ttl.as_secs_f64() * min_per_second
        }
        Budget::Aws { capacity, costs } => f64::from(capacity.checked_div(costs.transient)?),
        Budget::Grpc { max_tokens, .. } => (max_tokens / 2.0).ceil() - 1.0,
        Budget::InFlight { .. } | Budget::Unlimited => return None,
    })
}

fn fleet(case: &Case<'_>) -> Option<Warning> {
    let all = case.bounds.attempts_per_request.map_or(f64::INFINITY, |most| (most - 1.0) * case.load.asked());
    let granted = saved_up(case)?.min(all);
    let share = granted / case.load.asked();
    if share <= MOST_EXTRA {
        return None;
    }
    let clients = case.load.clients();
    let rate = case.load.rate();
    let instead = match case.policy.facts.budget? {
        Budget::Ratio { .. } => {
            "Lower min_per_second: it is for each client, and all of them have it in an outage. Or fewer \
             clients with a budget each."
                .to_owned()
        }
        Budget::Aws { capacity, .. } => {
            let sized = TokenBudget::sized_for(rate.ceil() as u32).capacity();
            if sized < capacity {
                format!("capacity = {sized}, which is for a client of {} requests a second.", number(rate))
            } else {
                "It is as small as is of use: have fewer clients with a budget each, or fewer attempts.".to_owned()
            }
        }
        Budget::Grpc { .. } => "Lower max_tokens: half of them are granted by each client.".to_owned(),
        Budget::InFlight { .. } | Budget::Unlimited => return None,
    };
    Warning::new(
        "budget-too-large-for-clients",
        format!(
            "{clients} clients may send {} extra attempts each, for the {} requests that each has in {}: {} % more",
            number(granted),
            number(case.load.asked()),
            human(case.load.outage()),
            number(share * 100.0),
        ),
        "A budget is for one client. What is little beside a client's thousand requests is a storm when it has ten, \
         and all \
         clients have it at the same moment.",
        instead,
    )
}

/// As a share of the requests of the outage.
const MOST_EXTRA: f64 = 0.35;
