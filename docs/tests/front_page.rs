//! The stack of the front page, when the usual provider hangs: its breaker must find out, though the other one answers.
#![cfg(not(loom))]
#![allow(missing_docs)]

use evenkeel_backoff::{TokenBudget, Verdict, http::Classifier};
use evenkeel_breaker::{Abandoned, Breaker, BreakerLayer, Error, State};
use evenkeel_hedging::{Alternates, Hedge, Quantile};
use http::{Request, Response};
use std::{future::pending, io, time::Duration};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt};

const FRONT_PAGE: &str = include_str!("../../README.md");

/// The time in `FailureAfter(…)` of the front page.
fn failure_after() -> Duration {
    let (_, rest) = FRONT_PAGE.split_once("Abandoned::FailureAfter(Duration::from_").expect("it has one");
    let (unit, rest) = rest.split_once('(').expect("a unit");
    let number = rest.split(')').next().expect("a number").parse().expect("a number");
    if unit == "secs" { Duration::from_secs(number) } else { Duration::from_millis(number) }
}

fn elsewhere(attempt: &Result<Response<&'static str>, Error<io::Error>>) -> Verdict {
    if let Err(Error::Open(_)) = attempt {
        Verdict::transient().unprocessed()
    } else {
        Classifier::new().result(attempt)
    }
}

#[tokio::test(start_paused = true)]
async fn a_usual_provider_that_hangs_is_found_out_by_the_breaker_of_the_front_page() {
    let clock = || Instant::now().into_std();
    let p95 = Quantile::builder(0.95).clock(clock).build().expect("an estimate");
    // What a morning of good weather has taught it.
    (0..100).for_each(|_| p95.record(Duration::from_millis(200)));
    let breaker =
        || Breaker::builder().clock(clock).abandoned(Abandoned::FailureAfter(failure_after())).build().expect("one");
    let breakers = [breaker(), breaker()];
    let provider = |place: usize| {
        ServiceBuilder::new().layer(BreakerLayer::new(breakers[place].clone())).service_fn(
            move |_: Request<&'static str>| async move {
                if place == 0 {
                    pending::<()>().await;
                }
                sleep(Duration::from_millis(200)).await;
                Ok::<_, io::Error>(Response::new("another one"))
            },
        )
    };
    let watched = breakers.clone();
    let client = Alternates::new([provider(0), provider(1)])
        .policy(Hedge::new(p95, sleep).when(elsewhere).budget(TokenBudget::default()))
        .available(move |place| watched[place].check().is_ok());

    for _ in 0..30 {
        let request = Request::get("/").body("").expect("a request");
        assert!(client.clone().oneshot(request).await.is_ok(), "the other one answers");
    }
    assert_eq!(breakers[0].state(), State::Open, "thirty requests hung there");
}
