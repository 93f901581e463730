//! Stories about HTTP: what each status, header and error says, and who may be asked twice.
#![cfg(all(feature = "http", not(loom)))]

use std::{
    error::Error,
    fmt, io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use evenkeel_backoff::{
    Hint, Outcome, Verdict,
    http::{Classifier, LONGEST_HINT, classify},
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const THIRTY_SECONDS_LATER: &str = "Sun, 06 Nov 1994 08:50:07 GMT";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |&(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn status(code: u16, pairs: &[(&str, &str)]) -> Verdict {
    Classifier::new().status(StatusCode::from_u16(code).unwrap(), &headers(pairs))
}

/// The delay that a 429 with these headers asks for.
fn delay(pairs: &[(&str, &str)]) -> Option<Duration> {
    let verdict = status(429, pairs);
    assert_eq!(verdict.outcome(), Outcome::Throttled);
    verdict.hint().map(|hint| match hint {
        Hint::NotBefore(delay) => delay,
        Hint::Exactly(_) | Hint::Never => panic!("{hint:?} was not asked for"),
    })
}

#[test]
fn each_status_means_what_the_table_says() {
    let transient = [408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529];
    let permanent = [501, 505, 506, 507, 508, 509, 510, 511, 525, 526];
    for code in 100..1000 {
        let expected = match code {
            100..400 => Outcome::Success,
            429 => Outcome::Throttled,
            _ if transient.contains(&code) => Outcome::Transient,
            400..500 => Outcome::Permanent,
            _ if permanent.contains(&code) => Outcome::Permanent,
            // Unknown is as 500, and what is no status is a server's error.
            _ => Outcome::Transient,
        };
        let verdict = status(code, &[]);
        assert_eq!((verdict.outcome(), verdict.hint()), (expected, None), "{code}");
        assert_eq!(verdict.is_unprocessed(), matches!(code, 425 | 429), "{code}");
    }
}

#[test]
fn a_503_that_names_a_time_is_throttled_and_one_that_does_not_is_transient() {
    assert_eq!(status(503, &[("retry-after", "2")]), Verdict::throttled().not_before(secs(2)));
    assert_eq!(status(503, &[("retry-after-ms", "2000")]), Verdict::throttled().not_before(secs(2)));
    assert_eq!(status(503, &[("retry-after", "soon")]), Verdict::transient());
    assert_eq!(status(503, &[("x-ratelimit-reset-requests", "2s")]), Verdict::transient());
    assert_eq!(status(502, &[("retry-after", "2")]), Verdict::transient().not_before(secs(2)));
}

#[test]
fn a_conflict_is_permanent_unless_the_option_says_otherwise() {
    let lenient = Classifier::new().conflict_is_transient();
    assert_eq!(status(409, &[]), Verdict::permanent());
    assert_eq!(lenient.status(StatusCode::CONFLICT, &HeaderMap::new()), Verdict::transient());
    assert_eq!(lenient.status(StatusCode::GONE, &HeaderMap::new()), Verdict::permanent());
}

/// Hazard 17.
#[test]
fn retrying_is_decided_on_the_response_and_not_on_err_alone() {
    let answer = |code: u16| Ok::<_, io::Error>(Response::builder().status(code).body("body").unwrap());
    assert_eq!(classify(&answer(503)), Verdict::transient());
    assert_eq!(classify(&answer(404)), Verdict::permanent());
    assert_eq!(classify(&answer(200)), Verdict::success());
    let refused = Err::<Response<()>, _>(io::Error::from(io::ErrorKind::PermissionDenied));
    assert_eq!(classify(&refused), Verdict::permanent());
}

/// Hazard 7.
#[test]
fn a_server_delay_is_not_ignored() {
    for (name, value, expected) in [
        ("retry-after-ms", "1500", Duration::from_millis(1500)),
        ("retry-after-ms", "0.25", Duration::from_micros(250)),
        ("retry-after", "120", secs(120)),
        ("Retry-After", " 2.5\t", Duration::from_millis(2500)),
        ("retry-after", "0", Duration::ZERO),
        ("retry-after", "0002.", secs(2)),
        ("retry-after", ".1", Duration::from_millis(100)),
        ("retry-after", "2.0000000000000000000000000000000000000000", secs(2)),
        ("x-ratelimit-reset-requests", "1m2.5s", Duration::from_millis(62_500)),
        ("x-ratelimit-reset-requests", "6m0s", secs(360)),
        ("x-ratelimit-reset-tokens", "20ms", Duration::from_millis(20)),
        ("x-ratelimit-reset-tokens", "1h0m3s", secs(3603)),
        ("x-ratelimit-reset-tokens", "1.5h", secs(5400)),
        ("x-ratelimit-reset-tokens", "7us", Duration::from_micros(7)),
        ("x-ratelimit-reset-tokens", "7µs", Duration::from_micros(7)),
        ("x-ratelimit-reset-tokens", "7\u{3bc}s", Duration::from_micros(7)),
        ("x-ratelimit-reset-tokens", "9ns", Duration::from_nanos(9)),
        ("x-ratelimit-reset-tokens", "0", Duration::ZERO),
        ("ratelimit", "\"default\";r=0;t=30", secs(30)),
        ("RateLimit", "\"default\"; r=0; t=30", secs(30)),
        ("ratelimit", "\"a;t=1,\\\";t=2\";t=30;r=0", secs(30)),
        ("ratelimit", "\"a\";r=10;t=5, \"b\";r=0;t=60", secs(60)),
        ("ratelimit", "\"a\";r=0;t=60, \"b\";r=0;t=5;pk=:cGs=:", secs(60)),
        ("ratelimit", "\"a\";t=5", secs(5)),
    ] {
        assert_eq!(delay(&[(name, value)]), Some(expected), "{name}: {value}");
    }
}

#[test]
fn what_cannot_be_read_is_as_if_it_were_absent() {
    let numbers = ["", " ", "-1", "-0", "+1", ".", "1.2.3", "1e3", "NaN", "inf", "0x10", "१", "1 2"];
    let longer = format!("{}", LONGEST_HINT.as_millis() + 1);
    let absurd = ["1730000000", "99999999999999999999999999999999999999999999", &longer];
    for value in numbers.into_iter().chain(absurd) {
        assert_eq!(delay(&[("retry-after", value)]), None, "{value}");
        assert_eq!(delay(&[("x-ratelimit-reset-requests", value)]), None, "{value}");
        assert_eq!(delay(&[("ratelimit", &format!("\"a\";r=0;t={value}"))]), None, "{value}");
        if value != "1730000000" {
            assert_eq!(delay(&[("retry-after-ms", value)]), None, "{value}");
        }
    }
    for value in ["2", "2d", "s", "2 s", "-2s", "2S", "1h0", "2s1", "2s,", "9000h", "1.2.3s", "µs"] {
        assert_eq!(delay(&[("x-ratelimit-reset-requests", value)]), None, "{value}");
    }
    for value in ["\"a\"", "\"a\";r=0", "\"a\";r=0;t", "\"a;r=0;t=5", "t=5", "\"a\";T=5", "\"a\";r=0;t=?1"] {
        assert_eq!(delay(&[("ratelimit", value)]), None, "{value}");
    }
    assert_eq!(delay(&[("retry-after", "1,5")]), None);
    assert_eq!(delay(&[("retry-after", "1.00000000000000000000000000000000000000000x")]), None);
    let opaque = HeaderMap::from_iter([(http::header::RETRY_AFTER, HeaderValue::from_bytes(b"2\xb5").unwrap())]);
    let verdict = Classifier::new().status(StatusCode::TOO_MANY_REQUESTS, &opaque);
    assert_eq!(verdict, Verdict::throttled());
}

#[test]
fn the_longest_hint_is_a_year_and_not_a_nanosecond_more() {
    let year = LONGEST_HINT.as_secs();
    assert_eq!(delay(&[("retry-after", &year.to_string())]), Some(LONGEST_HINT));
    assert_eq!(delay(&[("retry-after", &format!("{year}.000000001"))]), None);
    assert_eq!(delay(&[("x-ratelimit-reset-tokens", "8760h")]), Some(LONGEST_HINT));
    assert_eq!(delay(&[("x-ratelimit-reset-tokens", "8760h1ns")]), None);
}

#[test]
fn the_first_header_that_can_be_read_wins() {
    let all = [
        ("retry-after-ms", "1000", "-1"),
        ("retry-after", "2", "soon"),
        ("x-ratelimit-reset-requests", "3s", "3"),
        ("x-ratelimit-reset-tokens", "4s", ""),
        ("ratelimit", "\"a\";r=0;t=5", "limit=1"),
    ];
    for unreadable in 0..=all.len() {
        let value = |(index, &(name, good, bad))| (name, if index < unreadable { bad } else { good });
        let pairs: Vec<_> = all.iter().enumerate().map(value).collect();
        let expected = (unreadable < all.len()).then(|| secs(unreadable as u64 + 1));
        assert_eq!(delay(&pairs), expected, "the first {unreadable} cannot be read");
    }
}

#[test]
fn of_a_header_that_occurs_twice_the_first_valid_value_counts() {
    assert_eq!(delay(&[("retry-after", "soon"), ("retry-after", "3"), ("retry-after", "4")]), Some(secs(3)));
    let twice = [("x-should-retry", "maybe"), ("x-should-retry", "FALSE"), ("x-should-retry", "true")];
    assert_eq!(status(503, &twice), Verdict::transient().never());
    // A list may be spread over lines.
    assert_eq!(delay(&[("ratelimit", "\"a\";r=0;t=3"), ("ratelimit", "\"b\";r=0;t=4")]), Some(secs(4)));
}

#[test]
fn a_quota_of_which_something_is_left_gives_no_hint() {
    let requests = ("x-ratelimit-reset-requests", "1s");
    let tokens = ("x-ratelimit-reset-tokens", "6m0s");
    let (requests_left, tokens_left) = ("x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens");
    assert_eq!(delay(&[requests, tokens, (requests_left, "59"), (tokens_left, "0")]), Some(secs(360)));
    assert_eq!(delay(&[requests, tokens, (requests_left, "0"), (tokens_left, "59")]), Some(secs(1)));
    assert_eq!(delay(&[requests, tokens, (requests_left, "0"), (tokens_left, "0")]), Some(secs(360)));
    assert_eq!(delay(&[requests, tokens, (tokens_left, "0")]), Some(secs(360)), "the one known to be used up");
    assert_eq!(delay(&[requests, tokens]), Some(secs(1)), "the first in order, where nothing is known");
    assert_eq!(delay(&[requests, tokens, (requests_left, "-1")]), Some(secs(1)), "as if it were absent");
    let huge = "9".repeat(60);
    assert_eq!(delay(&[requests, (requests_left, &huge)]), None);
    assert_eq!(delay(&[("ratelimit", "\"a\";r=1;t=30")]), None);
    let next = [requests, (requests_left, "1"), ("ratelimit", "\"a\";r=0;t=30")];
    assert_eq!(delay(&next), Some(secs(30)), "the next header is asked");
}

#[test]
fn quota_headers_are_read_only_when_throttled() {
    let quota = [("x-ratelimit-reset-requests", "1s"), ("x-ratelimit-remaining-requests", "0"), ("ratelimit", "a;t=2")];
    assert_eq!(status(500, &quota), Verdict::transient());
    assert_eq!(status(400, &quota), Verdict::permanent());
    assert_eq!(status(429, &quota), Verdict::throttled().not_before(secs(1)));
    let told = [quota[0], quota[1], ("retry-after", "0")];
    assert_eq!(status(503, &told), Verdict::throttled().not_before(Duration::ZERO), "and `Retry-After` comes first");
}

#[test]
fn a_success_has_no_hint_whatever_it_says() {
    for code in [100, 200, 204, 302, 304] {
        let all = [("retry-after", "5"), ("x-should-retry", "true"), ("ratelimit", "\"a\";r=0;t=5")];
        assert_eq!(status(code, &all), Verdict::success());
        assert_eq!(status(code, &[("x-should-retry", "false")]), Verdict::success());
    }
}

#[test]
fn the_server_may_override_the_status() {
    let (yes, no) = (("x-should-retry", "true"), ("x-should-retry", "false"));
    assert_eq!(status(400, &[yes]), Verdict::transient().unprocessed());
    assert_eq!(status(400, &[yes, ("retry-after", "1")]), Verdict::transient().unprocessed().not_before(secs(1)));
    assert_eq!(status(429, &[yes]), Verdict::throttled());
    assert_eq!(status(500, &[yes]), Verdict::transient().unprocessed());
    assert_eq!(status(500, &[no]), Verdict::transient().never());
    assert_eq!(status(429, &[no, ("retry-after", "1")]), Verdict::throttled().never());
    assert_eq!(status(400, &[no]), Verdict::permanent().never());
    assert_eq!(status(400, &[("x-should-retry", "yes")]), Verdict::permanent());
}

#[test]
fn exact_hints_are_exact() {
    let exact = Classifier::new().exact_hints();
    let verdict = exact.status(StatusCode::BAD_GATEWAY, &headers(&[("retry-after", "2")]));
    assert_eq!(verdict, Verdict::transient().exactly(secs(2)));
    assert_eq!(exact.status(StatusCode::BAD_GATEWAY, &HeaderMap::new()), Verdict::transient());
}

#[test]
fn a_date_is_counted_from_the_date_of_the_response() {
    fn never_asked() -> SystemTime {
        panic!("the response has a `Date`")
    }
    let classifier = Classifier::new().wall_clock(never_asked);
    let judge = |pairs: &[(&str, &str)]| classifier.status(StatusCode::TOO_MANY_REQUESTS, &headers(pairs)).hint();
    let later = [
        THIRTY_SECONDS_LATER,
        "Sunday, 06-Nov-94 08:50:07 GMT", // RFC 850
        "Sun Nov  6 08:50:07 1994",       // asctime
    ];
    for date in later {
        assert_eq!(judge(&[("retry-after", date), ("date", DATE)]), Some(Hint::NotBefore(secs(30))), "{date}");
    }
    let past = [("retry-after", DATE), ("date", THIRTY_SECONDS_LATER)];
    assert_eq!(judge(&past), Some(Hint::NotBefore(Duration::ZERO)), "a past date is now");
    assert_eq!(judge(&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"), ("date", DATE)]), None, "absurdly long");
    assert_eq!(judge(&[("retry-after", "Mon, 06 Nov 1994 08:50:07 GMT"), ("date", DATE)]), None, "no such Monday");
}

#[test]
fn a_date_is_counted_from_the_wall_clock_where_the_response_has_none() {
    let classifier = Classifier::new().wall_clock(|| UNIX_EPOCH + secs(784_111_777)); // `DATE`
    let judge = |pairs: &[(&str, &str)]| classifier.status(StatusCode::TOO_MANY_REQUESTS, &headers(pairs)).hint();
    let (later, thirty) = (("retry-after", THIRTY_SECONDS_LATER), Some(Hint::NotBefore(secs(30))));
    assert_eq!(judge(&[later]), thirty);
    assert_eq!(judge(&[later, ("date", "yesterday")]), thirty);
    assert_eq!(judge(&[("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")]), Some(Hint::NotBefore(Duration::ZERO)));
    // By default it is the system's, to which all of this is long ago.
    assert_eq!(delay(&[later]), Some(Duration::ZERO));
}

/// An error of a client, around another.
#[derive(Debug)]
struct Around<E>(E);

impl<E> fmt::Display for Around<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("around another")
    }
}

impl<E: Error + 'static> Error for Around<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct TailBiter;

impl fmt::Display for TailBiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its own cause")
    }
}

impl Error for TailBiter {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

fn error(error: &(dyn Error + 'static)) -> Verdict {
    Classifier::new().error(error)
}

#[test]
fn each_kind_of_io_error_means_what_the_table_says() {
    use io::ErrorKind::*;
    for kind in [ConnectionRefused, AddrNotAvailable, AddrInUse] {
        assert_eq!(error(&io::Error::from(kind)), Verdict::transient().unprocessed(), "{kind}");
    }
    for kind in [ConnectionReset, ConnectionAborted, NotConnected, BrokenPipe, UnexpectedEof, WriteZero, TimedOut] {
        assert_eq!(error(&io::Error::from(kind)), Verdict::transient(), "{kind}");
    }
    for kind in [Interrupted, WouldBlock, HostUnreachable, NetworkUnreachable, NetworkDown, NotFound, Other] {
        assert_eq!(error(&io::Error::from(kind)), Verdict::transient(), "{kind}");
    }
    for kind in [InvalidInput, InvalidData, PermissionDenied, Unsupported] {
        assert_eq!(error(&io::Error::from(kind)), Verdict::permanent(), "{kind}");
    }
}

#[test]
fn a_port_that_nobody_listens_on_is_transient_and_unprocessed() {
    // Bound and let go of, so that it was free just now.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(error(&refused), Verdict::transient().unprocessed(), "{refused}");
}

#[test]
fn the_innermost_io_error_that_says_anything_decides() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(error(&Around(Around(refused()))), Verdict::transient().unprocessed());
    assert_eq!(error(&io::Error::other(refused())), Verdict::transient().unprocessed());
    assert_eq!(error(&io::Error::other(Around(refused()))), Verdict::transient().unprocessed());
    assert_eq!(error(&Around(io::Error::new(io::ErrorKind::TimedOut, refused()))), Verdict::transient().unprocessed());
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(error(&io::Error::new(io::ErrorKind::ConnectionRefused, reset)), Verdict::transient());
    let certificate = io::Error::new(io::ErrorKind::InvalidData, io::Error::other("unknown issuer"));
    assert_eq!(error(&Around(certificate)), Verdict::permanent(), "`Other` says nothing");
}

#[test]
fn an_error_without_an_io_error_in_it_is_transient() {
    assert_eq!(error(&fmt::Error), Verdict::transient());
    assert_eq!(error(&TailBiter), Verdict::transient(), "and one that is its own cause has an end");
}

/// Hazard 18.
#[test]
fn what_may_not_be_sent_twice_is_not_unless_it_was_surely_not_processed() {
    let strict = Classifier::new().only_unprocessed();
    let judge = |code, pairs: &[(&str, &str)]| strict.status(StatusCode::from_u16(code).unwrap(), &headers(pairs));
    for code in [408, 500, 502, 503, 504, 529, 599] {
        assert_eq!(judge(code, &[]), Verdict::permanent(), "{code}");
    }
    let allowed = judge(500, &[("x-should-retry", "true")]);
    assert_eq!(allowed, Verdict::transient().unprocessed(), "the server says so itself");
    assert_eq!(judge(502, &[("retry-after", "2")]), Verdict::permanent().not_before(secs(2)));
    assert_eq!(judge(429, &[]), Verdict::throttled());
    assert_eq!(judge(503, &[("retry-after", "2")]), Verdict::throttled().not_before(secs(2)));
    assert_eq!(judge(425, &[]), Verdict::transient().unprocessed());
    assert_eq!(strict.error(&io::Error::from(io::ErrorKind::ConnectionReset)), Verdict::permanent());
    let refused = strict.error(&Around(io::Error::from(io::ErrorKind::ConnectionRefused)));
    assert_eq!(refused, Verdict::transient().unprocessed());
}

#[cfg(feature = "tower")]
#[test]
fn only_idempotent_methods_and_requests_with_a_key_may_always_be_repeated() {
    use evenkeel_backoff::{Repeat, http::by_method};
    let repeat = |method: &str, key: Option<&str>| {
        let request = http::Request::builder().method(method);
        by_method(
            &key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key)).body(()).unwrap(),
        )
    };
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
        assert_eq!(repeat(method, None), Repeat::Always, "{method}");
    }
    for method in ["POST", "PATCH", "CONNECT", "MKCOL", "get"] {
        assert_eq!(repeat(method, None), Repeat::IfUnprocessed, "{method}");
        assert_eq!(repeat(method, Some("8e03978e")), Repeat::Always, "{method}");
        for empty in ["", "  ", "\"\""] {
            assert_eq!(repeat(method, Some(empty)), Repeat::IfUnprocessed, "{method} {empty:?}");
        }
    }
}
