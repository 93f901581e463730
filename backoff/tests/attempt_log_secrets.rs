//! Nothing that lets somebody in is in an attempt log, whatever a server sends back.
#![cfg(all(feature = "http", feature = "tower", not(loom)))]

mod support;

use std::{
    fmt,
    future::{Future, pending, ready},
    io,
    pin::pin,
    task::{Context, Poll, Waker},
};

use evenkeel_backoff::http::{AttemptLog, ErrorKinds, ErrorWords};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use proptest::{collection::vec, prelude::*, sample::select};
use support::clocks::{builder, log};
use tower::{Layer, Service, service_fn};

const SECRETS: [&str; 8] = [
    "sk-proj-authorization",
    "dXNlcjpwYXNzd29yZA==",
    "anthropic-x-api-key",
    "session-cookie-value",
    "second-cookie-value",
    "azure-key-of-the-query",
    "a-token-of-ones-own",
    "marked-as-sensitive",
];
const BODY: &str = "the-secret-of-the-body";

/// A request with a secret wherever there is room for one.
fn request() -> Request<&'static str> {
    let mut request = Request::post(format!("https://key:{0}@example.com/{0}?v=1&api-key={0}&x=y", SECRETS[5]))
        .header("authorization", format!("Bearer {}", SECRETS[0]))
        .header("proxy-authorization", format!("Basic {}", SECRETS[1]))
        .header("x-api-key", SECRETS[2])
        .header("cookie", format!("a={}; b={}", SECRETS[3], SECRETS[4]))
        .header("x-refresh-token", SECRETS[6])
        .body(BODY)
        .unwrap();
    let mut marked = HeaderValue::from_static(SECRETS[7]);
    marked.set_sensitive(true);
    request.headers_mut().insert("x-client-request-id", marked);
    request
}

/// All that anybody can see of a log.
fn all_of(log: &AttemptLog) -> String {
    let report = log.report();
    format!("{log:?} {:?} {report} {report:?}", log.records())
}

fn assert_nothing_in(seen: &str) {
    for secret in SECRETS.iter().chain([&BODY]) {
        assert!(!seen.contains(secret), "`{secret}` in {seen}");
    }
}

fn call<S, B>(mut service: S, request: Request<&'static str>) -> String
where
    S: Service<Request<&'static str>, Response = Response<B>>,
    S::Future: fmt::Debug,
{
    let mut response = pin!(service.call(request));
    let debug = format!("{response:?}");
    let _ = response.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    debug
}

#[test]
fn a_server_that_echoes_a_secret_in_an_id_has_it_left_out() {
    for secret in SECRETS {
        // Each may be marked and named as the request's own, too.
        for header in ["x-request-id", "request-id", "x-client-request-id", "cf-ray"] {
            let log = log(4);
            let echo = service_fn(move |request: Request<&'static str>| {
                let response = Response::builder().status(401).header("apim-request-id", "harmless");
                let response = response.header(header, secret).header("set-cookie", secret).header("location", secret);
                ready(Ok::<_, io::Error>(response.body(request.into_body()).unwrap()))
            });
            let debug = call(log.layer("openai").layer(echo), request());
            assert_nothing_in(&(all_of(&log) + &debug));
            let ids = &log.records()[0].request_ids;
            assert_eq!((ids.len(), &*ids[0].value), (1, "harmless"), "{header}: {secret}");
        }
    }
}

#[test]
fn a_server_that_echoes_a_whole_header_has_it_left_out() {
    for header in ["authorization", "proxy-authorization", "cookie"] {
        let log = log(4);
        let echo = service_fn(move |request: Request<&'static str>| {
            let echoed = request.headers()[header].clone();
            ready(Ok::<_, io::Error>(Response::builder().status(500).header("x-request-id", echoed).body(()).unwrap()))
        });
        call(log.layer("openai").layer(echo), request());
        assert_nothing_in(&all_of(&log));
        assert!(log.records()[0].request_ids.is_empty());
    }
}

#[test]
fn an_id_that_is_marked_as_sensitive_is_left_out() {
    let log = log(4);
    let mut marked = HeaderValue::from_static("req_1");
    marked.set_sensitive(true);
    let response = Response::builder().status(500).header("x-request-id", marked).body(()).unwrap();
    let _ = log.watch_blocking("openai", &HeaderMap::new(), || Ok::<_, io::Error>(response));
    assert!(log.records()[0].request_ids.is_empty());
}

#[test]
fn an_error_that_quotes_the_url_is_a_word() {
    struct Quoting(String);
    impl fmt::Debug for Quoting {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }
    impl fmt::Display for Quoting {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }
    impl std::error::Error for Quoting {}
    let log = log(4);
    let quoting = service_fn(|request: Request<&'static str>| {
        let (url, body) = (request.uri().to_string(), request.body().to_string());
        ready(Err::<Response<()>, _>(io::Error::new(io::ErrorKind::TimedOut, Quoting(url + &body))))
    });
    call(log.layer("openai").layer(quoting), request());
    assert_nothing_in(&all_of(&log));
    assert!(all_of(&log).contains("timed out"));
    assert_eq!(ErrorKinds.word(&Quoting(SECRETS[0].to_owned())), "error");
}

