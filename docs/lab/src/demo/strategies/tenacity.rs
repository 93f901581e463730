//! A decorator of Python's `tenacity`, as found around model calls: `stop_after_attempt(7)`,
//! `wait_exponential(multiplier=1, min=4, max=60)`, after a 500 or a timeout. No jitter, no hint, no budget.

use std::{io, time::Duration};

use super::{Answering, Strategy, is_500};
use crate::demo::{
    client::{Answer, Request},
    incident::compressed,
};

#[derive(Debug)]
pub(super) struct Tenacity;

const TRIES: u32 = 7;

/// For one attempt, in real life. Tenacity has none of its own: it is what a careful user gives the HTTP client, and the
/// same as in the stack that it is compared with. (The 60 s and more of many defaults are beyond the caller's patience.)
const TIMEOUT: Duration = Duration::from_secs(10);

impl Strategy for Tenacity {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(async move {
            let mut answer = attempt(request).await;
            for tried in 1..TRIES {
                if !is_500(&answer) && !timed_out(&answer) {
                    break;
                }
                tokio::time::sleep(compressed(wait(tried))).await;
                answer = attempt(request).await;
            }
            answer
        })
    }
}

async fn attempt(request: &Request) -> Answer {
    tokio::time::timeout(compressed(TIMEOUT), request.send())
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn timed_out(answer: &Answer) -> bool {
    matches!(answer, Err(error) if error.kind() == io::ErrorKind::TimedOut)
}

/// The wait after `tried` tries, in real life: 1 s doubled each time, never under 4 s or over 60 s.
fn wait(tried: u32) -> Duration {
    Duration::from_secs(1_u64.checked_shl(tried - 1).unwrap_or(u64::MAX).clamp(4, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_those_of_tenacity() {
        let waits: Vec<u64> = (1..=8).map(|tried| wait(tried).as_secs()).collect();
        assert_eq!(waits, [4, 4, 4, 8, 16, 32, 60, 60]);
    }
}
