//! What a status says by itself.

use ::http::StatusCode;
use evenkeel_budget::Verdict;

/// What `status` says, before any header is read.
pub(super) fn judge(status: StatusCode, conflict_is_transient: bool) -> Verdict {
    match status.as_u16() {
        ..400 => Verdict::success(),
        // Too early: the server would not process what might be a replay (RFC 8470, section 5.2).
        425 => Verdict::transient().unprocessed(),
        408 => Verdict::transient(),
        409 if conflict_is_transient => Verdict::transient(),
        429 => Verdict::throttled(),
        400..500 => Verdict::permanent(),
        500.. if lasts(status) => Verdict::permanent(),
        // With what has no name here: an unknown status is the x00 of its class, and one above 599 is a server's error
        // (RFC 9110, section 15).
        500.. => Verdict::transient(),
    }
}

/// Whether a server's error lasts until someone changes something: not implemented, the wrong version of HTTP,
/// misconfigured negotiation, no storage left ("MUST NOT be repeated until it is requested by a separate user action", RFC
/// 4918), a loop, bandwidth used up, an extension or a login missing, a proxy that does not agree with its origin on TLS.
fn lasts(status: StatusCode) -> bool {
    matches!(status.as_u16(), 501 | 505..=511 | 525 | 526)
}
