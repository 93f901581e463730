//! nginx's `limit_req`: refusals with and without `Retry-After`, and callers who come back when they were told to.

use std::{path::Path, time::Duration};

use evenkeel_backoff::{Hint, Outcome, Verdict};
use evenkeel_breaker::State;
use futures::future::join_all;

use super::{
    caller::{Caller, Provider, chat, http, tell, verdict, who},
    config::Config,
    nginx::Nginx,
    upstream::Upstream,
};

const SECOND: Duration = Duration::from_secs(1);

/// One request in 50 ms, and what is more is refused. The refused one in `/seldom` is not let through for a minute.
async fn limited(upstream: &Upstream, settings: &str) -> Option<Nginx> {
    let zones = "limit_req_zone $binary_remote_addr zone=often:64k rate=20r/s;
                 limit_req_zone $binary_remote_addr zone=seldom:64k rate=1r/m;";
    let location = |name: &str| {
        let address = upstream.address();
        format!("location /{name} {{ limit_req zone={name}; proxy_pass http://{address}; {settings} }}")
    };
    Nginx::start(zones, &(location("often") + &location("seldom"))).await
}

/// The first refusal: the answer is the last one where one is let through and there is one attempt.
async fn refusal(nginx: &Nginx) -> (u16, Verdict) {
    let caller = Caller::with(&[Provider::at(nginx.url("/seldom"))], 1, &http());
    assert_eq!(caller.ask().await.unwrap().status(), 200);
    let answer = caller.ask().await.unwrap();
    (answer.status().as_u16(), verdict(&answer))
}

/// Eight at once, so that most are refused at first: all are answered, and what was refused never came to the server.
async fn all_are_answered(nginx: &Nginx, upstream: &Upstream, refusal: u16) -> Caller {
    let before = (nginx.statuses().await.len(), upstream.count());
    // One is let through in each round at least.
    let caller = Caller::with(&[Provider::at(nginx.url("/often"))], 50, &http());
    for answer in join_all((0..8).map(|_| caller.ask())).await {
        assert_eq!(who(&answer.unwrap()), "it");
    }
    let statuses = nginx.statuses().await.split_off(before.0);
    let refused = statuses.iter().filter(|status| **status == refusal).count();
    assert!(refused > 0, "eight at once are more than the limit: {statuses:?}");
    assert_eq!(statuses.len() - refused, 8, "{statuses:?}");
    assert_eq!(upstream.count() - before.1, 8, "the limit keeps the others from it");
    assert_eq!(caller.pauses.asked().len(), refused, "one pause for each refusal");
    assert_eq!(caller.failures() as usize, refused);
    caller
}

#[tokio::test]
async fn a_429_with_retry_after_is_waited_for_at_least_as_long_as_it_says() {
    let upstream = Upstream::start("it");
    let settings = "limit_req_status 429; add_header Retry-After 1 always;";
    let Some(nginx) = limited(&upstream, settings).await else { return };
    assert_eq!(refusal(&nginx).await, (429, Verdict::throttled().not_before(SECOND)));
    let caller = all_are_answered(&nginx, &upstream, 429).await;
    assert!(caller.pauses.asked().iter().all(|pause| *pause >= SECOND), "{:?}", caller.pauses);
    tell(
        "`limit_req_status 429`, `Retry-After … always`",
        "429, `Retry-After: 1`, HTML",
        "throttled, not before 1 s: all answered",
    );
}

#[tokio::test]
async fn a_503_with_retry_after_is_taken_for_a_refusal_at_the_door_as_well() {
    let upstream = Upstream::start("it");
    let Some(nginx) = limited(&upstream, "add_header Retry-After 1 always;").await else { return };
    assert_eq!(refusal(&nginx).await, (503, Verdict::throttled().not_before(SECOND)));
    let caller = all_are_answered(&nginx, &upstream, 503).await;
    assert!(caller.pauses.asked().iter().all(|pause| *pause >= SECOND), "{:?}", caller.pauses);
    tell(
        "`limit_req` as it is, `Retry-After … always`",
        "503, `Retry-After: 1`, HTML",
        "throttled, not before 1 s: all answered",
    );
}

