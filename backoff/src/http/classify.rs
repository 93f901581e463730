//! The classifier: a status, its headers or an error in, a verdict out.

use std::{
    boxed::Box,
    error::Error,
    time::{Duration, SystemTime},
};

use ::http::{HeaderMap, Response, StatusCode};
use evenkeel_budget::{Classify, Outcome, Verdict};

use super::{hint, quota, status, transport};

/// What an HTTP response or the error in its place says: the classifier of [`classify`](super::classify), with options.
///
/// [`judge`](Self::judge) is the function for [`Retry::when`](crate::Retry::when); [`status`](Self::status) is for clients
/// whose response is not an [`::http::Response`], such as reqwest's. The [module](super) has the tables.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::{Verdict, http::Classifier};
/// use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
/// use std::time::Duration;
///
/// const STRICT: Classifier = Classifier::new().exact_hints().only_unprocessed();
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(STRICT.status(StatusCode::SERVICE_UNAVAILABLE, &headers), Verdict::permanent(), "it may have begun");
///
/// headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
/// let busy = STRICT.status(StatusCode::SERVICE_UNAVAILABLE, &headers);
/// assert_eq!(busy, Verdict::throttled().exactly(Duration::from_secs(2)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Classifier {
    conflict_is_transient: bool,
    exact_hints: bool,
    only_unprocessed: bool,
    wall_clock: fn() -> SystemTime,
}

impl Classifier {
    /// The default: a 409 is permanent, a hint is a floor, every transient failure may be tried again.
    #[must_use]
    pub const fn new() -> Self {
        Self { conflict_is_transient: false, exact_hints: false, only_unprocessed: false, wall_clock: SystemTime::now }
    }

    /// Takes a 409 for transient: right where it means that a lock was held, wrong where it means that the caller's
    /// version is out of date, which sending it again does not change.
    #[must_use]
    pub const fn conflict_is_transient(mut self) -> Self {
        self.conflict_is_transient = true;
        self
    }

    /// Makes hints [`Hint::Exactly`](evenkeel_budget::Hint::Exactly), without the schedule's jittered delay on top: for a server that spreads its clients
    /// itself. With one that tells all of them the same time, they all come back in the same moment.
    #[must_use]
    pub const fn exact_hints(mut self) -> Self {
        self.exact_hints = true;
        self
    }

    /// Makes each transient failure permanent that does not surely leave the work undone: for requests that may not be
    /// sent twice. With a layer, prefer `http::by_method` (feature `tower`), which looks at each request and leaves the
    /// outcome, and so what the budget is told, as it is.
    #[must_use]
    pub const fn only_unprocessed(mut self) -> Self {
        self.only_unprocessed = true;
        self
    }

    /// Asks `wall_clock` what time it is where a `Retry-After` is a date and the response has no `Date`. By default
    /// [`SystemTime::now`].
    #[must_use]
    pub const fn wall_clock(mut self, wall_clock: fn() -> SystemTime) -> Self {
        self.wall_clock = wall_clock;
        self
    }

    /// What a response with this status and these headers says. A success costs one comparison: its headers are not read.
    #[must_use]
    pub fn status(&self, status: StatusCode, headers: &HeaderMap) -> Verdict {
        let plain = status::judge(status, self.conflict_is_transient);
        if plain.outcome() == Outcome::Success {
            return plain;
        }
        let retry_after = hint::retry_after(headers, self.wall_clock);
        let should_retry = hint::should_retry(headers);
        let verdict = match plain.outcome() {
            // It names a time instead of trying: the request was refused at the door.
            Outcome::Transient if status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some() => {
                Verdict::throttled()
            }
            // The server allows it, and it knows whether the work was begun.
            Outcome::Transient | Outcome::Permanent if should_retry == Some(true) => Verdict::transient().unprocessed(),
            Outcome::Success | Outcome::Transient | Outcome::Throttled | Outcome::Permanent => plain,
        };
        let renewal = || if verdict.outcome() == Outcome::Throttled { quota::renewal(headers) } else { None };
        let verdict = match should_retry {
            Some(false) => verdict.never(),
            Some(true) | None => self.hinted(verdict, retry_after.or_else(renewal)),
        };
        self.restricted(verdict)
    }

    /// What `response` says.
    #[must_use]
    pub fn response<B>(&self, response: &Response<B>) -> Verdict {
        self.status(response.status(), response.headers())
    }

