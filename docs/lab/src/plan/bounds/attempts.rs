//! How many attempts one request can come to, and how long its caller can wait.

use std::time::Duration;

use evenkeel_backoff::{DEFAULT_MAX_ATTEMPTS, RetryConfig};

use super::{
    super::{Policy, facts::Schedule},
    ranges::ranges,
};

/// Who comes so far is not bounded by time.
const FAR: u64 = 10_000;

/// The most attempts of one request, hedges aside: by their number, or by the shortest waits that there can be. None when neither
/// ends it.
pub(super) fn most(policy: &Policy) -> Option<u64> {
    let Some((retry, facts)) = policy.retry.zip(policy.facts.schedule) else { return Some(1) };
    let count = by_number(&retry, facts);
    let mut waited = Duration::ZERO;
    let far = count.unwrap_or(FAR).min(FAR);
    for (sent, (shortest, _)) in (1..far).zip(ranges(retry.schedule, facts)) {
        waited = waited.saturating_add(shortest);
        if waited > facts.within || retry.deadline.is_some_and(|deadline| waited >= deadline) {
            return Some(sent);
        }
    }
    count
}

fn by_number(retry: &RetryConfig, facts: Schedule) -> Option<u64> {
    let ends = facts.within != Duration::MAX || retry.deadline.is_some();
    let given = retry.max_attempts.map(|attempts| attempts.get().into());
    given.or_else(|| (!ends).then(|| DEFAULT_MAX_ATTEMPTS.get().into()))
}

/// The longest that a caller waits: if the server asks for no delay, and if it asks for the longest each time. None when nothing
/// bounds an attempt, or their number.
pub(super) fn waits(policy: &Policy) -> Option<[Duration; 2]> {
    // A hedge may be sent when the attempt before it has nearly had its time.
    let own = policy.service.timeout.map(|limit| limit.saturating_mul(policy.hedged()));
    let round = match (own, policy.attempt_timeout()) {
        (Some(own), Some(ours)) => own.min(ours),
        (own, ours) => own.or(ours)?,
    };
    let Some((retry, facts)) = policy.retry.zip(policy.facts.schedule) else { return Some([round; 2]) };
    let sum = most(policy).filter(|most| *most <= FAR).map(|most| {
        let delays = ranges(retry.schedule, facts).take(most as usize - 1);
        let delays = delays.fold(Duration::ZERO, |sum, (_, longest)| sum.saturating_add(longest)).min(facts.within);
        let plain = times(round, most).saturating_add(delays);
        [plain, plain.saturating_add(times(retry.max_server_delay, most - 1))]
    });
    // The policy's own time limit is cut at the deadline, the client's is not.
    let end = match (retry.deadline, retry.attempt_timeout) {
        (Some(deadline), Some(_)) => Some(deadline),
        (Some(deadline), None) => Some(deadline.saturating_add(round)),
        (None, _) => None,
    };
    match (sum, end) {
        (Some(sum), Some(end)) => Some(sum.map(|wait| wait.min(end))),
        (None, Some(end)) => Some([end; 2]),
        (sum, None) => sum,
    }
}

/// The longest that the first delay can be; none without retries.
pub(in crate::plan) fn first_delay(policy: &Policy) -> Option<Duration> {
    let (retry, facts) = policy.retry.zip(policy.facts.schedule)?;
    ranges(retry.schedule, facts).next().map(|(_, longest)| longest)
}

/// The longest that any delay can be which the policy comes to; none without retries.
pub(in crate::plan) fn longest_delay(policy: &Policy) -> Option<Duration> {
    let (retry, facts) = policy.retry.zip(policy.facts.schedule)?;
    let delays = most(policy).unwrap_or(FAR).min(FAR).saturating_sub(1);
    ranges(retry.schedule, facts).take(delays as usize).map(|(_, longest)| longest).max()
}

fn times(time: Duration, count: u64) -> Duration {
    time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}
