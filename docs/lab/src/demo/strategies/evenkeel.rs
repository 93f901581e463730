//! What this workspace offers, put together as its README recommends: a tower layer with short jittered waits, the server's
//! hints, a limit for each attempt and for all of them, and a budget that all requests share.
//!
//! The requests are POSTs with an `Idempotency-Key`, so that `by_method` lets them be sent again whatever is transient.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel_backoff::{Exponential, Retry, TokenBudget, http::by_method, http::classify};
use http::Response;
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::{Answering, Setup, Strategy};
use crate::{
    demo::{
        client::{Client, Request},
        incident::compressed,
    },
    rng::Rng,
};

/// One stack for all requests of the run, as a client of a service would hold it.
#[derive(Debug)]
pub(super) struct Evenkeel {
    service: BoxCloneSyncService<http::Request<Bytes>, Response<Bytes>, io::Error>,
}

/// The waits before retries, in real life: 50 ms, doubled up to 5 s, each with full jitter.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
const RETRIES: usize = 4;

/// For one attempt, in real life: twice what a slow answer takes. Less would throw away work that is nearly done.
const ATTEMPT: Duration = Duration::from_secs(10);

impl Evenkeel {
    pub(super) fn new(setup: &Setup, client: &Arc<Client>) -> Self {
        let schedule = Exponential::new(compressed(FIRST_DELAY)).cap(compressed(LONGEST_DELAY)).take(RETRIES);
        let retry = Retry::new(Replayed { schedule, seed: setup.seed, sessions: Arc::default() }, sleep)
            .when(classify)
            .budget(TokenBudget::sized_for(setup.rps.ceil() as u32))
            .deadline(setup.patience)
            .attempt_timeout(compressed(ATTEMPT), || io::Error::from(io::ErrorKind::TimedOut))
            // Tokio's, which the tests pause.
            .clock(|| Instant::now().into_std());
        let client = Arc::clone(client);
        let send = move |message| {
            let client = Arc::clone(&client);
            async move { client.send(message).await }
        };
        let stack = ServiceBuilder::new().layer(retry.layer().replay(by_method)).service_fn(send);
        Self { service: BoxCloneSyncService::new(stack) }
    }
}

impl Strategy for Evenkeel {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(self.service.clone().oneshot(request.message()))
    }
}

/// A schedule that seeds each session anew, from the seed of the run and the session's number, so that a run replays. One
/// seed for the schedule itself would give all requests the same waits, and they would come back together; a service
/// leaves it unseeded.
#[derive(Clone, Debug)]
struct Replayed {
    schedule: Exponential,
    seed: u64,
    sessions: Arc<AtomicU64>,
}

impl IntoIterator for Replayed {
    type Item = Duration;
    type IntoIter = <Exponential as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.schedule.seed(Rng::keyed(&[self.seed, JITTER, session]).next_u64()).into_iter()
    }
}

/// Sets the seeds of the jitter apart from all other draws.
const JITTER: u64 = u64::from_be_bytes(*b"jitter  ");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_waits_of_its_own_and_a_run_replays_them() {
        let schedule = Exponential::new(Duration::from_secs(1)).take(4);
        let run = || {
            let schedule = Replayed { schedule, seed: 1, sessions: Arc::default() };
            [schedule.clone(), schedule].map(|session| session.into_iter().collect::<Vec<_>>())
        };
        let [first, second] = run();
        assert_ne!(first, second);
        assert_eq!([first, second], run());
    }
}
