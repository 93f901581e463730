//! A server behind nginx that is stopped, resets, hangs or breaks off: what nginx makes of it, and what the stack does then.

use std::{io, slice, sync::mpsc, time::Duration};

use evenkeel_backoff::{Hint, Outcome, Verdict};
use evenkeel_breaker::Error;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

use super::{
    caller::{Caller, Provider, http, tell, verdict, who},
    nginx::Nginx,
    upstream::{Turn, Upstream},
};

/// An nginx before one server, and the stack before that.
async fn gateway(upstream: &Upstream, settings: &str) -> Option<(Nginx, Provider)> {
    let server = format!("location / {{ proxy_pass http://{}; {settings} }}", upstream.address());
    let nginx = Nginx::start("", &server).await?;
    let provider = Provider::at(nginx.url("/"));
    Some((nginx, provider))
}

/// What comes when there is one attempt: the status and the verdict on it.
async fn once(provider: &Provider) -> (u16, Verdict, bool) {
    let caller = Caller::with(slice::from_ref(provider), 1, &http());
    let answer = caller.ask().await.expect("nginx answers");
    assert_eq!(caller.failures(), 1, "the provider's breaker knows");
    let is_html = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/html");
    (answer.status().as_u16(), verdict(&answer), is_html)
}

#[tokio::test]
async fn a_server_that_is_stopped_is_a_502_and_is_asked_again_until_it_is_back() {
    let mut upstream = Upstream::start("it");
    let Some((nginx, provider)) = gateway(&upstream, "").await else { return };
    upstream.stop().await;
    assert_eq!(once(&provider).await, (502, Verdict::transient(), true), "a page of nginx's own");

    let caller = Caller::of(&[provider]);
    // It comes back while the stack waits.
    let (back, is_back) = mpsc::channel();
    caller.pauses.in_the_next(move || {
        upstream.start_again();
        back.send(upstream).expect("the test waits for it");
    });
    let answer = caller.ask().await.unwrap();
    let upstream = is_back.recv().unwrap();
    assert_eq!((who(&answer).as_str(), upstream.count()), ("it", 1));
    assert_eq!(nginx.statuses().await, [502, 502, 200]);
    assert_eq!((caller.failures(), caller.pauses.asked().len()), (1, 1));
    tell("server stopped", "502, HTML", "transient: asked again, answered when it is back");
}

#[tokio::test]
async fn a_server_that_resets_is_a_502_and_is_asked_again() {
    let upstream = Upstream::start("it");
    let Some((nginx, provider)) = gateway(&upstream, "").await else { return };
    upstream.next([Turn::Resets]);
    assert_eq!(once(&provider).await, (502, Verdict::transient(), true));

    upstream.next([Turn::Resets, Turn::Resets]);
    let caller = Caller::of(&[provider]);
    assert_eq!(who(&caller.ask().await.unwrap()), "it");
    assert_eq!(nginx.statuses().await, [502, 502, 502, 200]);
    assert_eq!((upstream.count(), caller.failures()), (4, 2), "nginx has not resent a POST by itself");
    tell("server resets the connection", "502, HTML", "transient: asked again, answered");
}

#[tokio::test]
async fn a_server_that_is_silent_is_a_504_after_nginxs_own_time_limit_and_is_asked_again() {
    let upstream = Upstream::start("it");
    let Some((nginx, provider)) = gateway(&upstream, "proxy_read_timeout 500ms;").await else { return };
    upstream.next([Turn::Silent]);
    assert_eq!(once(&provider).await, (504, Verdict::transient(), true));

    upstream.next([Turn::Silent, Turn::Silent]);
    let caller = Caller::of(&[provider]);
    assert_eq!(who(&caller.ask().await.unwrap()), "it");
    // Each was left alone by nginx, which does not wait for it any more.
    for _ in 0..3 {
        upstream.left().await;
    }
    assert_eq!(nginx.statuses().await, [504, 504, 504, 200]);
    assert_eq!(caller.failures(), 2);
    tell("server silent, `proxy_read_timeout` first", "504, HTML", "transient: asked again, answered");
}

