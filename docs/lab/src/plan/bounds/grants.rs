//! How many extra attempts a budget grants: while all attempts fail, and while some do.

use evenkeel_budget::Costs;

use super::super::{
    Load, Policy,
    facts::{Budget, Hedging},
};

/// Of the budget of one client, while the outage lasts; none when the budget does not bound them.
pub(in crate::plan) fn grants(policy: &Policy, load: &Load) -> Option<f64> {
    let hedging = policy.facts.hedging.filter(|hedging| hedging.attempts > 1);
    match policy.facts.budget? {
        Budget::Ratio { ratio, min_per_second, ttl } => {
            let ttl_s = ttl.as_secs_f64();
            let windows = (load.outage().as_secs_f64() / ttl_s).ceil();
            // Each layer opens an account: the retry for each request, the hedge for each of its rounds.
            let both = policy.retry.is_some() && hedging.is_some();
            let deposits = load.rate() * ttl_s * if both { 2.0 } else { 1.0 };
            let of_their_own = if both { 1.0 - ratio } else { 1.0 };
            (of_their_own > 0.0).then(|| windows * (min_per_second * ttl_s + ratio * deposits) / of_their_own)
        }
        Budget::Aws { capacity, costs } => {
            let least = least(costs, hedging);
            (least > 0).then(|| f64::from(capacity / least))
        }
        Budget::Grpc { max_tokens, .. } => {
            let retries = (max_tokens / 2.0).ceil() - 1.0;
            let hedges = match hedging {
                None => 0.0,
                // Until half of the tokens are gone, which takes failures, which take their time.
                Some(Hedging { attempts, .. }) => {
                    let drained = policy.attempt_limit()?.as_secs_f64() * load.rate() + max_tokens / 2.0;
                    (drained + retries) * f64::from(attempts - 1)
                }
            };
            Some(retries.max(0.0) + hedges)
        }
        // Attempts that fail at once are never two at once.
        Budget::InFlight { .. } | Budget::Unlimited => None,
    }
}

/// The same if some attempts succeed, which fills a bucket again: of the budget of one client for so many requests as it has
/// while the outage lasts, but for what those get back that began before it.
pub(super) fn grants_if_some_fail(policy: &Policy, load: &Load) -> Option<f64> {
    let hedging = policy.facts.hedging.filter(|hedging| hedging.attempts > 1);
    // Each layer opens an account, and of all accounts of a request one in each layer can see a success.
    let accounts = load.asked() * f64::from(1 + u32::from(policy.retry.is_some() && hedging.is_some()));
    match policy.facts.budget? {
        // A success gives no less than it gave the first time, and no more than the last attempt cost: with k attempts that
        // were paid an account that succeeds takes at least as much from the bucket as k − 1 of the cheapest ones cost.
        // A bucket that does not hold the cheapest one never pays for any.
        Budget::Aws { .. } => grants(policy, load).map(|held| if held > 0.0 { held + accounts } else { 0.0 }),
        // A hedge is free as long as more than half is there, and successes keep it there.
        Budget::Grpc { .. } if hedging.is_some() => None,
        // What is tried again has failed and has left more than half: each takes one token of those above the half.
        Budget::Grpc { max_tokens, token_ratio } => {
            Some(((max_tokens / 2.0 + token_ratio * accounts).ceil() - 1.0).max(0.0))
        }
        // It does not look at how attempts end.
        Budget::Ratio { .. } => grants(policy, load),
        Budget::InFlight { .. } | Budget::Unlimited => None,
    }
}

/// What the cheapest attempt costs that the policy may send.
fn least(costs: Costs, hedging: Option<Hedging>) -> u32 {
    let retries = costs.transient.min(costs.throttled).min(costs.timeout);
    if hedging.is_some() { retries.min(costs.hedge) } else { retries }
}
