//! What is kept of one attempt.

use std::{
    boxed::Box,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
    vec::Vec,
};

use ::http::{HeaderName, StatusCode};
use evenkeel_budget::Outcome;

use crate::http::status;

/// One attempt, as an [`AttemptLog`](super::AttemptLog) keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// Its number in the log: later ones have higher ones. A gap is a record that was overwritten, or is just being written.
    pub number: u64,
    /// Whom it asked, as the program calls it.
    pub service: Arc<str>,
    /// When it was sent, by the wall clock: the time at which it ended, less the time that it took.
    pub at: SystemTime,
    /// How long it took to the head of the response, the error or the drop; zero if the clock went back.
    pub took: Duration,
    /// How it ended.
    pub end: AttemptEnd,
    /// The ids by which the provider may find it, at most four. That of the request is the first.
    pub request_ids: Vec<RequestId>,
    /// The delay that a failure's `retry-after-ms` or `Retry-After` asked for.
    pub retry_after: Option<Duration>,
}

/// An id, and the header that it was in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestId {
    /// The name of the header.
    pub header: HeaderName,
    /// The first 128 bytes of its value: visible ASCII.
    pub value: Box<str>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptEnd {
    /// It was answered.
    Status(StatusCode),
    /// It ended in an error, which is called this: by [`error_kind`](super::error_kind), or the program's own words. One that
    /// panicked is called `panicked`.
    Failed(&'static str),
    /// It was given up before it had answered: a timeout around it, the loser of a hedge, a caller that left.
    Dropped,
    /// The same, but sooner than [`dropped_after`](super::AttemptLogBuilder::dropped_after): no failure, and on record only in
    /// a log of [`everything`](super::AttemptLogBuilder::everything).
    DroppedSoon,
}

impl AttemptEnd {
    /// Whether the attempt failed: all but [`DroppedSoon`](Self::DroppedSoon), and a status that the default
    /// [`Classifier`](crate::http::Classifier) calls a success.
    #[must_use]
    pub fn is_failure(self) -> bool {
        match self {
            Self::Status(status) => status::judge(status, false).outcome() != Outcome::Success,
            Self::Failed(_) | Self::Dropped => true,
            Self::DroppedSoon => false,
        }
    }
}

/// The status as a number, the word for the error, `dropped` or `dropped soon`.
impl fmt::Display for AttemptEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => f.pad(status.as_str()),
            Self::Failed(word) => f.pad(word),
            Self::Dropped => f.pad("dropped"),
            Self::DroppedSoon => f.pad("dropped soon"),
        }
    }
}

/// `x-request-id=req_1`.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.header, self.value)
    }
}
