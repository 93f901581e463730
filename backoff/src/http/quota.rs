//! When a quota is renewed: headers that come with every answer, and are read where one was refused for its quota.

use std::time::Duration;

use ::http::HeaderMap;

use super::{
    duration::{go, seconds},
    hint::{first, texts},
};

/// When the quota that was used up is renewed: `x-ratelimit-reset-…`, else `RateLimit`.
pub(super) fn renewal(headers: &HeaderMap) -> Option<Duration> {
    latest(x_ratelimit(headers)).or_else(|| latest(rate_limit(headers)))
}

/// One quota.
struct Quota {
    /// Whether some of it is left, where the server says so.
    is_left: Option<bool>,
    renewed_in: Duration,
}

/// Of several quotas that are used up the one that is renewed last, since a request needs them all. Where there is none
/// that is known to be, the first one that may be.
fn latest(quotas: impl Iterator<Item = Quota>) -> Option<Duration> {
    let (mut used_up, mut unknown) = (None, None);
    for Quota { is_left, renewed_in } in quotas {
        match is_left {
            Some(true) => {}
            Some(false) => used_up = used_up.max(Some(renewed_in)),
            None => unknown = unknown.or(Some(renewed_in)),
        }
    }
    used_up.or(unknown)
}

/// OpenAI's: a count and a duration in Go's notation, for requests and for tokens.
fn x_ratelimit(headers: &HeaderMap) -> impl Iterator<Item = Quota> {
    let names = [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ];
    names.into_iter().filter_map(|(remaining, reset)| {
        let renewed_in = first(headers, reset, go)?;
        Some(Quota { is_left: first(headers, remaining, is_above_zero), renewed_in })
    })
}

/// The IETF draft's: a list of policies, over any number of lines, each with parameters: `"burst";r=0;t=30, "day";r=9;t=60`.
fn rate_limit(headers: &HeaderMap) -> impl Iterator<Item = Quota> {
    texts(headers, "ratelimit").flat_map(|line| line.split(unquoted(','))).filter_map(policy)
}

fn policy(item: &str) -> Option<Quota> {
    let (mut remaining, mut renewed) = (None, None);
    for parameter in item.split(unquoted(';')).skip(1) {
        // Of a parameter that occurs twice the last one counts: RFC 9651, section 4.2.3.2.
        match parameter.trim_matches([' ', '\t']).split_once('=') {
            Some(("r", value)) => remaining = Some(value),
            Some(("t", value)) => renewed = Some(value),
            _ => {}
        }
    }
    Some(Quota { is_left: remaining.and_then(is_above_zero), renewed_in: seconds(renewed?)? })
}

/// Whether a count has a digit other than zero, however many it has; `None` for what is no count.
fn is_above_zero(count: &str) -> Option<bool> {
    let is_count = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    is_count.then(|| count.bytes().any(|byte| byte != b'0'))
}

/// Finds `separator` outside of quoted strings.
fn unquoted(separator: char) -> impl FnMut(char) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == separator && !quoted
    }
}
