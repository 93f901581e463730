//! What nginx refuses for the caller's fault: it is not sent again, nor to anybody else, and the provider is well.

use std::slice;

use evenkeel_backoff::Outcome;
use http::header::CONTENT_TYPE;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue};

use super::{
    caller::{Caller, Provider, chat, http, tell, verdict},
    endpoint::Answer,
    nginx::Nginx,
    upstream::Upstream,
};

/// Two servers with a provider each; the first is behind limits.
async fn gateway(upstreams: [&Upstream; 2]) -> Option<(Nginx, [Provider; 2])> {
    let [first, second] = upstreams.map(Upstream::address);
    let server = format!(
        "location /first {{ client_max_body_size 1k; proxy_pass http://{first}; }}
         location /second {{ proxy_pass http://{second}; }}"
    );
    let nginx = Nginx::start("", &server).await?;
    let providers = ["/first", "/second"].map(|path| Provider::at(nginx.url(path)));
    Some((nginx, providers))
}

/// It came as it was, once, and nobody is the worse for it.
async fn is_final(answer: &Answer, status: u16, caller: &Caller, nginx: &Nginx, upstreams: [&Upstream; 2]) {
    assert_eq!((answer.status().as_u16(), verdict(answer).outcome()), (status, Outcome::Permanent));
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/html", "the body is not taken for JSON, whatever it is");
    assert!(answer.body().starts_with(b"<html>"));
    assert_eq!(nginx.statuses().await, [status], "once");
    assert_eq!(upstreams.map(Upstream::count), [0, 0]);
    let breakers = [0, 1].map(|place| caller.client.breaker(place).snapshot());
    let counts = breakers.map(|breaker| (breaker.calls, breaker.failures));
    assert_eq!(counts, [(1, 0), (0, 0)], "it was a success to the one, and the other not asked");
    assert!(caller.pauses.asked().is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_once_and_nobody_else_is_asked() {
    let (first, second) = (Upstream::start("first"), Upstream::start("second"));
    let Some((nginx, providers)) = gateway([&first, &second]).await else { return };
    let caller = Caller::of(&providers);
    let answer = caller.client.ask(chat(&"all ".repeat(1000))).await.unwrap();
    is_final(&answer, 413, &caller, &nginx, [&first, &second]).await;
    tell("`client_max_body_size` passed", "413, HTML", "permanent: one attempt, no failure of the provider");
}

#[tokio::test]
async fn a_header_that_is_too_large_is_refused_once_and_nobody_else_is_asked() {
    let (first, second) = (Upstream::start("first"), Upstream::start("second"));
    let Some((nginx, providers)) = gateway([&first, &second]).await else { return };
    let cookie = HeaderValue::from_str(&"c=".repeat(20_000)).unwrap();
    let http = reqwest::Client::builder().no_proxy().default_headers(HeaderMap::from_iter([(COOKIE, cookie)]));
    let caller = Caller::with(&providers, 4, &http.build().unwrap());
    let answer = caller.ask().await.unwrap();
    is_final(&answer, 400, &caller, &nginx, [&first, &second]).await;
    tell("headers larger than nginx's buffers", "400, HTML", "permanent: one attempt, no failure of the provider");
}

#[tokio::test]
async fn who_may_not_come_in_here_is_answered_by_the_other() {
    let upstream = Upstream::start("it");
    let server =
        format!("location /first {{ deny all; }} location /second {{ proxy_pass http://{}; }}", upstream.address());
    let Some(nginx) = Nginx::start("", &server).await else { return };
    let providers = ["/first", "/second"].map(|path| Provider::at(nginx.url(path)));
    let alone = Caller::with(slice::from_ref(&providers[0]), 4, &http());
    assert_eq!(alone.ask().await.unwrap().status(), 403);
    assert_eq!((nginx.statuses().await, alone.failures()), (vec![403], 1), "not again, and of no use");

    let caller = Caller::of(&providers);
    assert_eq!(caller.ask().await.unwrap().status(), 200);
    assert_eq!(nginx.statuses().await, [403, 403, 200]);
    assert_eq!(caller.failures(), 1);
    tell("`deny all`", "403, HTML", "permanent for this provider, and a failure of it: the next one is asked");
}
