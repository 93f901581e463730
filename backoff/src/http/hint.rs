//! What the headers of a failure ask for: when to come back, and whether to.

use std::time::{Duration, SystemTime};

use ::http::{
    HeaderMap, HeaderValue,
    header::{DATE, RETRY_AFTER},
};

use super::duration::{milliseconds, plausible, seconds};

/// When the server says that it will be ready: `retry-after-ms`, else `Retry-After`.
pub(super) fn retry_after(headers: &HeaderMap, wall_clock: fn() -> SystemTime) -> Option<Duration> {
    first(headers, "retry-after-ms", milliseconds).or_else(|| {
        first(headers, RETRY_AFTER.as_str(), |text| seconds(text).or_else(|| until(text, headers, wall_clock)))
    })
}

/// What the server says of its own failure: that the request may be sent again, or not.
pub(super) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    first(headers, "x-should-retry", |text| match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// The first value under `name` that `parse` understands.
pub(super) fn first<T>(headers: &HeaderMap, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    texts(headers, name).find_map(parse)
}

/// The values under `name` that are text.
pub(super) fn texts<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    headers.get_all(name).into_iter().filter_map(text)
}

/// As UTF-8, though but for one unit of Go's no header has more than ASCII: each parser refuses what is none of its own.
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok().map(|text| text.trim_matches([' ', '\t']))
}

/// How long it is until an HTTP-date. The server's own `Date` says what time it is there; the clock of this machine, which
/// may be off by more than the wait, is asked only where there is none.
fn until(date: &str, headers: &HeaderMap, wall_clock: fn() -> SystemTime) -> Option<Duration> {
    let date = http_date(date)?;
    let now = first(headers, DATE.as_str(), http_date).unwrap_or_else(wall_clock);
    plausible(date.duration_since(now).unwrap_or(Duration::ZERO))
}

fn http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}
