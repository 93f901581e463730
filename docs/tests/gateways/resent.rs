//! What nginx sends again by itself, and how that multiplies with what the stack sends.

use super::{
    caller::{Caller, Provider, tell, who},
    nginx::{Line, Nginx},
    upstream::{Turn, Upstream},
};

/// Two servers that nginx chooses between, the first one first.
async fn balanced(upstreams: [&Upstream; 2], server: &str, settings: &str) -> Option<(Nginx, Caller)> {
    let [first, second] = upstreams.map(Upstream::address);
    let group = format!("upstream both {{ server {first} {server}; server {second} {server}; }}");
    let nginx = Nginx::start(&group, &format!("location / {{ proxy_pass http://both; {settings} }}")).await?;
    let caller = Caller::of(&[Provider::at(nginx.url("/"))]);
    Some((nginx, caller))
}

fn line(status: u16, upstream: &str) -> Line {
    Line { status, upstream: upstream.to_owned(), path: "/".to_owned() }
}

#[tokio::test]
async fn a_post_whose_connection_is_refused_is_given_to_the_next_server_by_nginx() {
    let (mut first, second) = (Upstream::start("first"), Upstream::start("second"));
    first.stop().await;
    let Some((nginx, caller)) = balanced([&first, &second], "", "").await else { return };
    assert_eq!(who(&caller.ask().await.unwrap()), "second");
    assert_eq!(nginx.seen().await, [line(200, "502, 200")]);
    assert_eq!((second.count(), caller.failures()), (1, 0), "the stack has not seen it");
    tell("one of two servers stopped", "200: nginx asked the next", "success: one attempt");
}

#[tokio::test]
async fn a_post_that_was_sent_is_not_sent_again_by_nginx_but_by_the_stack() {
    let (first, second) = (Upstream::start("first"), Upstream::start("second"));
    first.is(Turn::Resets);
    let Some((nginx, caller)) = balanced([&first, &second], "", "").await else { return };
    assert_eq!(who(&caller.ask().await.unwrap()), "second");
    assert_eq!(nginx.seen().await, [line(502, "502"), line(200, "200")]);
    assert_eq!((first.count(), second.count(), caller.failures()), (1, 1, 1));
    tell(
        "one of two servers resets",
        "502: a POST is not passed on",
        "transient: asked again, nginx has the next answer",
    );
}

#[tokio::test]
async fn told_to_nginx_sends_a_post_again_and_nobody_sees_it_but_the_servers() {
    let (first, second) = (Upstream::start("first"), Upstream::start("second"));
    first.is(Turn::Resets);
    let resend = "proxy_next_upstream error timeout non_idempotent;";
    let Some((nginx, caller)) = balanced([&first, &second], "", resend).await else { return };
    assert_eq!(who(&caller.ask().await.unwrap()), "second");
    assert_eq!(nginx.seen().await, [line(200, "502, 200")]);
    assert_eq!(first.seen(), second.seen(), "one request of nginx, at two servers");
    assert_eq!((first.count(), caller.failures()), (1, 0));
    tell(
        "the same, `proxy_next_upstream … non_idempotent`",
        "200: nginx sent it twice",
        "success: one attempt, two at the servers",
    );
}

#[tokio::test]
async fn what_nginx_sends_again_multiplies_what_the_stack_sends_and_is_in_no_budget() {
    let (first, second) = (Upstream::start("first"), Upstream::start("second"));
    first.is(Turn::Says(503, ""));
    second.is(Turn::Says(503, ""));
    let resend = "proxy_next_upstream error timeout http_503 non_idempotent;";
    let Some((nginx, caller)) = balanced([&first, &second], "max_fails=0", resend).await else { return };
    assert_eq!(caller.ask().await.unwrap().status(), 503);
    assert_eq!(nginx.seen().await, vec![line(503, "503, 503"); 4]);
    assert_eq!((first.count(), second.count(), caller.failures()), (4, 4, 4));
    tell("both servers say 503, `http_503 non_idempotent`", "503", "transient: four attempts, eight at the servers");
}

#[tokio::test]
async fn servers_that_nginx_has_given_up_on_are_a_502_of_its_own_until_their_time_is_over() {
    let (first, second) = (Upstream::start("first"), Upstream::start("second"));
    first.next([Turn::Resets]);
    second.next([Turn::Resets]);
    let resend = "proxy_next_upstream error timeout non_idempotent;";
    let Some((nginx, caller)) = balanced([&first, &second], "fail_timeout=1h", resend).await else { return };
    // Both are well again after one request, and nginx does not know.
    assert_eq!(caller.ask().await.unwrap().status(), 502);
    let own = line(502, "502");
    assert_eq!(nginx.seen().await, [line(502, "502, 502"), own.clone(), own.clone(), own]);
    assert_eq!((first.count(), second.count(), caller.failures()), (1, 1, 4));
    tell(
        "both servers reset once, `max_fails` as it is",
        "502, for `fail_timeout` (10 s): “no live upstreams”",
        "transient: all attempts, none at a server",
    );
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closes_under_a_post_is_a_502_and_is_asked_again() {
    let upstream = Upstream::start("it");
    upstream.is(Turn::OncePerConnection);
    let group = format!("upstream kept {{ server {}; keepalive 4; }}", upstream.address());
    let keep = "proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header X-Request-Id $request_id;";
    let Some(nginx) = Nginx::start(&group, &format!("location / {{ proxy_pass http://kept; {keep} }}")).await else {
        return;
    };
    let caller = Caller::of(&[Provider::at(nginx.url("/"))]);
    for _ in 0..2 {
        assert_eq!(who(&caller.ask().await.unwrap()), "it");
    }
    assert_eq!(nginx.statuses().await, [200, 502, 200], "a POST is not sent again on another connection by nginx");
    assert_eq!(caller.failures(), 1);
    tell("`keepalive` to a server that closes under the request", "502, HTML", "transient: asked again, answered");
}