#[tokio::test]
async fn who_stays_silent_longer_than_an_attempt_may_take_is_left_and_the_server_sees_it() {
    let upstream = Upstream::start("it");
    let Some((nginx, mut provider)) = gateway(&upstream, "proxy_read_timeout 60s;").await else { return };
    provider.attempt_timeout = "500ms";
    upstream.is(Turn::Silent);
    let caller = Caller::with(&[provider], 2, &http());
    match caller.ask().await {
        Err(Error::Inner(error)) => assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error:?}"),
        other => panic!("nobody has answered: {other:?}"),
    }
    for _ in 0..2 {
        upstream.left().await;
    }
    assert_eq!(nginx.statuses().await, [499, 499], "nginx's word for a caller who has left");
    assert_eq!((upstream.count(), caller.failures()), (2, 2));
    tell(
        "server silent, `attempt_timeout` first",
        "nothing; nginx logs 499, and leaves the server",
        "transient: asked again",
    );
}

#[tokio::test]
async fn who_is_slow_but_in_time_is_asked_once() {
    let upstream = Upstream::start("it");
    let Some((nginx, provider)) = gateway(&upstream, "proxy_read_timeout 60s;").await else { return };
    upstream.next([Turn::Held]);
    let caller = Caller::of(&[provider]);
    let (answer, ()) = tokio::join!(caller.ask(), async {
        upstream.begun().await;
        upstream.release();
    });
    assert_eq!(who(&answer.unwrap()), "it");
    assert_eq!((nginx.statuses().await, upstream.count(), caller.failures()), (vec![200], 1, 0));
    assert!(caller.pauses.asked().is_empty());
    tell("server slow, in time", "200", "success: one attempt");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure_of_the_attempt_whatever_its_status_was() {
    let upstream = Upstream::start("it");
    let Some((nginx, provider)) = gateway(&upstream, "").await else { return };
    upstream.next([Turn::BreaksOff]);
    let caller = Caller::of(slice::from_ref(&provider));
    assert_eq!(who(&caller.ask().await.unwrap()), "it");
    assert_eq!(nginx.statuses().await, [200, 200], "nginx has sent the status when it finds out");
    assert_eq!((upstream.count(), caller.failures()), (2, 1));

    upstream.next([Turn::BreaksOff]);
    let failure = Caller::with(&[provider], 1, &http()).ask().await.unwrap_err().to_string();
    assert!(!failure.is_empty(), "half an answer is never handed on");
    tell("server resets in the middle of the body", "200, a part of the body", "transient: asked again, answered");
}

#[tokio::test]
async fn what_the_server_says_itself_reaches_the_stack_through_nginx() {
    let upstream = Upstream::start("it");
    let Some((nginx, provider)) = gateway(&upstream, "").await else { return };
    upstream.is(Turn::Says(500, "x-should-retry: false\r\n"));
    let caller = Caller::of(slice::from_ref(&provider));
    let answer = caller.ask().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (500, &b"sorry"[..]));
    assert_eq!(verdict(&answer).hint(), Some(Hint::Never));
    assert_eq!(nginx.statuses().await, [500], "it asked not to be asked again");
    tell("server says 500, `x-should-retry: false`", "500, its own", "transient, never: one attempt");

    upstream.is(Turn::Well);
    upstream.next([Turn::Says(503, "retry-after: 2\r\n")]);
    assert_eq!(who(&caller.ask().await.unwrap()), "it");
    assert!(caller.pauses.asked()[0] >= Duration::from_secs(2), "{:?}", caller.pauses);
    assert_eq!(nginx.statuses().await, [500, 503, 200]);

    // Longer than `max_server_delay`: the caller has the answer, and decides.
    upstream.next([Turn::Says(503, "retry-after: 3600\r\n")]);
    let answer = caller.ask().await.unwrap();
    assert_eq!((answer.status().as_u16(), verdict(&answer).outcome()), (503, Outcome::Throttled));
    assert_eq!(answer.headers()[RETRY_AFTER], "3600");
    assert_eq!((nginx.statuses().await.len(), caller.pauses.asked().len()), (4, 1));
    tell(
        "server says 503, `Retry-After`",
        "503, its own",
        "throttled: asked again after that, if not later than `max_server_delay`",
    );
}