    /// What an error says that came in the place of a response.
    ///
    /// # Examples
    ///
    /// A boxed error, as tower's middleware makes them, is not an [`Error`]; what is in the box is:
    ///
    /// ```
    /// use evenkeel_backoff::{Retry, http::Classifier};
    /// use std::{error::Error, io, time::Duration};
    ///
    /// type Answer = Result<http::Response<&'static str>, Box<dyn Error + Send + Sync>>;
    ///
    /// let classifier = Classifier::new();
    /// let retry = Retry::new([Duration::ZERO; 2], std::thread::sleep).when(move |answer: &Answer| match answer {
    ///     Ok(response) => classifier.response(response),
    ///     Err(error) => classifier.error(&**error),
    /// });
    ///
    /// let answer = retry.run_blocking(|attempt| match attempt {
    ///     0 => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
    ///     _ => Ok(http::Response::new("here")),
    /// });
    /// assert_eq!(answer.unwrap().into_body(), "here");
    ///
    /// let refused = retry.run_blocking(|attempt| {
    ///     Err(io::Error::new(io::ErrorKind::InvalidInput, format!("attempt {attempt}")).into())
    /// });
    /// assert_eq!(refused.unwrap_err().to_string(), "attempt 0", "what the caller did wrong is not tried again");
    /// ```
    #[must_use]
    pub fn error(&self, error: &(dyn Error + 'static)) -> Verdict {
        self.restricted(transport::judge(error))
    }

    /// What `result` says.
    #[must_use]
    pub fn result<B, E: Error + 'static>(&self, result: &Result<Response<B>, E>) -> Verdict {
        match result {
            Ok(response) => self.response(response),
            Err(error) => self.error(error),
        }
    }

    /// [`result`](Self::result) as a function, for [`Retry::when`](crate::Retry::when).
    ///
    /// # Examples
    ///
    /// ```
    /// use evenkeel_backoff::{Retry, http::Classifier};
    /// use http::{Response, StatusCode};
    /// use std::{convert::Infallible, time::Duration};
    ///
    /// let conflict = |_| Ok::<_, Infallible>(Response::builder().status(StatusCode::CONFLICT).body(()).unwrap());
    /// let attempts = |classifier: Classifier| {
    ///     let (mut count, retry) = (0, Retry::new([Duration::ZERO; 2], std::thread::sleep).when(classifier.judge()));
    ///     let _ = retry.run_blocking(|attempt| { count += 1; conflict(attempt) });
    ///     count
    /// };
    /// assert_eq!(attempts(Classifier::new()), 1);
    /// assert_eq!(attempts(Classifier::new().conflict_is_transient()), 3);
    /// ```
    pub fn judge<B, E: Error + 'static>(self) -> impl Fn(&Result<Response<B>, E>) -> Verdict + Copy {
        move |result| self.result(result)
    }

    /// [`result`](Self::result) for a boxed error, as the layers of tower make it.
    ///
    /// ```
    /// use evenkeel_backoff::{Outcome, http::Classifier};
    /// use std::{error::Error, io};
    ///
    /// let refused: Box<dyn Error + Send + Sync> = io::Error::from(io::ErrorKind::ConnectionRefused).into();
    /// assert_eq!(Classifier::new().boxed::<()>(&Err(refused)).outcome(), Outcome::Transient);
    /// ```
    #[must_use]
    pub fn boxed<B>(&self, result: &Result<Response<B>, Box<dyn Error + Send + Sync>>) -> Verdict {
        match result {
            Ok(response) => self.response(response),
            Err(error) => self.error(&**error),
        }
    }

    fn hinted(&self, verdict: Verdict, delay: Option<Duration>) -> Verdict {
        match delay {
            Some(delay) if self.exact_hints => verdict.exactly(delay),
            Some(delay) => verdict.not_before(delay),
            None => verdict,
        }
    }

    fn restricted(&self, verdict: Verdict) -> Verdict {
        let forbidden = self.only_unprocessed && verdict.outcome() == Outcome::Transient && !verdict.is_unprocessed();
        match verdict.hint() {
            _ if !forbidden => verdict,
            Some(hint) => Verdict::permanent().with_hint(hint),
            None => Verdict::permanent(),
        }
    }
}

/// As [`result`](Classifier::result).
impl<B, E: Error + 'static> Classify<Result<Response<B>, E>> for Classifier {
    fn classify(&self, result: &Result<Response<B>, E>) -> Verdict {
        self.result(result)
    }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}
