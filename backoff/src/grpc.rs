//! What gRPC status codes and server pushback mean to a retry, a hedge and a budget, with no gRPC library.
//!
//! [`status`] judges a code and the pushback that came with it; [`Classifier`] is the same with options. Both take what every
//! gRPC library has: the number of the code, and the value of the [`PUSHBACK`] metadata.
//!
//! A gRPC status is in the trailers, behind the body, and the HTTP status is 200 whatever it says: a layer around the
//! *channel* sees nothing of it. Put retries, hedges and breakers around the *call* instead: [`Retry::run`](crate::Retry::run)
//! around a method of the generated client.
//!
//! # Examples
//!
//! ```
//! use evenkeel_backoff::{Constant, Retry, TokenBudget, grpc};
//! use std::time::Duration;
//!
//! /// Stands for the status of your gRPC library.
//! struct Status { code: i32, pushback: Option<&'static str> }
//!
//! let retry = Retry::new(Constant::new(Duration::from_millis(1)).take(3), std::thread::sleep)
//!     .when(|result: &Result<&str, Status>| match result {
//!         Ok(_) => grpc::status(0, None),
//!         Err(status) => grpc::status(status.code, status.pushback.map(str::as_bytes)),
//!     })
//!     .budget(TokenBudget::grpc(10.0, 0.1)?);
//!
//! let unavailable = |pushback| Err(Status { code: 14, pushback });
//! let answer = retry.run_blocking(|attempt| if attempt == 0 { unavailable(Some("2")) } else { Ok("after 2 ms") });
//! assert!(answer.is_ok());
//!
//! let mut attempts = 0;
//! let refused = retry.run_blocking(|_| { attempts += 1; unavailable(Some("-1")) });
//! assert!(refused.is_err() && attempts == 1, "the server does not want it again");
//! # Ok::<(), evenkeel_budget::Invalid>(())
//! ```
//!
//! # Codes
//!
//! | code | outcome | because |
//! | --- | --- | --- |
//! | 0 `OK` | success | |
//! | 1 `CANCELLED` | transient | who cancels a call here drops its future and sees no status: it was the other side, or a timeout (tonic's) |
//! | 2 `UNKNOWN` | transient | an application that threw, a status that was not understood: the 500 of gRPC |
//! | 4 `DEADLINE_EXCEEDED` | transient | of one attempt; the [deadline](crate::Retry::deadline) of all is the policy's |
//! | 8 `RESOURCE_EXHAUSTED` | throttled; [unprocessed](Verdict::is_unprocessed) only with a pushback that names a time | a quota, mostly; but also an answer that was too large for this side to read |
//! | 10 `ABORTED` | permanent, transient [by option](Classifier::aborted_is_transient) | to be tried again "at a higher level": from the read of a read-modify-write |
//! | 13 `INTERNAL` | transient | a connection that broke in mid-stream, an error with no better name |
//! | 14 `UNAVAILABLE` | transient; with a pushback that names a time, throttled: refused at the door | "if the client can retry just the failing call" |
//! | 3 `INVALID_ARGUMENT`, 5 `NOT_FOUND`, 6 `ALREADY_EXISTS`, 7 `PERMISSION_DENIED`, 9 `FAILED_PRECONDITION`, 11 `OUT_OF_RANGE`, 12 `UNIMPLEMENTED`, 15 `DATA_LOSS`, 16 `UNAUTHENTICATED` | permanent | the same call fails in the same way |
//! | any other | as 2 `UNKNOWN` | |
//!
//! None of them says that the work was surely not begun, not even 14: that is also what is left of a call whose connection
//! was lost when all but the answer was done. So no verdict is [unprocessed](Verdict::is_unprocessed) but that of 8 or 14 with
//! a pushback that names a time; and for calls that may not be made twice, where no layer asks for that, there is
//! [`only_unprocessed`](Classifier::only_unprocessed).
//!
//! # Pushback
//!
//! | `grpc-retry-pushback-ms` | hint |
//! | --- | --- |
//! | absent | none: the schedule's delay |
//! | a number from 0 to 2³¹ − 1 | [`Hint::Exactly`] so many milliseconds |
//! | negative, or anything else | [`Hint::Never`] |
//!
//! It says when, and not whether: a permanent failure is not tried again, whatever delay comes with it. A delay longer than
//! the policy's [`max_server_delay`](crate::Retry::max_server_delay) ends the call.
//!
//! # Sources
//!
//! gRFC A6, "gRPC Retry Design" (pushback, throttling, non-fatal codes of a hedge); the gRPC guide "Status Codes" and
//! `doc/statuscodes.md` of gRPC's core (what each code means, and who makes it). A6 leaves the codes to the owner of the
//! service, and its example of retries has 14 alone, its example of hedges 10, 13 and 14. Where A6 counts a *permanent* failure
//! with a pushback not to retry among those that empty the budget, it is left out here, as every permanent failure is.
//!
//! [`Hint::Exactly`]: crate::Hint::Exactly
//! [`Hint::Never`]: crate::Hint::Never

