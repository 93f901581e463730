//! Two providers of different types, one client: hedged, with a breaker for each, retried, boxed, and used from many tasks.

use std::{convert::Infallible, time::Duration};

use evenkeel_backoff::{Exponential, Outcome, Retry, TokenBudget, Verdict, http::Classifier, http::by_method};
use evenkeel_breaker::{self as breaker, Breaker, BreakerLayer, Error};
use evenkeel_hedging::{Alternates, Answered, Hedge, Quantile};
use http::{Request, Response};
use tokio::time::sleep;
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneSyncService};

type Prompt = Request<String>;
type Completion = Response<String>;
/// One provider, or all of them together: the same type.
type Model = BoxCloneSyncService<Prompt, Completion, BoxError>;

fn main() -> Result<(), BoxError> {
    tokio::runtime::Builder::new_multi_thread().enable_time().build()?.block_on(async {
        let client = client()?;
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                let prompt =
                    Request::post("/v1/chat").header("idempotency-key", "b2f6").body("Is all well?".to_owned());
                tokio::spawn(async move { client.oneshot(prompt?).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await??.body(), "All is well.");
        }
        println!("a hundred answers, and the usual provider is down");
        Ok(())
    })
}

fn client() -> Result<Model, BoxError> {
    // The types of the two differ, and so do their errors.
    let usual =
        service_fn(|_: Prompt| async { Err::<Completion, _>(std::io::Error::from(std::io::ErrorKind::TimedOut)) });
    let other = service_fn(|_: Prompt| async {
        sleep(Duration::from_millis(5)).await;
        Ok::<_, Infallible>(Completion::new("All is well.".to_owned()))
    });
    let breakers = [Breaker::new(), Breaker::new()];
    let providers =
        [guarded(usual.map_err(BoxError::from), &breakers[0]), guarded(other.map_err(BoxError::from), &breakers[1])];

    let budget = TokenBudget::default();
    let late = Quantile::builder(0.95).until_warm(Duration::from_secs(1)).at_most(Duration::from_secs(5)).build()?;
    let alternates = Alternates::new(providers)
        .policy(Hedge::new(late, sleep).when(elsewhere).budget(budget.clone()))
        .replay(by_method)
        .available(move |place| breakers[place].check().is_ok());

    let schedule = Exponential::new(Duration::from_millis(50)).cap(Duration::from_secs(5));
    let retry = Retry::new(schedule.take(3), sleep).when(again).budget(budget).deadline(Duration::from_secs(30));
    let stack = ServiceBuilder::new()
        .layer(retry.layer().replay(by_method))
        .map_response(Answered::into_inner)
        .service(alternates)
        .map_err(Error::boxed);
    // What is spawned is this box: see `Hedge::classify`.
    Ok(BoxCloneSyncService::new(stack))
}

/// A provider with its breaker.
fn guarded<S>(provider: S, breaker: &Breaker) -> BoxCloneSyncService<Prompt, Completion, Error<BoxError>>
where
    S: tower::Service<Prompt, Response = Completion, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let layer = BreakerLayer::new(breaker.clone()).when(health);
    BoxCloneSyncService::new(ServiceBuilder::new().layer(layer).service(provider))
}

const CLASSIFIER: Classifier = Classifier::new();

/// Whether the other one may do better. What a breaker has rejected was not sent.
fn elsewhere(attempt: &Result<Completion, Error<BoxError>>) -> Verdict {
    match attempt {
        Ok(response) => CLASSIFIER.response(response),
        Err(Error::Inner(error)) => CLASSIFIER.error(error.as_ref()),
        Err(Error::Open(_)) => Verdict::transient().unprocessed(),
    }
}

/// Whether to ask both again, later.
fn again(attempt: &Result<Completion, Error<BoxError>>) -> Verdict {
    if let Err(Error::Open(_)) = attempt { Verdict::permanent() } else { elsewhere(attempt) }
}

/// What an answer says about the provider.
fn health(answer: &Result<Completion, BoxError>) -> breaker::Verdict {
    let verdict = match answer {
        Ok(response) => CLASSIFIER.response(response),
        Err(error) => CLASSIFIER.error(error.as_ref()),
    };
    match verdict.outcome() {
        // A URL that is none, say: nothing was sent.
        Outcome::Permanent if answer.is_err() => breaker::Verdict::ignored(),
        Outcome::Success | Outcome::Permanent => breaker::Verdict::success(),
        Outcome::Transient | Outcome::Throttled => breaker::Verdict::failure(),
    }
}

#[test]
fn it_runs() -> Result<(), BoxError> {
    main()
}
