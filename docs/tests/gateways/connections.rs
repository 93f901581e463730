//! nginx itself comes and goes: connections that it closes between requests, a reload under load, and an outage.

use std::{io, time::Duration};

use evenkeel_backoff::{Constant, Retry};
use evenkeel_breaker::{Error, State};
use futures::future::join_all;
use http::StatusCode;

use super::{
    caller::{Caller, Provider, tell, who},
    endpoint::Answer,
    nginx::Nginx,
    upstream::Upstream,
};

fn proxied(upstream: &Upstream, settings: &str) -> String {
    format!("location / {{ proxy_pass http://{}; {settings} }}", upstream.address())
}

#[tokio::test]
async fn connections_that_nginx_closes_between_requests_cost_no_caller_an_answer() {
    let upstream = Upstream::start("it");
    // One that ends each connection with its answer, one that does so a moment later, under the next request.
    for settings in ["keepalive_requests 1;", "keepalive_timeout 1ms;"] {
        let Some(nginx) = Nginx::start("", &proxied(&upstream, settings)).await else { return };
        let caller = Caller::of(&[Provider::at(nginx.url("/"))]);
        for _ in 0..200 {
            assert_eq!(who(&caller.ask().await.unwrap()), "it");
        }
        let resent = caller.pauses.asked().len();
        tell(
            &format!("`{settings}` 200 requests one after the other"),
            format!("200; connections closed under {resent} of them"),
            "transient where it was: asked again, all answered",
        );
    }
}

#[tokio::test]
async fn a_reload_under_load_loses_no_request() {
    let upstream = Upstream::start("it");
    let generation = |number: u32| proxied(&upstream, &format!("add_header X-Generation {number};"));
    let Some(nginx) = Nginx::start("", &generation(0)).await else { return };
    let caller = Caller::of(&[Provider::at(nginx.url("/"))]);
    let mut answers = 0;
    for number in 1..=3 {
        nginx.configure("", &generation(number));
        nginx.reload();
        // Four at a time, all the while, until the new workers answer all of them.
        let of_the_new = |answer: &Answer| answer.headers()["x-generation"] == *number.to_string();
        let mut tries = 0..5000;
        loop {
            assert!(tries.next().is_some(), "reload {number} did not come");
            let four: Vec<_> = join_all((0..4).map(|_| caller.ask())).await.into_iter().map(Result::unwrap).collect();
            answers += four.iter().filter(|answer| who(answer) == "it").count();
            if four.iter().all(of_the_new) {
                break;
            }
        }
    }
    assert!(answers >= 12);
    assert_eq!(answers % 4, 0, "every one was answered");
    let resent = caller.pauses.asked().len();
    tell("three reloads under load", format!("200; connections closed under {resent}"), "all answered");
}

#[tokio::test]
async fn while_nginx_is_gone_the_breaker_opens_and_when_it_is_back_it_closes_by_itself() {
    let upstream = Upstream::start("it");
    let Some(mut nginx) = Nginx::start("", &proxied(&upstream, "")).await else { return };
    // Left out, a probe would have no more time than the breaker was open: too little on a machine that is busy.
    let breaker = "consecutive_failures = 3\nopen_for = [\"50ms\"]\nprobe_timeout = \"60s\"";
    let caller = Caller::of(&[Provider { breaker, ..Provider::at(nginx.url("/")) }]);
    assert_eq!(who(&caller.ask().await.unwrap()), "it");
    let mut transitions = caller.breaker().transitions();

    nginx.stop();
    let failure = caller.ask().await.unwrap_err();
    // Three attempts are refused by the system, the fourth by the breaker; on a slow machine it is a probe.
    match &failure {
        Error::Open(rejected) => assert!(rejected.retry_after().is_some()),
        Error::Inner(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{error:?}"),
    }
    assert_eq!(transitions.try_next().map(|change| change.to), Some(State::Open));
    assert_eq!(upstream.count(), 1);

    nginx.start_again().await;
    // Nobody tells the breaker: the callers that it rejects come back, and one of them is its probe.
    let patient = Retry::new(Constant::new(Duration::from_millis(10)).take(3000), tokio::time::sleep);
    assert_eq!(who(&patient.run(|_| caller.ask()).await.unwrap()), "it");
    assert_eq!(caller.breaker().state(), State::Closed);
    assert_eq!(caller.ask().await.unwrap().status(), StatusCode::OK);
    assert_eq!(upstream.count(), 3, "one of them by whoever came first, and no more than were answered");
    tell("nginx stopped, and started again", "connection refused", "transient: breaker open, closed by a probe");
}