use std::time::Duration;

use evenkeel_budget::{Hint, Outcome, Verdict};

/// The metadata in which a server says when to call again: `grpc-retry-pushback-ms`.
pub const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// What `code` and the value of its [`PUSHBACK`] metadata say by the [default classifier](Classifier::new).
///
/// The value is in bytes, because what is not text counts as well: as "do not retry".
///
/// ```
/// use evenkeel_backoff::{Verdict, grpc};
/// use std::time::Duration;
///
/// assert_eq!(grpc::status(13, None), Verdict::transient());
/// assert_eq!(grpc::status(13, Some(b"250")), Verdict::transient().exactly(Duration::from_millis(250)));
/// assert_eq!(grpc::status(13, Some(b"later")), Verdict::transient().never());
/// assert_eq!(grpc::status(3, None), Verdict::permanent());
/// ```
#[must_use]
pub fn status(code: i32, pushback: Option<&[u8]>) -> Verdict {
    Classifier::new().status(code, pushback)
}

/// What a gRPC status says: the classifier of [`status`], with options. The [module](self) has the tables.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::{Outcome, grpc::Classifier};
///
/// const TRANSFER: Classifier = Classifier::new().only_unprocessed();
///
/// assert_eq!(TRANSFER.status(14, None).outcome(), Outcome::Permanent, "the money may be there");
/// assert_eq!(TRANSFER.status(14, Some(b"100")).outcome(), Outcome::Throttled, "it was refused at the door");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classifier {
    aborted_is_transient: bool,
    only_unprocessed: bool,
}

impl Classifier {
    /// The default: `ABORTED` is permanent, every transient failure may be tried again.
    #[must_use]
    pub const fn new() -> Self {
        Self { aborted_is_transient: false, only_unprocessed: false }
    }

    /// Takes `ABORTED` for transient: right where the call is the whole transaction, wrong where it is the last step of one
    /// that has to be begun anew.
    #[must_use]
    pub const fn aborted_is_transient(mut self) -> Self {
        self.aborted_is_transient = true;
        self
    }

    /// Makes each failure permanent after which the work may have been done: for calls that may not be made twice. What is
    /// left is `UNAVAILABLE` and `RESOURCE_EXHAUSTED` with a pushback that names a time. Without one, the latter may also be an
    /// answer that was too large for this side to read.
    #[must_use]
    pub const fn only_unprocessed(mut self) -> Self {
        self.only_unprocessed = true;
        self
    }

    /// What `code` says, with the value of its [`PUSHBACK`] metadata if it has one.
    #[must_use]
    pub fn status(&self, code: i32, pushback: Option<&[u8]>) -> Verdict {
        let outcome = self.outcome(code);
        if outcome == Outcome::Success {
            return Verdict::success();
        }
        let hint = pushback.map(hint);
        let named = matches!(hint, Some(Hint::Exactly(_)));
        let outcome = match outcome {
            // It names a time instead of trying, as a 503 with `Retry-After` does.
            Outcome::Transient if code == UNAVAILABLE && named => Outcome::Throttled,
            Outcome::Transient if self.only_unprocessed => Outcome::Permanent,
            Outcome::Throttled if self.only_unprocessed && !named => Outcome::Permanent,
            Outcome::Success | Outcome::Transient | Outcome::Throttled | Outcome::Permanent => outcome,
        };
        let verdict = Verdict::new(outcome);
        // Without a time it may be an answer that was too large, of work that is done.
        let verdict = if named { verdict } else { verdict.maybe_processed() };
        match hint {
            Some(hint) => verdict.with_hint(hint),
            None => verdict,
        }
    }

    /// What `code` says by itself.
    const fn outcome(&self, code: i32) -> Outcome {
        match code {
            OK => Outcome::Success,
            RESOURCE_EXHAUSTED => Outcome::Throttled,
            ABORTED if self.aborted_is_transient => Outcome::Transient,
            // An argument, a precondition, a permission, a method: someone has to change something first.
            3 | 5..=7 | 9 | ABORTED | 11 | 12 | 15 | 16 => Outcome::Permanent,
            // Cancelled, unknown, late, internal, unavailable; and an unknown code is as `UNKNOWN`.
            _ => Outcome::Transient,
        }
    }
}

const OK: i32 = 0;
const RESOURCE_EXHAUSTED: i32 = 8;
const ABORTED: i32 = 10;
const UNAVAILABLE: i32 = 14;

/// A number that does not fit is no number ("a signed 32-bit integer"), and one with a plus is none of a server's.
fn hint(pushback: &[u8]) -> Hint {
    let text = std::str::from_utf8(pushback).ok().filter(|text| !text.starts_with('+'));
    let milliseconds = text.and_then(|text| text.parse::<i32>().ok());
    match milliseconds.map(u64::try_from) {
        Some(Ok(milliseconds)) => Hint::Exactly(Duration::from_millis(milliseconds)),
        Some(Err(_)) | None => Hint::Never,
    }
}
