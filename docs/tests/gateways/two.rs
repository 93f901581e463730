//! Two providers behind nginx, the first of them bad in each way: the second answers, and the caller does not notice.

use evenkeel_breaker::State;

use super::{
    caller::{Caller, Provider, http, tell, who},
    limited::documented,
    nginx::Nginx,
    upstream::{Turn, Upstream},
};

async fn gateway(first: &Upstream, second: &Upstream, settings: &str) -> Option<Nginx> {
    let (first, second) = (first.address(), second.address());
    let server = format!(
        "location /first {{ proxy_pass http://{first}; {settings} }}
         location /second {{ proxy_pass http://{second}; }}"
    );
    Nginx::start("limit_req_zone $binary_remote_addr zone=none:64k rate=1r/m;", &server).await
}

#[tokio::test]
async fn whatever_is_wrong_with_the_first_the_second_answers_at_once() {
    let limited = "limit_req zone=none; limit_req_status 429; add_header Retry-After 5 always;";
    for (wrong, turn, settings, status) in [
        ("server resets", Turn::Resets, "", 502),
        ("server silent", Turn::Silent, "proxy_read_timeout 100ms;", 504),
        ("server breaks off", Turn::BreaksOff, "", 200),
        ("server says 503", Turn::Says(503, "retry-after: 5\r\n"), "", 503),
        ("server says 401", Turn::Says(401, ""), "", 401),
        ("limit reached", Turn::Well, limited, 429),
    ] {
        let (first, second) = (Upstream::start("first"), Upstream::start("second"));
        let Some(nginx) = gateway(&first, &second, settings).await else { return };
        if status == 429 {
            // Somebody else had the one of this minute.
            let other = Caller::with(&[Provider::at(nginx.url("/first"))], 1, &http());
            assert_eq!(who(&other.ask().await.unwrap()), "first");
        }
        first.is(turn);
        let before = nginx.statuses().await.len();
        let caller = Caller::of(&[Provider::at(nginx.url("/first")), Provider::at(nginx.url("/second"))]);
        assert_eq!(who(&caller.ask().await.unwrap()), "second", "{wrong}");
        assert_eq!(nginx.statuses().await.split_off(before), [status, 200], "{wrong}");
        assert!(caller.pauses.asked().is_empty(), "{wrong}: nobody waits, also where the first asks for it");
        assert_eq!((caller.failures(), caller.client.breaker(1).snapshot().failures), (1, 0), "{wrong}");
        tell(
            &format!("{wrong}, and there is a second provider"),
            status,
            "failure of the first: the second answers at once",
        );
    }
}

#[tokio::test]
async fn the_documented_file_lives_through_an_outage_of_the_first_and_leaves_it_alone() {
    let (mut first, second) = (Upstream::start("first"), Upstream::start("second"));
    let Some(nginx) = gateway(&first, &second, "").await else { return };
    let caller = Caller::configured(&documented(&[nginx.url("/first"), nginx.url("/second")]), &http());
    assert_eq!(who(&caller.ask().await.unwrap()), "first");

    first.stop().await;
    // Ten failures in a row open its breaker.
    for _ in 0..10 {
        assert_eq!(who(&caller.ask().await.unwrap()), "second");
    }
    assert_eq!(caller.breaker().state(), State::Open);
    let asked = nginx.seen().await.iter().filter(|line| line.path == "/first").count();
    assert_eq!(asked, 11, "one while it was well, ten to find out");
    assert_eq!(who(&caller.ask().await.unwrap()), "second");

    first.start_again();
    caller.breaker().reset();
    assert_eq!(who(&caller.ask().await.unwrap()), "first");
    assert_eq!(second.count(), 11);
    tell("the program's own file: first provider stopped", "502 ten times", "breaker open, the second answers all");
}