#[tokio::test]
async fn without_always_nginx_leaves_retry_after_out_and_the_schedule_decides() {
    let upstream = Upstream::start("it");
    let Some(nginx) = limited(&upstream, "add_header Retry-After 1;").await else { return };
    assert_eq!(refusal(&nginx).await, (503, Verdict::transient()), "it might be an outage");
    let caller = all_are_answered(&nginx, &upstream, 503).await;
    assert!(caller.pauses.asked().iter().all(|pause| *pause <= SECOND / 2), "{:?}", caller.pauses);
    tell("`limit_req` as it is, `Retry-After` without `always`", "503, HTML", "transient: asked again by the schedule");
}

#[tokio::test]
async fn what_is_paced_below_the_limit_is_never_refused() {
    let upstream = Upstream::start("it");
    let zone = "limit_req_zone $binary_remote_addr zone=often:64k rate=100r/s;";
    let location = format!("location / {{ limit_req zone=often burst=10; proxy_pass http://{}; }}", upstream.address());
    let Some(nginx) = Nginx::start(zone, &location).await else { return };
    let mut config = documented(&[nginx.url("/"), nginx.url("/other")]);
    config.bulk.in_flight = 4.try_into().unwrap();
    config.bulk.per_second = 100.try_into().unwrap();
    let caller = Caller::configured(&config, &http());
    for answer in join_all((0..30).map(|_| caller.client.ask_in_bulk(chat("Is all well?")))).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    // A `burst` lets those wait that come a little early, and they are no more than are in flight.
    assert!(nginx.statuses().await.iter().all(|status| *status == 200));
    assert_eq!(caller.breaker().state(), State::Closed);
    tell("thirty in bulk, paced by the limit, `burst=10`", "200", "success: none refused");
}

#[tokio::test]
async fn a_limit_that_refuses_all_opens_the_breaker_for_as_long_as_it_says() {
    let upstream = Upstream::start("it");
    let settings = "limit_req_status 429; add_header Retry-After 60 always;";
    let Some(nginx) = limited(&upstream, settings).await else { return };
    let provider = Provider { breaker: "consecutive_failures = 3", ..Provider::at(nginx.url("/seldom")) };
    let caller = Caller::with(&[provider], 1, &http());
    assert_eq!(caller.ask().await.unwrap().status(), 200);
    for _ in 0..3 {
        let answer = caller.ask().await.unwrap();
        assert_eq!(verdict(&answer).outcome(), Outcome::Throttled);
        assert_eq!(verdict(&answer).hint(), Some(Hint::NotBefore(SECOND * 60)));
    }
    let snapshot = caller.breaker().snapshot();
    assert_eq!(snapshot.state, State::Open);
    assert!(snapshot.ready_at.unwrap() >= snapshot.since + SECOND * 60, "{snapshot:?}");
    assert!(caller.ask().await.is_err());
    assert_eq!(nginx.statuses().await, [200, 429, 429, 429], "the fifth was not sent");
    tell(
        "the same, more in a row than the breaker bears",
        "429, `Retry-After: 60`",
        "breaker open, no probe before a minute",
    );
}

/// The program's own file, with these URLs.
pub(crate) fn documented(urls: &[String; 2]) -> Config {
    let mut text = include_str!("../../examples/model_api.toml").to_owned();
    // A machine that stalls for a moment is to decide nothing here: whom to hedge, or when a breaker lets a probe through.
    for (from, to) in [
        ("\"1s\"", "\"1m\""),
        ("until_warm = \"2s\"", "until_warm = \"50s\""),
        ("at_most = \"5s\"", "at_most = \"50s\""),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let mut config = Config::parse(Path::new("the program's"), &text).expect("the program's own file");
    config.retry.attempt_timeout = None;
    for (provider, url) in config.providers.iter_mut().zip(urls) {
        provider.moved_to(url.parse().expect("a URL"));
    }
    config
}