#[test]
fn an_attempt_that_is_given_up_has_no_secret_either() {
    let log = log(4);
    let silent = service_fn(|_: Request<&str>| pending::<io::Result<Response<()>>>());
    let debug = call(log.layer("openai").layer(silent), request());
    assert_eq!(log.records().len(), 1);
    assert_nothing_in(&(all_of(&log) + &debug));
}

#[test]
fn a_request_with_more_secrets_than_are_told_apart_has_no_ids() {
    let log = log(4);
    let cookies: Vec<String> = (0..20).map(|number| format!("c{number}=value-{number}")).collect();
    let headers = HeaderMap::from_iter([(http::header::COOKIE, HeaderValue::from_str(&cookies.join("; ")).unwrap())]);
    let _ = log.watch_blocking("openai", &headers, || {
        let response = Response::builder().status(500).header("x-request-id", "value-19");
        Ok::<_, io::Error>(response.body(()).unwrap())
    });
    assert!(log.records()[0].request_ids.is_empty(), "any might be one");
}

#[test]
fn a_header_that_carries_credentials_is_no_id_header() {
    let refused = [
        "authorization",
        "proxy-authorization",
        "www-authenticate",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "ocp-apim-subscription-key",
        "x-goog-api-key",
        "x-amz-security-token",
        "x-client-secret",
        "x-user-password",
        "x-credentials",
        "x-session-id",
        "x-hub-signature-256",
    ];
    for name in refused {
        let header = HeaderName::from_static(name);
        let error = builder(4).id_header(HeaderName::from_static("x-trace")).id_header(header).build().unwrap_err();
        assert_eq!(error.field(), "id_header", "{name}");
    }
    for name in ["x-trace", "traceparent", "x-amz-cf-id", "idempotency-key", "x-idempotency-key", "openai-organization"]
    {
        assert!(builder(4).id_header(HeaderName::from_static(name)).build().is_ok(), "{name}");
    }
}

#[test]
fn an_id_is_visible_ascii_and_not_long() {
    let log = log(16);
    let long = "x".repeat(5_000);
    let received: [(&[u8], Option<&str>); 8] = [
        (b"req_1", Some("req_1")),
        (b"  req_2  ", Some("req_2")),
        (long.as_bytes(), Some(&long[..128])),
        (b"", None),
        (b"two words", None),
        (b"tab\tbed", None),
        ("größer".as_bytes(), None),
        (b"\xff\xfe", None),
    ];
    for (value, _) in received {
        let _ = log.watch_blocking("openai", &HeaderMap::new(), || {
            let value = HeaderValue::from_bytes(value).unwrap();
            Ok::<_, io::Error>(Response::builder().status(500).header("x-request-id", value).body(()).unwrap())
        });
    }
    let kept = log.records();
    let kept: Vec<Option<&str>> = kept.iter().map(|record| record.request_ids.first().map(|id| &*id.value)).collect();
    assert_eq!(kept, received.map(|(_, expected)| expected));
}

proptest! {
    /// Whatever a server sends back in headers of ids: of a secret of the request, whole, nothing is seen, and each line of
    /// the report is of printable characters.
    #[test]
    fn no_answer_brings_a_secret_into_the_report(
        secret in "[!-~]{12,200}",
        scheme in select(vec!["", "Bearer ", "Basic ", "bearer  "]),
        sent in select(vec!["authorization", "x-api-key", "api-key", "x-auth-token", "x-my-secret"]),
        received in vec((select(vec!["x-request-id", "cf-ray", "request-id", "x-client-request-id"]), 0..4_u8, "[ -~é]{0,40}"), 0..6),
    ) {
        let log = log(2);
        let value = HeaderValue::from_str(&format!("{scheme}{secret}")).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static(sent), value.clone())]);
        let response = received.iter().fold(Response::builder().status(500), |response, (name, what, text)| match what {
            0 => response.header(*name, &value),
            1 => response.header(*name, &secret),
            _ => response.header(*name, text.as_bytes()),
        });
        let response = response.body(()).unwrap();
        let _ = log.watch_blocking("openai", &headers, move || Ok::<_, io::Error>(response));
        let report = log.report().to_string();
        prop_assert!(!report.contains(&secret), "{report}");
        prop_assert!(report.lines().flat_map(str::chars).all(|c| c == ' ' || c.is_ascii_graphic()), "{report}");
    }
}

/// As the compiler sees it: a poll that is ready hands the answer on as it was.
#[test]
fn the_answer_is_the_clients_own() {
    let log = log(4);
    let mut service = log.layer("openai").layer(service_fn(|request: Request<&'static str>| {
        ready(Ok::<_, io::Error>(
            Response::builder().status(500).header("x-request-id", "a").body(request.into_body()).unwrap(),
        ))
    }));
    let response = pin!(service.call(request())).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(response)) = response else { panic!("it answers at once") };
    assert_eq!((response.status().as_u16(), *response.body(), response.headers().len()), (500, BODY, 1));
}
