//! What this workspace offers, put together as its README recommends: a tower layer with short jittered waits, the
//! server's hints, a limit for each attempt and for all of them, a budget that all requests share, and under it a
//! breaker that all share as well.
//!
//! The breaker is asked before each attempt, and fails fast. What it rejects was not sent, so it is no load, and the
//! retry layer must not pay for it: in an outage the budget is empty, and whoever is rejected just before the end of it
//! would fail. A layer of its own, between the two, has a rejected attempt ask again, after the breaker's next probe.
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
use evenkeel_backoff::{
    Exponential, Hint, Outcome, Retry, TokenBudget, Unlimited, Verdict, http::Classifier, http::by_method,
};
use evenkeel_breaker::{Abandoned, Breaker, BreakerLayer, Error, OpenTimes, State};
use http::Response;
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::{Answering, Setup, Strategy};
use crate::{
    demo::{
        client::{Answer, Client, Request},
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

/// For one attempt, in real life: twice what a slow answer takes. Less would throw away work that is nearly done. A
/// probe has as long.
const ATTEMPT: Duration = Duration::from_secs(10);

/// What is given up after so long has failed, in real life: no good answer takes longer.
const HUNG: Duration = Duration::from_secs(6);

/// How long the breaker stays open, in real life: up to 1 s, however long the outage is. So long is the end of it
/// overlooked, and a call a second is no load for a service that has hundreds.
const OPEN: Duration = Duration::from_secs(1);

/// So many calls at once find out whether it is well, and the first answer decides: in an outage that is the first call
/// of them, and after it one that is slow by chance keeps nobody waiting.
const PROBES: u32 = 3;

/// What the breaker rejects comes back after the next probe, twice at most, with full jitter of 0.5 s and then 1 s in
/// real life: most of them when it has been answered, and not all in the same moment.
const RETURNS: usize = 2;
const SPREAD: Duration = Duration::from_millis(500);

/// An attempt that the breaker was asked for.
type Attempt = Result<Response<Bytes>, Error<io::Error>>;

impl Evenkeel {
    pub(super) fn new(setup: &Setup, client: &Arc<Client>) -> Self {
        // Tokio's, which the tests pause.
        let clock = || Instant::now().into_std();
        let schedule = Exponential::new(compressed(FIRST_DELAY)).cap(compressed(LONGEST_DELAY)).take(RETRIES);
        let retry = Retry::new(Replayed::new(schedule, [setup.seed, JITTER]), sleep)
            .when(judge)
            .budget(TokenBudget::sized_for(setup.rps.ceil() as u32))
            .deadline(setup.patience)
            .attempt_timeout(compressed(ATTEMPT), || Error::Inner(io::ErrorKind::TimedOut.into()))
            .clock(clock);

        let returns = Exponential::new(compressed(SPREAD)).take(RETURNS);
        let again = Retry::new(Replayed::new(returns, [setup.seed, COMING_BACK]), sleep)
            .when(rejected_for_now)
            .budget(Unlimited)
            // Where the server has asked for more, nobody waits.
            .max_server_delay(compressed(OPEN));

        let open_times = OpenTimes::new(compressed(OPEN), compressed(OPEN));
        let breaker = Breaker::builder()
            .open_for(open_times.seed(Rng::keyed(&[setup.seed, OPENING]).next_u64()))
            .half_open_permits(PROBES)
            .probe_timeout(compressed(ATTEMPT))
            // Those that hang are dropped by the layer above when they have had their time, part of which may have passed
            // before they were sent.
            .abandoned(Abandoned::FailureAfter(compressed(HUNG)))
            .clock(clock)
            .build();
        // Constants in their ranges.
        let breaker = breaker.expect("settings that the breaker takes");

        let client = Arc::clone(client);
        let send = move |message| {
            let client = Arc::clone(&client);
            async move { client.send(message).await }
        };
        let stack = ServiceBuilder::new()
            .map_err(|error| match error {
                Error::Open(rejected) => io::Error::other(rejected),
                Error::Inner(error) => error,
            })
            .layer(retry.layer().replay(by_method))
            .layer(again.layer())
            .layer(BreakerLayer::new(breaker).when(health))
            .service_fn(send);
        Self { service: BoxCloneSyncService::new(stack) }
    }
}

const CLASSIFIER: Classifier = Classifier::new();

/// Whether another attempt may help. Of one that the breaker has rejected to the last, it does not.
fn judge(attempt: &Attempt) -> Verdict {
    match attempt {
        Ok(response) => CLASSIFIER.response(response),
        Err(Error::Inner(error)) => CLASSIFIER.error(error),
        Err(Error::Open(_)) => Verdict::permanent(),
    }
}

/// Whether to ask the breaker again, and when: not before it is ready. The probe that is out can be answered at any
/// moment, so nobody waits for its time to be over.
fn rejected_for_now(attempt: &Attempt) -> Verdict {
    match attempt {
        Err(Error::Open(rejected)) => match rejected.retry_after() {
            Some(wait) if rejected.state() == State::Open => Verdict::transient().not_before(wait),
            Some(_) => Verdict::transient(),
            None => Verdict::permanent(),
        },
        Ok(_) | Err(Error::Inner(_)) => Verdict::success(),
    }
}

/// What an answer says about the service: the same classifier's word, in the breaker's terms.
fn health(answer: &Answer) -> evenkeel_breaker::Verdict {
    let verdict = CLASSIFIER.result(answer);
    let failure = match verdict.outcome() {
        Outcome::Success | Outcome::Permanent => return evenkeel_breaker::Verdict::success(),
        Outcome::Transient | Outcome::Throttled => evenkeel_breaker::Verdict::failure(),
    };
    match verdict.hint() {
        Some(Hint::NotBefore(wait) | Hint::Exactly(wait)) => failure.not_before(wait),
        Some(Hint::Never) | None => failure,
    }
}

impl Strategy for Evenkeel {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(self.service.clone().oneshot(request.message()))
    }
}

/// A schedule that seeds each session anew, from the seed of the run and the session's number, so that a run replays.
/// One seed for the schedule itself would give all requests the same waits, and they would come back together; a
/// service leaves it unseeded.
#[derive(Clone, Debug)]
struct Replayed {
    schedule: Exponential,
    keys: [u64; 2],
    sessions: Arc<AtomicU64>,
}

impl Replayed {
    /// The keys are the seed of the run, and what the jitter is drawn for.
    fn new(schedule: Exponential, keys: [u64; 2]) -> Self {
        Self { schedule, keys, sessions: Arc::default() }
    }
}

impl IntoIterator for Replayed {
    type Item = Duration;
    type IntoIter = <Exponential as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.schedule.seed(Rng::keyed(&[self.keys[0], self.keys[1], session]).next_u64()).into_iter()
    }
}

/// They set these draws apart from all others.
const JITTER: u64 = u64::from_be_bytes(*b"jitter  ");
const COMING_BACK: u64 = u64::from_be_bytes(*b"again   ");
const OPENING: u64 = u64::from_be_bytes(*b"open for");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_waits_of_its_own_and_a_run_replays_them() {
        let schedule = Exponential::new(Duration::from_secs(1)).take(4);
        let run = || {
            let schedule = Replayed::new(schedule, [1, JITTER]);
            [schedule.clone(), schedule].map(|session| session.into_iter().collect::<Vec<_>>())
        };
        let [first, second] = run();
        assert_ne!(first, second);
        assert_eq!([first, second], run());
    }
}
