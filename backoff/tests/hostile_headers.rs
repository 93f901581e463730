//! For all headers: nothing that a server sends makes the classifier panic, wait for ever or disagree with itself.
//! `PROPTEST_CASES=1000000 cargo test --release -p evenkeel-backoff --features http --test hostile_headers` for a long run.
#![cfg(all(feature = "http", not(loom)))]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use evenkeel_backoff::{
    Hint, Outcome, Verdict,
    http::{Classifier, LONGEST_HINT},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::{collection::vec, prelude::*, sample::select};

const NAMES: [&str; 9] = [
    "retry-after-ms",
    "retry-after",
    "date",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "ratelimit",
    "x-should-retry",
];

/// 1994-11-06, so that nothing depends on today.
const NOW: u64 = 784_111_777;

fn classifier() -> Classifier {
    Classifier::new().wall_clock(|| UNIX_EPOCH + Duration::from_secs(NOW))
}

/// The delay that a 429 with this one header asks for.
fn delay(name: &'static str, value: &str) -> Option<Duration> {
    let value = HeaderValue::from_bytes(value.as_bytes()).expect("no test writes a control character");
    let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
    asked(classifier().status(StatusCode::TOO_MANY_REQUESTS, &headers))
}

fn asked(verdict: Verdict) -> Option<Duration> {
    match verdict.hint() {
        Some(Hint::NotBefore(delay) | Hint::Exactly(delay)) => Some(delay),
        Some(Hint::Never) | None => None,
    }
}

// What servers send, and what they might.

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,12}",
        4 => "[0-9]{0,4}\\.[0-9]{0,12}",
        1 => "[0-9]{15,60}",
        1 => "0{1,60}[0-9]\\.[0-9]{20,60}",
        1 => "[+-]?[0-9]{1,3}(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,6}",
        1 => "[-+][0-9]{1,20}",
        1 => select(vec!["", "NaN", "nan", "inf", "-inf", "infinity", "-0", "0x1p3", ".", "..", "1_000", "١٢", "½", "∞"])
            .prop_map(String::from),
    ]
}

fn go() -> impl Strategy<Value = String> {
    let unit = select(vec!["h", "m", "s", "ms", "us", "µs", "\u{3bc}s", "ns", "", "d", "w", "M", "S", " s", "hh", "€"]);
    vec((number(), unit), 0..6).prop_map(|terms| terms.into_iter().map(|(number, unit)| number + unit).collect())
}

fn date() -> impl Strategy<Value = String> {
    // To the last second of the year 9999, and around now.
    let valid = prop_oneof![0..253_402_300_800_u64, NOW - 100..NOW + 100]
        .prop_map(|seconds| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds)));
    prop_oneof![
        4 => valid.clone(),
        1 => (valid, 0..29_usize, "[ -~]").prop_map(|(mut date, at, other)| {
            date.replace_range(at..=at, &other);
            date
        }),
        2 => "(Mon|Sun), [0-9]{2} (Jan|Feb|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        1 => "(Mon|Sun)day, [0-9]{2}-(Jan|Feb|Dec)-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        1 => "(Mon|Sun) (Jan|Feb|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}",
    ]
}

fn list() -> impl Strategy<Value = String> {
    let name = select(vec!["\"a\"", "a", "\"a,b;t=1\"", "\"\\\"\"", "\"a", "\"a\\", "", ":YQ==:", "?1", "\"é\""]);
    let key = select(vec!["r", "t", "q", "w", "pk", "T", "", "t ", " t"]);
    let value = prop_oneof![number(), "[\"\\\\,;=a-z0-9]{0,8}"];
    let parameters = vec((key, value), 0..5)
        .prop_map(|all| all.into_iter().map(|(key, value)| format!(";{key}={value}")).collect::<String>());
    let item = (name, parameters).prop_map(|(name, parameters)| name.to_owned() + &parameters);
    (vec(item, 0..5), select(vec![",", ", ", ",,", ";", " "])).prop_map(|(items, separator)| items.join(separator))
}

fn value() -> impl Strategy<Value = HeaderValue> {
    let text = prop_oneof![
        number(),
        go(),
        date(),
        list(),
        "(true|false|TRUE|False|1| true |)",
        ".{0,40}",
        (number(), 1..2_000_usize).prop_map(|(number, times)| number.repeat(times)),
    ];
    let bytes = prop_oneof![4 => text.prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..60)];
    bytes.prop_map(|mut bytes| {
        // A client's parser lets none of the others through either.
        bytes.retain(|byte| HeaderValue::from_bytes(&[*byte]).is_ok());
        HeaderValue::from_bytes(&bytes).expect("each byte of it may be in a header")
    })
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    vec((select(NAMES.to_vec()).prop_map(HeaderName::from_static), value()), 0..12)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn options() -> impl Strategy<Value = Classifier> {
    any::<[bool; 3]>().prop_map(|[conflict, exact, unprocessed]| {
        let set = |on: bool, from: Classifier, to: fn(Classifier) -> Classifier| if on { to(from) } else { from };
        let classifier = set(conflict, classifier(), Classifier::conflict_is_transient);
        let classifier = set(exact, classifier, Classifier::exact_hints);
        set(unprocessed, classifier, Classifier::only_unprocessed)
    })
}

/// As Go's `Duration.String` writes it: whole hours and minutes, then seconds with a fraction.
fn as_go(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) if seconds == 0 && nanos > 0 && nanos < 1_000_000 => format!("{}.{:03}µs", nanos / 1_000, nanos % 1_000),
        (0, 0) => format!("{seconds}.{nanos:09}s"),
        (0, _) => format!("{minutes}m{seconds}.{nanos:09}s"),
        _ => format!("{hours}h{minutes}m{seconds}.{nanos:09}s"),
    }
}

