//! What this workspace offers, put together as its README recommends:
//!
//! ```text
//! request ─▶ throttle ─▶ retry (deadline, jitter, hints) ─▶ alternates (hedging) ─┬▶ breaker ─▶ primary
//!                                 └──── one budget ────────────────┘             └▶ breaker ─▶ secondary
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
//! **The throttle** is for the day on which both are in trouble. It hears what the callers are answered, so while either provider
//! answers half of them, it rejects nothing.
//!
//! All of it is observed, and counts where a recorder is installed: `--metrics`.
//!
//! The requests are POSTs with an `Idempotency-Key`, so that `by_method` lets them be sent twice.

mod breakers;

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use evenkeel_backoff::{
    self as backoff, Exponential, Hint, Outcome, Retry, TokenBudget, Verdict, http::Classifier, http::by_method,
};
use evenkeel_breaker::{BreakerLayer, Error};
use evenkeel_budget::{AdaptiveThrottle, BudgetMetrics, Observed, ThrottleError, ThrottleLayer, ThrottleMetrics};
use evenkeel_hedging::{Alternates, Answered, Hedge, HedgeMetrics, Quantile};
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
    drawn::Drawn,
    rng::Rng,
};
use breakers::breakers;

/// One stack for all requests of the run, as a client of a service would hold it.
#[derive(Debug)]
pub(super) struct Evenkeel {
    service: BoxCloneSyncService<http::Request<Bytes>, Response<Bytes>, io::Error>,
}

/// What the series are called by; those of the breakers by their provider.
const NAME: &str = "model-api";

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

/// What one of the two has come to.
type Attempt = Result<Response<Bytes>, Error<io::Error>>;

/// Tokio's clock, which the tests pause.
fn clock() -> std::time::Instant {
    Instant::now().into_std()
}

impl Evenkeel {
    pub(super) fn new(setup: &Setup, client: &Arc<Client>) -> Self {
        let budget = TokenBudget::sized_for(setup.rps.ceil() as u32);
        let budget = Observed::new(budget, BudgetMetrics::new(NAME));

        let schedule = Exponential::new(compressed(FIRST_DELAY)).cap(compressed(LONGEST_DELAY)).take(RETRIES);
        let retry = Retry::new(Drawn::new(setup.seed, move |seed| schedule.seed(seed)), sleep)
            .when(again)
            .budget(budget.clone())
            .deadline(setup.patience)
            .observe(backoff::Metrics::new(NAME))
            .clock(clock);

        let late = Quantile::builder(0.95)
            .window(compressed(WINDOW))
            .until_warm(compressed(LATE))
            .at_most(compressed(LATEST))
            .clock(clock)
            .build();
        let late = late.expect(IN_RANGE);
        let metrics = HedgeMetrics::new(NAME).alternates(Provider::ALL.map(Provider::name)).threshold_of(&late);
        let hedge = Hedge::new(late, sleep).when(elsewhere).budget(budget).observe(metrics);

        let breakers = breakers(setup.seed);
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

        let throttle = AdaptiveThrottle::builder()
            .window(compressed(AdaptiveThrottle::DEFAULT_WINDOW))
            .seed(Rng::keyed(&[setup.seed, THROTTLE]).next_u64())
            .clock(clock)
            .observe(ThrottleMetrics::new(NAME));

        let stack = ServiceBuilder::new()
            .map_err(|error| match error {
                ThrottleError::Rejected(rejected) => io::Error::other(rejected),
                ThrottleError::Inner(Error::Open(rejected)) => io::Error::other(rejected),
                ThrottleError::Inner(Error::Inner(error)) => error,
            })
            .layer(ThrottleLayer::new(throttle.build().expect(IN_RANGE)).when(elsewhere))
            .layer(retry.layer().replay(by_method))
            .map_response(Answered::into_inner)
            .service(alternates);
        Self { service: BoxCloneSyncService::new(stack) }
    }
}

/// Of constants.
const IN_RANGE: &str = "settings in their ranges";

/// Sets these draws apart from all others.
const THROTTLE: u64 = u64::from_be_bytes(*b"throttle");

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Between the look at the breaker and the call another request may have taken the probe's place.
    #[test]
    fn what_a_breaker_rejects_goes_to_the_other_one_and_is_not_sent_again_when_both_do() {
        let [breaker, _] = breakers(1);
        breaker.force_open();
        let rejected: Attempt = Err(breaker.check().unwrap_err().into());
        assert_eq!(elsewhere(&rejected).outcome(), Outcome::Transient);
        assert_eq!(again(&rejected).outcome(), Outcome::Permanent);
    }
}
