//! The combinator: a future that is awaited if the throttle lets it through.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{AdaptiveThrottle, Admission, Priority, Rejected, ThrottleError, ThrottleHandle};
use crate::{Classify, ErrIsTransient};

pin_project! {
    /// The future of [`AdaptiveThrottle::call`].
    ///
    /// The throttle is asked at the first poll. If it rejects, the future is dropped without having been polled, and the
    /// answer is there at once; if not, the future is dropped as soon as it is done, before its result is judged.
    ///
    /// # Errors
    ///
    /// [`ThrottleError::Rejected`] when it was not sent, [`ThrottleError::Inner`] with the future's own error.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered. A panic of the future or the classifier goes through it; the request counts
    /// as one that was not accepted.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the first poll, nothing was asked. Dropped later, it drops the future, and the request counts as one
    /// that was not accepted: see [`Admission`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Call<F, K = ErrIsTransient, T: ThrottleHandle = AdaptiveThrottle> {
        // Before the gate: when this is dropped the request ends, and then it is counted.
        #[pin]
        future: Option<F>,
        gate: Gate<T>,
        classify: K,
    }
}

/// How far it has come. While the future is there it stays where it is, so it is no part of this.
enum Gate<T: ThrottleHandle> {
    Asking { throttle: T, priority: Priority },
    Admitted(Admission<T>),
    Rejected(Rejected),
    Answered,
}

impl<F, T: ThrottleHandle> Call<F, ErrIsTransient, T> {
    pub(super) const fn new(throttle: T, future: F) -> Self {
        let gate = Gate::Asking { throttle, priority: Priority::Normal };
        Self { future: Some(future), gate, classify: ErrIsTransient }
    }
}

impl<F, K, T: ThrottleHandle> Call<F, K, T> {
    /// Asks as for a request of that `priority`; once it has been polled this changes nothing.
    pub fn priority(mut self, priority: Priority) -> Self {
        if let Gate::Asking { priority: asked, .. } = &mut self.gate {
            *asked = priority;
        }
        self
    }

    /// Judges the result with `classify`: a function `|result: &Result<T, E>| …` to a [`Verdict`](crate::Verdict), or a type
    /// that implements [`Classify`]. `Success` and `Permanent` are accepts.
    pub fn when<K2, R, E>(self, classify: K2) -> Call<F, K2, T>
    where
        F: Future<Output = Result<R, E>>,
        K2: Classify<Result<R, E>>,
    {
        let Self { future, gate, classify: _ } = self;
        Call { future, gate, classify }
    }

    /// The throttle was asked before there was a future.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn asked(asked: Result<(F, Admission<T>), Rejected>, classify: K) -> Self {
        let (future, gate) = match asked {
            Ok((future, admission)) => (Some(future), Gate::Admitted(admission)),
            Err(rejected) => (None, Gate::Rejected(rejected)),
        };
        Self { future, gate, classify }
    }
}

impl<F, K, T, R, E> Future for Call<F, K, T>
where
    F: Future<Output = Result<R, E>>,
    K: Classify<Result<R, E>>,
    T: ThrottleHandle,
{
    type Output = Result<R, ThrottleError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            // Out of its place while others' code runs: if that panics, the admission is dropped.
            match mem::replace(this.gate, Gate::Answered) {
                Gate::Asking { throttle, priority } => {
                    let asked = throttle.throttle();
                    *this.gate = match asked.judge(priority, asked.now()) {
                        Ok(probability) => Gate::Admitted(Admission::admit(throttle, priority, probability)),
                        Err(rejected) => Gate::Rejected(rejected),
                    };
                }
                Gate::Admitted(admission) => {
                    let future = this.future.as_mut().as_pin_mut();
                    let future = future.expect("it is dropped when it is done, and then this has answered");
                    let Poll::Ready(result) = future.poll(cx) else {
                        *this.gate = Gate::Admitted(admission);
                        return Poll::Pending;
                    };
                    this.future.set(None);
                    admission.record(this.classify.classify(&result).outcome());
                    return Poll::Ready(result.map_err(ThrottleError::Inner));
                }
                Gate::Rejected(rejected) => {
                    this.future.set(None);
                    return Poll::Ready(Err(ThrottleError::Rejected(rejected)));
                }
                Gate::Answered => panic!("`Call` polled after it has answered"),
            }
        }
    }
}

impl<F, K, T: ThrottleHandle> fmt::Debug for Call<F, K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.gate {
            Gate::Asking { .. } => "asking",
            Gate::Admitted(_) => "admitted",
            Gate::Rejected(_) => "rejected",
            Gate::Answered => "answered",
        };
        f.debug_struct("Call").field("state", &state).finish_non_exhaustive()
    }
}