fn hint() -> impl Strategy<Value = Duration> {
    let longest = LONGEST_HINT.as_nanos() as u64;
    prop_oneof![0..=longest, 0..2_000_000_u64, 0..=1_000_000_000_000_u64, longest - 10..=longest]
        .prop_map(Duration::from_nanos)
}

proptest! {
    #[test]
    fn any_headers_give_a_hint_that_ends_and_the_same_one_twice(
        headers in headers(),
        code in 100..1000_u16,
        classifier in options(),
    ) {
        let status = StatusCode::from_u16(code).unwrap();
        let verdict = classifier.status(status, &headers);
        prop_assert_eq!(verdict, classifier.status(status, &headers));
        prop_assert!(asked(verdict).is_none_or(|delay| delay <= LONGEST_HINT));
        if code < 400 {
            prop_assert_eq!(verdict, Verdict::success());
        } else {
            prop_assert_ne!(verdict.outcome(), Outcome::Success, "no header makes a failure good");
        }
    }

    #[test]
    fn headers_only_add_to_what_the_status_says(headers in headers(), code in 400..1000_u16) {
        let status = StatusCode::from_u16(code).unwrap();
        let (bare, verdict) = (classifier().status(status, &HeaderMap::new()), classifier().status(status, &headers));
        match (bare.outcome(), verdict.outcome()) {
            (before, after) if before == after => {}
            (Outcome::Permanent, Outcome::Transient) => prop_assert!(headers.contains_key("x-should-retry")),
            (Outcome::Transient, Outcome::Throttled) => prop_assert_eq!(code, 503),
            (before, after) => prop_assert!(false, "{:?} became {:?}", before, after),
        }
        if verdict.outcome() != Outcome::Throttled && !headers.contains_key("retry-after") {
            prop_assert!(asked(verdict).is_none() || headers.contains_key("retry-after-ms"), "a quota was read");
        }
    }

    #[test]
    fn only_unprocessed_never_lets_a_request_through_that_may_have_begun(headers in headers(), code in 400..1000_u16) {
        let status = StatusCode::from_u16(code).unwrap();
        let (lenient, strict) = (classifier(), classifier().only_unprocessed());
        let (lenient, strict) = (lenient.status(status, &headers), strict.status(status, &headers));
        prop_assert!(strict.outcome() == Outcome::Permanent || strict.is_unprocessed());
        prop_assert_eq!(strict.hint(), lenient.hint());
        prop_assert!(strict == lenient || !lenient.is_unprocessed());
    }

    #[test]
    fn decimal_seconds_are_read_exactly(hint in hint()) {
        let (seconds, nanos) = (hint.as_secs(), hint.subsec_nanos());
        prop_assert_eq!(delay("retry-after", &format!("{seconds}.{nanos:09}")), Some(hint));
        prop_assert_eq!(delay("retry-after", &seconds.to_string()), Some(Duration::from_secs(seconds)));
        let (millis, rest) = (hint.as_millis(), nanos % 1_000_000);
        prop_assert_eq!(delay("retry-after-ms", &format!("{millis}.{rest:06}")), Some(hint));
        prop_assert_eq!(delay("ratelimit", &format!("\"a\";r=0;t={seconds}.{nanos:09}")), Some(hint));
    }

    #[test]
    fn seconds_are_read_as_a_float_would_be(number in "[0-9]{1,8}(\\.[0-9]{0,6})?") {
        let float: f64 = number.parse().unwrap();
        let (read, expected) = (delay("retry-after", &number), Duration::from_secs_f64(float));
        match read {
            // A float has 53 bits, and rounds.
            Some(read) => prop_assert!(read.abs_diff(expected) <= Duration::from_nanos(10)),
            None => prop_assert!(expected >= LONGEST_HINT),
        }
    }

    #[test]
    fn what_go_writes_is_read_back(hint in hint()) {
        let written = as_go(hint);
        prop_assert_eq!(delay("x-ratelimit-reset-requests", &written), Some(hint), "{}", written);
        let bare = format!("{}ns", hint.as_nanos());
        prop_assert_eq!(delay("x-ratelimit-reset-tokens", &bare), Some(hint));
    }

    #[test]
    fn the_terms_of_a_go_duration_add_up(terms in vec((0..5_000_u64, 0..4_usize), 1..6)) {
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
        let written: String = terms.iter().map(|&(number, unit)| format!("{number}{}", units[unit].0)).collect();
        let millis = terms.iter().map(|&(number, unit)| number * units[unit].1).sum();
        let expected = Some(Duration::from_millis(millis)).filter(|sum| *sum <= LONGEST_HINT);
        prop_assert_eq!(delay("x-ratelimit-reset-requests", &written), expected, "{}", written);
    }

    #[test]
    fn a_date_is_as_far_away_as_it_is_from_the_servers_clock(
        now in 0..200_000_000_000_u64,
        ahead in prop_oneof![-1_000..1_000_i64, -100_000_000..100_000_000_i64, any::<i32>().prop_map(i64::from)],
    ) {
        let then = now.saturating_add_signed(ahead);
        let text = |seconds| HeaderValue::try_from(httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds)));
        let headers = HeaderMap::from_iter([
            (http::header::RETRY_AFTER, text(then).unwrap()),
            (http::header::DATE, text(now).unwrap()),
        ]);
        let expected = Some(Duration::from_secs(then.saturating_sub(now))).filter(|delay| *delay <= LONGEST_HINT);
        let far_off: fn() -> SystemTime = || UNIX_EPOCH;
        let verdict = Classifier::new().wall_clock(far_off).status(StatusCode::TOO_MANY_REQUESTS, &headers);
        prop_assert_eq!(asked(verdict), expected);
    }
}
