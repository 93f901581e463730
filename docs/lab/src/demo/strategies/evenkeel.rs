//! What this workspace offers, put together as its README recommends:
//!
//! ```text
//! request ─▶ retry (deadline, jitter, hints) ─▶ alternates (hedging) ─┬▶ breaker ─▶ primary
//!                      └──── one budget ────────────────┘             └▶ breaker ─▶ secondary
//! ```
//!
//! **Alternates.** The primary is asked first. When it fails, or its breaker rejects, the secondary is asked at once, and that is
//! free: it is no load where the trouble is. While it is of no use to ask the primary, as its breaker says, the secondary is asked
//! first. So nobody waits for the end of an outage or comes back after a rejection, and the breaker can take its time.
//!
//! **Hedging.** When the first one is late the other is asked as well, and the first good answer wins. Late is the p95 of what was
//! seen in the last half minute: one request in twenty is asked twice, in fair weather and in foul. (A fixed delay does as well
//! where somebody knows the right one: of a second, as good in fair weather, every other request is late in the surge.) It has
//! two limits: a fixed delay until enough was seen, and a longest one, for the estimate of a service that hangs is of those few
//! that did not. The hedge covers a probe that is slow, too, so one at a time is enough.
//!
//! **One budget** pays for hedges and retries. A retry is what remains when both have failed.
//!
//! **A limit for each attempt**, as the HTTP client has it: what hangs is a failure to the breaker outside of it, and to the
//! alternates, which then ask the other one.
//!
//! The requests are POSTs with an `Idempotency-Key`, so that `by_method` lets them be sent twice.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use evenkeel_backoff::{Exponential, Hint, Outcome, Retry, TokenBudget, Verdict, http::Classifier, http::by_method};
use evenkeel_breaker::{Abandoned, Breaker, BreakerLayer, Error, OpenTimes};
use evenkeel_hedging::{Alternates, Answered, Hedge, Quantile};
use http::Response;
use tokio::time::{Instant, sleep, timeout};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::{Answering, Setup, Strategy};
use crate::{
    demo::{
        client::{Answer, Client, Request},
        incident::compressed,
        provider::Provider,
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

/// When an attempt is late, in real life, until a hundred have been seen; and at the most. One that was given up after so
/// long, because the other one has answered, has failed: without that, a service that hangs would never be found out.
const LATE: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(3);

/// Over how long latencies are remembered, in real life.
const WINDOW: Duration = Duration::from_secs(30);

/// How long a breaker stays open, in real life: up to 1 s, then 2 s, and 5 s at the most. The primary is the faster one, so it is
/// of some use to notice soon that it is back.
const FIRST_OPEN: Duration = Duration::from_secs(1);
const LONGEST_OPEN: Duration = Duration::from_secs(5);

/// What one of the two has come to.
type Attempt = Result<Response<Bytes>, Error<io::Error>>;

/// Tokio's clock, which the tests pause.
fn clock() -> std::time::Instant {
    Instant::now().into_std()
}

impl Evenkeel {
    pub(super) fn new(setup: &Setup, client: &Arc<Client>) -> Self {
        let budget = TokenBudget::sized_for(setup.rps.ceil() as u32);

        let schedule = Exponential::new(compressed(FIRST_DELAY)).cap(compressed(LONGEST_DELAY)).take(RETRIES);
        let retry = Retry::new(Replayed::new(schedule, setup.seed), sleep)
            .when(again)
            .budget(budget.clone())
            .deadline(setup.patience)
            .clock(clock);

        let late = Quantile::builder(0.95)
            .window(compressed(WINDOW))
            .until_warm(compressed(LATE))
            .at_most(compressed(LATEST))
            .clock(clock)
            .build();
        let hedge = Hedge::new(late.expect(IN_RANGE), sleep).when(elsewhere).budget(budget);

        let breakers = Provider::ALL.map(|provider| breaker(setup.seed, provider));
        let each = Provider::ALL.map(|provider| {
            let client = Arc::clone(client);
            let send = move |message| {
                let client = Arc::clone(&client);
                async move {
                    let answer = timeout(compressed(ATTEMPT), client.send(provider, message)).await;
                    answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                }
            };
            let breaker = breakers[provider.place()].clone();
            ServiceBuilder::new().layer(BreakerLayer::new(breaker).when(health)).service_fn(send)
        });
        let alternates = Alternates::new(each)
            .policy(hedge)
            .replay(by_method)
            .available(move |place: usize| breakers[place].check().is_ok());

        let stack = ServiceBuilder::new()
            .map_err(|error| match error {
                Error::Open(rejected) => io::Error::other(rejected),
                Error::Inner(error) => error,
            })
            .layer(retry.layer().replay(by_method))
            .map_response(Answered::into_inner)
            .service(alternates);
        Self { service: BoxCloneSyncService::new(stack) }
    }
}

/// The breaker of one of the two. It opens after ten failures in a row, or when half of the last hundred results are failures.
fn breaker(seed: u64, provider: Provider) -> Breaker<fn() -> std::time::Instant> {
    let open_times = OpenTimes::new(compressed(FIRST_OPEN), compressed(LONGEST_OPEN));
    Breaker::builder()
        .open_for(open_times.seed(Rng::keyed(&[seed, OPENING, provider.place() as u64]).next_u64()))
        .probe_timeout(compressed(ATTEMPT))
        .abandoned(Abandoned::FailureAfter(compressed(LATEST)))
        .clock(clock as fn() -> std::time::Instant)
        .build()
        .expect(IN_RANGE)
}

/// Of constants.
const IN_RANGE: &str = "settings in their ranges";

const CLASSIFIER: Classifier = Classifier::new();

/// Whether the other one may do better. Where a breaker has rejected, it may.
fn elsewhere(attempt: &Attempt) -> Verdict {
    match attempt {
        Ok(response) => CLASSIFIER.response(response),
        Err(Error::Inner(error)) => CLASSIFIER.error(error),
        Err(Error::Open(_)) => Verdict::transient().unprocessed(),
    }
}

/// Whether to ask both again, later. Where both breakers have rejected, it is of no use.
fn again(attempt: &Attempt) -> Verdict {
    match attempt {
        Err(Error::Open(_)) => Verdict::permanent(),
        Ok(_) | Err(Error::Inner(_)) => elsewhere(attempt),
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
    seed: u64,
    sessions: Arc<AtomicU64>,
}

impl Replayed {
    fn new(schedule: Exponential, seed: u64) -> Self {
        Self { schedule, seed, sessions: Arc::default() }
    }
}

impl IntoIterator for Replayed {
    type Item = Duration;
    type IntoIter = <Exponential as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.schedule.seed(Rng::keyed(&[self.seed, JITTER, session]).next_u64()).into_iter()
    }
}

/// They set these draws apart from all others.
const JITTER: u64 = u64::from_be_bytes(*b"jitter  ");
const OPENING: u64 = u64::from_be_bytes(*b"open for");

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the look at the breaker and the call another request may have taken the probe's place.
    #[test]
    fn what_a_breaker_rejects_goes_to_the_other_one_and_is_not_sent_again_when_both_do() {
        let breaker = breaker(1, Provider::Primary);
        breaker.force_open();
        let rejected: Attempt = Err(breaker.check().unwrap_err().into());
        assert_eq!(elsewhere(&rejected).outcome(), Outcome::Transient);
        assert_eq!(again(&rejected).outcome(), Outcome::Permanent);
    }

    #[test]
    fn each_session_has_waits_of_its_own_and_a_run_replays_them() {
        let schedule = Exponential::new(Duration::from_secs(1)).take(4);
        let run = || {
            let schedule = Replayed::new(schedule, 1);
            [schedule.clone(), schedule].map(|session| session.into_iter().collect::<Vec<_>>())
        };
        let [first, second] = run();
        assert_ne!(first, second);
        assert_eq!([first, second], run());
    }
}
