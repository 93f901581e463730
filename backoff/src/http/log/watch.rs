//! The future that watches one attempt.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::http::Response;
use pin_project_lite::pin_project;

use super::{ErrorKinds, ErrorWords, flight::Flight};

pin_project! {
    /// One attempt, watched by an [`AttemptLog`](super::AttemptLog): its output is the attempt's, as it was.
    ///
    /// # Panics
    ///
    /// A panic of the attempt, of the words for its error or of a clock goes through it; the attempt is counted, and
    /// if it had not been answered, as a failure. One that panicked itself is recorded as `panicked` when it is dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt, and if it was polled and had not answered it is recorded as
    /// [`Dropped`](super::AttemptEnd::Dropped), unless that was [soon](super::AttemptLogBuilder::dropped_after).
    #[must_use = "futures do nothing unless polled"]
    pub struct Watch<F, K = ErrorKinds> {
        flight: Option<Flight>,
        words: K,
        #[pin]
        attempt: F,
    }
}

impl<F, K> Watch<F, K> {
    pub(super) const fn new(flight: Flight, attempt: F, words: K) -> Self {
        Self { flight: Some(flight), words, attempt }
    }

    /// Calls the error, if it ends in one, what `words` says: for one that is no [`Error`](std::error::Error), or to say
    /// more. A function `|error: &E| …` to a `&'static str`.
    pub fn errors<W>(self, words: W) -> Watch<F, W> {
        Watch { flight: self.flight, words, attempt: self.attempt }
    }
}

impl<F, K, B, E> Future for Watch<F, K>
where
    F: Future<Output = Result<Response<B>, E>>,
    K: ErrorWords<E>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let poll = || this.attempt.poll(cx);
        let result = ready!(match this.flight {
            Some(flight) => {
                flight.sent();
                flight.run(poll)
            }
            None => poll(),
        });
        if let Some(flight) = this.flight.take() {
            flight.end(&result, this.words);
        }
        Poll::Ready(result)
    }
}

impl<F, K> fmt::Debug for Watch<F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("is_out", &self.flight.is_some()).finish_non_exhaustive()
    }
}
