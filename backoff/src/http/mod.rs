//! What HTTP statuses, headers and transport errors mean to a retry, a hedge and a budget.
//!
//! [`classify`] judges a `Result<http::Response<B>, E>`; [`Classifier`] is the same with options, and for other types. With
//! feature `tower`, `by_method` says which requests may be sent twice. [`AttemptLog`] keeps the attempts that failed, for the
//! report to the provider's support.
//!
//! # Examples
//!
//! ```
//! use evenkeel_backoff::{Exponential, Retry, http::classify};
//! use http::{Response, StatusCode};
//! use std::{io, time::Duration};
//!
//! let answer = |status: StatusCode| Ok::<_, io::Error>(Response::builder().status(status).body(()).unwrap());
//! let retry = Retry::new(Exponential::new(Duration::from_micros(1)).take(2), std::thread::sleep).when(classify);
//!
//! let mut statuses = [StatusCode::BAD_GATEWAY, StatusCode::OK].into_iter();
//! let answered = retry.run_blocking(|_| answer(statuses.next().unwrap()));
//! assert_eq!(answered.unwrap().status(), StatusCode::OK, "the 502 was tried again, though it came as `Ok`");
//!
//! let mut statuses = [StatusCode::NOT_FOUND, StatusCode::OK].into_iter();
//! let refused = retry.run_blocking(|_| answer(statuses.next().unwrap()));
//! assert_eq!(refused.unwrap().status(), StatusCode::NOT_FOUND, "and a 404 was not");
//! ```
//!
//! # Statuses
//!
//! | status | outcome |
//! | --- | --- |
//! | 1xx, 2xx, 3xx | success |
//! | 408, 500, 502, 503, 504, 520–524, 529 | transient |
//! | 425 | transient, surely not processed (RFC 8470) |
//! | 503 with `retry-after-ms` or `Retry-After` | throttled: refused at the door |
//! | 429 | throttled |
//! | 409 | permanent, transient [by option](Classifier::conflict_is_transient) |
//! | every other 4xx | permanent |
//! | 501, 505–511, 525, 526 | permanent: someone has to change something first |
//! | every other 5xx, 600 and above | transient: what is unknown is as 500 (RFC 9110, section 15) |
//!
//! On a failure, `x-should-retry: true` makes what is permanent transient, and says with the server's authority that this
//! request may be sent again, even one that is not idempotent; `x-should-retry: false` leaves the outcome and adds
//! [`Hint::Never`].
//!
//! # Hints
//!
//! The first of these that is there and can be read, on a failure, is the verdict's hint: a floor that the schedule's
//! delay goes on top of ([`Hint::NotBefore`]), or [by option](Classifier::exact_hints) the delay itself.
//!
//! | header | value | read |
//! | --- | --- | --- |
//! | `retry-after-ms` | `1500`, `1500.5` | on every failure |
//! | `Retry-After` (RFC 9110, section 10.2.3) | `2`, `0.5`; a date, against the response's `Date`, else the [wall clock](Classifier::wall_clock) | on every failure |
//! | `x-ratelimit-reset-requests`, `-tokens` | Go's notation: `1m2.5s`, `20ms`; a bare number has no unit and is not read | when throttled, unless `x-ratelimit-remaining-requests`, `-tokens` is above zero |
//! | `RateLimit` (draft-ietf-httpapi-ratelimit-headers) | `"default";r=0;t=30` | when throttled, unless `r` is above zero |
//!
//! The last two say when a quota is renewed and come with every answer, also with those that have nothing to do with it.
//! Of several quotas that are used up the one that is renewed last counts.
//!
//! A value that is negative, empty, not a number, [absurdly long](LONGEST_HINT) or otherwise unreadable is as if it were
//! not there. A date that is past is a delay of zero.
//!
//! # Errors
//!
//! The innermost [`io::Error`](std::io::Error) in an error's chain of sources that says anything decides:
//!
//! | kind | outcome |
//! | --- | --- |
//! | `ConnectionRefused`, `AddrNotAvailable`, `AddrInUse` | transient, surely not processed: there was no connection |
//! | `ConnectionReset`, `ConnectionAborted`, `NotConnected`, `BrokenPipe`, `UnexpectedEof`, `WriteZero` | transient |
//! | `TimedOut`, `Interrupted`, `WouldBlock` | transient |
//! | `HostUnreachable`, `NetworkUnreachable`, `NetworkDown` | transient: a route can also be lost in the middle of a request |
//! | `InvalidInput`, `InvalidData`, `PermissionDenied`, `Unsupported` | permanent: the same call fails in the same way |
//! | any other kind, or no `io::Error` at all: DNS, a connection closed early, a timeout of a middleware | transient |
//!
//! A client can know more than that: reqwest's and hyper-util's errors say `is_connect` when there was no connection, whatever the
//! reason, and after a transient verdict `unprocessed` is right then; reqwest's `is_builder` is permanent. (The repository has
//! both in `docs/examples`.)
//!
//! "Surely not processed" supposes that the error is the client's own. A service which makes calls of its own, and answers
//! with *their* errors, can have done something before its connection was refused.
//!
//! [`Hint::Never`]: crate::Hint::Never
//! [`Hint::NotBefore`]: crate::Hint::NotBefore

use std::{error::Error, time::Duration};

use ::http::Response;
use evenkeel_budget::Verdict;

mod classify;
mod duration;
mod hint;
mod log;
mod quota;
#[cfg(feature = "tower")]
mod replay;
mod status;
mod transport;

pub use classify::Classifier;
pub use log::{
    AttemptEnd, AttemptLog, AttemptLogBuilder, AttemptRecord, ErrorKinds, ErrorWords, Report, RequestId, ServiceTotals,
    Watch, error_kind,
};
#[cfg(feature = "tower")]
pub use log::{AttemptLogLayer, AttemptLogService};
#[cfg(feature = "tower")]
pub use replay::by_method;

/// The longest delay that is believed: a year. Nobody makes an appointment for later than that, but servers do send a Unix
/// time where seconds are meant, which as seconds is half a century; and it is better to go by the schedule then.
pub const LONGEST_HINT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What `result` says by the [default classifier](Classifier::new): the function for [`Retry::when`](crate::Retry::when).
///
/// In a stack that is moved into a spawned task give [`Retry::classify`](crate::Retry::classify) a [`Classifier`] instead:
/// there the compiler can find a function "not general enough" where the response or the error has a `dyn` in it.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::{Verdict, http::classify};
/// use http::{Response, header::RETRY_AFTER};
/// use std::{io, time::Duration};
///
/// let busy = Response::builder().status(429).header(RETRY_AFTER, "2").body(()).unwrap();
/// assert_eq!(classify(&Ok::<_, io::Error>(busy)), Verdict::throttled().not_before(Duration::from_secs(2)));
///
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(classify::<(), _>(&Err(refused)), Verdict::transient().unprocessed());
///
/// let invalid = io::Error::from(io::ErrorKind::InvalidInput);
/// assert_eq!(classify::<(), _>(&Err(invalid)), Verdict::permanent());
/// ```
#[must_use]
pub fn classify<B, E: Error + 'static>(result: &Result<Response<B>, E>) -> Verdict {
    Classifier::new().result(result)
}
