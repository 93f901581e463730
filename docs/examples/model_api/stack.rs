//! The stack around a chat API's calls: which layers, in which order, and why each is where it is.

use std::{future::Future, io, sync::Arc, time::Duration};

use evenkeel_backoff::{Always, Metrics, Verdict, http::AttemptLog};
use evenkeel_breaker::Error;
use evenkeel_budget::{BudgetMetrics, Observed};
use evenkeel_hedging::{Alternates, Answered, HedgeMetrics};
use tokio::task::JoinHandle;
use tower::{BoxError, ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::config::{Config, Refused};
use super::endpoint::{Answer, CLASSIFIER, Chat, Endpoint, Failure, Guard, refuses_us};

/// One for the whole program, cloned for each request: budgets, breakers and estimates are shared by all clones.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    interactive: BoxCloneSyncService<Chat, Answer, Failure>,
    bulk: BoxCloneSyncService<Chat, Answer, BoxError>,
    endpoints: Arc<[Endpoint]>,
    log: AttemptLog,
}

impl Client {
    /// The client that `config` describes, within a tokio runtime, which runs the queue of the bulk requests. `sleep` is
    /// `tokio::time::sleep`; a test may have another.
    ///
    /// # Errors
    ///
    /// When a key is not in the environment.
    pub(crate) fn new<W, D>(config: &Config, http: &reqwest::Client, sleep: W) -> Result<Self, Refused>
    where
        W: Fn(Duration) -> D + Clone + Send + Sync + 'static,
        D: Future + Send + 'static,
    {
        // What retries and hedges together may add. One for both: what one of them spends, the other does not have.
        let budget = Observed::new(config.budget.build(), BudgetMetrics::new(NAME));

        let several = config.providers.len() > 1;
        let retry = config
            .retry
            .policy(sleep.clone(), || Error::Inner(io::ErrorKind::TimedOut.into()))
            .when(move |attempt: &Result<Answer, Failure>| again(attempt, several))
            .budget(budget.clone())
            .observe(Metrics::new(NAME));

        let hedge = config.hedge.policy(sleep).when(elsewhere).budget(budget);
        let mut metrics = HedgeMetrics::new(NAME).alternates(config.providers.iter().map(|one| one.name.clone()));
        if let Some(quantile) = hedge.delays().quantile() {
            metrics = metrics.threshold_of(quantile);
        }
        let hedge = hedge.observe(metrics);

        let log = AttemptLog::builder(config.log.capacity.into()).dropped_after(config.log.dropped_after);
        let log = log.build().expect("a log can keep as many as 65,535");
        let keys = config.authorizations()?;
        let endpoints: Arc<[Endpoint]> =
            config.providers.iter().zip(keys).map(|(provider, key)| Endpoint::new(provider, key, http)).collect();
        let available = Arc::clone(&endpoints);

        // From the outside in.
        let stack = ServiceBuilder::new()
            // The deadline and the retries: outside of the providers, for each retry may be answered by another one.
            // A completion changes nothing but the bill, so it may be asked for again, though it is a POST.
            .layer(retry.layer().replay(Always))
            .map_response(Answered::into_inner)
            // Who is asked, and when somebody else is: the breakers are within, so that one's outage is not the other's.
            .service(
                Alternates::new(endpoints.iter().map(|endpoint| endpoint.service(&log)).collect::<Vec<_>>())
                    .policy(hedge)
                    .available(move |place: usize| available[place].breaker.check().is_ok()),
            );
        let interactive = BoxCloneSyncService::new(stack);

        // Pacing is the outermost: who stands in line holds no permit, and his deadline does not run. Interactive
        // requests pass by the line. A full line is told to the caller by its readiness.
        let bulk = ServiceBuilder::new()
            .buffer(config.bulk.queue.get().into())
            .concurrency_limit(config.bulk.in_flight.get().into())
            .rate_limit(config.bulk.per_second.get().into(), Duration::from_secs(1))
            .service(interactive.clone().map_err(Failure::boxed));
        Ok(Self { interactive, bulk: BoxCloneSyncService::new(bulk), endpoints, log })
    }

    /// Answers somebody who waits.
    ///
    /// # Errors
    ///
    /// When no provider answered: a [`Failure`]. An answer may still have a status that is a failure: the last there was.
    pub(crate) async fn ask(&self, chat: Chat) -> Result<Answer, Failure> {
        self.interactive.clone().oneshot(chat).await
    }

    /// Answers when it is this request's turn.
    ///
    /// # Errors
    ///
    /// As of [`ask`](Self::ask), boxed.
    pub(crate) async fn ask_in_bulk(&self, chat: Chat) -> Result<Answer, BoxError> {
        self.bulk.clone().oneshot(chat).await
    }

    /// Tests all providers from now on, in tasks of their own, until they are aborted: an outage is known after three checks
    /// whether or not somebody asks, and no user's request is the one that finds out whether it is over.
    pub(crate) fn probe(&self) -> Vec<JoinHandle<()>> {
        let spawn = |endpoint: &Endpoint| {
            let prober = endpoint.prober(tokio::time::sleep);
            tokio::spawn(async { drop(prober.await) })
        };
        self.endpoints.iter().map(spawn).collect()
    }

    /// The breaker of a provider, by its place in the configuration: to look at, to force open, to reset.
    pub(crate) fn breaker(&self, place: usize) -> &Guard {
        &self.endpoints[place].breaker
    }

    /// The attempts that failed lately: `log().report()` is what the provider's support wants to have.
    pub(crate) fn log(&self) -> &AttemptLog {
        &self.log
    }
}

/// In the `name` label.
const NAME: &str = "chat";

/// Whether to ask all of them again, later. Not if their breakers have rejected: they say when, and it is not soon. But if the
/// last of several refuses us: another one may have failed only for the moment.
fn again(attempt: &Result<Answer, Failure>, several: bool) -> Verdict {
    match attempt {
        Err(Error::Open(_)) => Verdict::permanent(),
        Err(Error::Inner(error)) => CLASSIFIER.error(error),
        Ok(answer) if several && refuses_us(answer) => Verdict::transient().unprocessed(),
        Ok(answer) => CLASSIFIER.response(answer),
    }
}

/// Whether somebody else may do better: whenever there is no answer, for whatever reason, and as above.
fn elsewhere(attempt: &Result<Answer, Failure>) -> Verdict {
    match attempt {
        Err(Error::Open(_)) => Verdict::transient().unprocessed(),
        Err(Error::Inner(_)) => Verdict::transient(),
        Ok(_) => again(attempt, true),
    }
}
