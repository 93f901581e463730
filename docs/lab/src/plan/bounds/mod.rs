//! Worst cases, worked out from a configuration without running it.

mod attempts;
mod grants;
mod opening;
mod ranges;

use std::time::Duration;

use serde::Serialize;

use super::{
    Load, Policy,
    human::{ms, rounded},
};
pub(super) use attempts::{first_delay, longest_delay};
pub(super) use grants::grants;
use grants::grants_if_some_fail;

/// What cannot be passed, as far as something bounds it: where there is none, nothing in the configuration does.
///
/// Attempts of one request, waits and open times hold whatever the service does: whether it answers with an error at once or not
/// at all. What a budget adds depends on how many attempts fail, so there are two figures. The one for each request of the outage
/// counts the requests that a client has in the mean. [`time_to_open_ms`](Self::time_to_open_ms) is no bound: it is an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// Attempts of one request, hedges included.
    pub attempts_per_request: Option<f64>,
    /// The same, times what the layers of `elsewhere` make of it.
    pub attempts_with_elsewhere: Option<f64>,
    /// Extra attempts that the budget of one client grants while the outage lasts, if every attempt fails.
    pub extra_attempts_per_client: Option<f64>,
    /// Attempts for each request of the outage, in the mean, if every attempt fails until it is over.
    pub amplification: Option<f64>,
    /// The same if some fail, whichever these are: what succeeds may pay a budget for what is tried again next.
    pub amplification_if_some_fail: Option<f64>,
    /// How long a caller waits, unless the server asks for a delay.
    pub longest_wait_ms: Option<f64>,
    /// How long a caller waits if the server asks for the longest delay there may be, each time.
    pub longest_wait_with_server_delays_ms: Option<f64>,
    /// An estimate, and no bound: about how long it takes until the breaker of a client opens, if attempts come evenly spaced and
    /// all hang from the begin of the outage on; none when it does not open in it. Where they come by chance, a client with few
    /// of them is often later.
    pub time_to_open_ms: Option<f64>,
    /// How many of them have failed by then.
    pub failures_to_open: Option<u32>,
    /// The longest open time that can be under way when the outage ends.
    pub longest_open_ms: Option<f64>,
}

impl Bounds {
    /// Of this policy, under this load.
    #[must_use]
    pub fn of(policy: &Policy, load: &Load) -> Self {
        let per_request = attempts::most(policy).map(|most| most as f64 * f64::from(policy.hedged()));
        let granted = grants(policy, load);
        let if_some_fail = grants_if_some_fail(policy, load);
        let opening = opening::opening(policy, load);
        let waits = attempts::waits(policy);
        Self {
            attempts_per_request: per_request,
            attempts_with_elsewhere: per_request.map(|most| most * policy.multiplied()),
            extra_attempts_per_client: granted.map(rounded),
            amplification: amplification(policy, per_request, granted, load).map(rounded),
            amplification_if_some_fail: amplification(policy, per_request, if_some_fail, load).map(rounded),
            longest_wait_ms: waits.map(|[plain, _]| ms(plain)),
            longest_wait_with_server_delays_ms: waits.map(|[_, asked]| ms(asked)),
            time_to_open_ms: opening.map(|opening| ms(opening.after)),
            failures_to_open: opening.map(|opening| opening.failures),
            longest_open_ms: longest_open(policy, load).map(ms),
        }
    }
}

/// The smaller one of what all requests do with all their attempts and what the budget pays for.
fn amplification(policy: &Policy, per_request: Option<f64>, granted: Option<f64>, load: &Load) -> Option<f64> {
    let unpaid = policy.facts.hedging.filter(|hedging| !hedging.failures_pay);
    // What is not paid for comes on top, for each that is.
    let unpaid = unpaid.map_or(1.0, |hedging| f64::from(hedging.attempts));
    let paid = granted.map(|granted| (1.0 + granted / load.asked()) * unpaid);
    match (per_request, paid) {
        (Some(all), Some(paid)) => Some(all.min(paid)),
        (all, paid) => all.or(paid),
    }
}

/// The shorter the times before it were, the more of them fit into the outage.
fn longest_open(policy: &Policy, load: &Load) -> Option<Duration> {
    let guard = policy.facts.guard.as_ref()?;
    let mut begins = Duration::ZERO;
    let mut last = Duration::ZERO;
    // More than would fit: open times of nothing at all would never get there.
    for (shortest, longest) in guard.open_for.ranges().take(10_000) {
        if begins > load.outage() {
            break;
        }
        (last, begins) = (last.max(longest), begins.saturating_add(shortest));
    }
    Some(last)
}
