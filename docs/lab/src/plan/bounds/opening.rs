//! When the breaker of one client opens: the real one, with calls that come evenly and hang.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Permit, State};

use super::super::{Load, Policy};

/// When it opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// Since the begin of the outage.
    pub(super) after: Duration,
    /// So many calls had failed.
    pub(super) failures: u32,
}

/// So many calls at most are followed at one time.
const MOST_IN_FLIGHT: f64 = 100_000.0;
/// More than any count window has room for.
const CALM_CALLS: u32 = 600;

/// None when it does not open within the outage, or there is no breaker.
pub(super) fn opening(policy: &Policy, load: &Load) -> Option<Opening> {
    let (breaker, own, ours) = (policy.breaker.as_ref()?, policy.service.timeout, policy.attempt_timeout());
    // The client's own limit is inside of the breaker, and fails. The policy's is outside of it, and drops the call.
    let (limit, dropped) = match (own, ours) {
        (Some(own), Some(ours)) if ours < own => (ours, true),
        (Some(own), _) => (own, false),
        (None, Some(ours)) => (ours, true),
        (None, None) => return None,
    };
    let spacing = 1.0 / load.rate().min(MOST_IN_FLIGHT / limit.as_secs_f64().max(1.0));
    let spacing = Duration::try_from_secs_f64(spacing).unwrap_or(Duration::MAX);
    // A point in time like any other: all others are told from it.
    let start = Instant::now();
    let calm = spacing.saturating_mul(CALM_CALLS).min(MOST_CALM);
    let begin = start + calm;
    let breaker = breaker.builder().clock(move || start).build().ok()?;

    // Calm, as long as the windows are, or as is sensible.
    let calls = (calm.as_nanos() / spacing.as_nanos().max(1)) as u32;
    for call in 0..calls {
        let at = start + spacing * call;
        if let Ok(permit) = breaker.try_acquire_owned_at(at) {
            permit.success_at((at + policy.service.latency()).min(begin));
        }
    }

    let mut out: VecDeque<(Instant, Permit<_>)> = VecDeque::new();
    let mut failures = 0_u32;
    let mut sent = Some(begin + spacing);
    loop {
        // Whichever is first: the end of the call that is out for longest, or the next one.
        let ends = out.front().map(|(ends, _)| *ends);
        match (ends, sent) {
            (Some(ends), next) if next.is_none_or(|next| ends <= next) => {
                let (_, permit) = out.pop_front()?;
                if ends > begin + load.outage() {
                    return None;
                }
                if dropped {
                    permit.abandon_at(ends);
                } else {
                    permit.failure_at(ends);
                }
                failures = failures.saturating_add(1);
                if breaker.state_at(ends) == State::Open {
                    return Some(Opening { after: ends - begin, failures });
                }
            }
            (_, Some(next)) => {
                if next + limit > begin + load.outage() {
                    sent = None;
                    continue;
                }
                let permit = breaker.try_acquire_owned_at(next).ok()?;
                out.push_back((next + limit, permit));
                sent = next.checked_add(spacing);
            }
            // It is over, and it has not opened. (With a call that is out the first arm is taken.)
            (_, None) => return None,
        }
    }
}

/// No time window is longer than a day; one that is longer than this has few calls in it, by a load so small.
const MOST_CALM: Duration = Duration::from_secs(86_400);
