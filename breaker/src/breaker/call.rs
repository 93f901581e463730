//! The combinator: a future that is awaited if the breaker lets it through.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use pin_project_lite::pin_project;

use super::{Breaker, Permit, shared::End};
use crate::{BreakerObserver, Classify, ErrIsFailure, Error, Rejected};

pin_project! {
    /// The future of [`Breaker::call`] and [`Breaker::call_with`].
    ///
    /// The breaker is asked at the first poll. If it rejects, the future is dropped without having been polled, and the
    /// answer is there at once; if not, the future is dropped as soon as it is done, before its result is judged.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] when the call was not made, [`Error::Inner`] with the future's own error.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered. A panic of the future or the classifier goes through it; the call has failed.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the first poll, nothing was asked. Dropped later, it drops the future, and the call is abandoned: see
    /// [`Permit`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Call<F, K = ErrIsFailure, C: Fn() -> Instant = fn() -> Instant, O: BreakerObserver = ()> {
        // Before the gate: when this is dropped the call ends, and then it is counted.
        #[pin]
        future: Option<F>,
        gate: Gate<C, O>,
        classify: K,
    }
}

/// How far it has come. While the future is there it stays where it is, so it is no part of this.
enum Gate<C: Fn() -> Instant, O: BreakerObserver> {
    Asking(Breaker<C, O>),
    Admitted(Permit<Breaker<C, O>>),
    Rejected(Rejected),
    Answered,
}

impl<F, K, C: Fn() -> Instant, O: BreakerObserver> Call<F, K, C, O> {
    pub(super) const fn new(breaker: Breaker<C, O>, future: F, classify: K) -> Self {
        Self { future: Some(future), gate: Gate::Asking(breaker), classify }
    }

    /// The breaker was asked, and admitted it.
    #[cfg(feature = "tower")]
    #[inline(always)]
    pub(crate) const fn admitted(permit: Permit<Breaker<C, O>>, future: F, classify: K) -> Self {
        Self { future: Some(future), gate: Gate::Admitted(permit), classify }
    }

    /// The breaker was asked, and there is no future.
    #[cfg(feature = "tower")]
    pub(crate) const fn rejected(rejected: Rejected, classify: K) -> Self {
        Self { future: None, gate: Gate::Rejected(rejected), classify }
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Gate<C, O> {
    /// Asks, if nobody has. If that panics, it has answered.
    fn ask(&mut self) {
        *self = match mem::replace(self, Self::Answered) {
            Self::Asking(breaker) => match breaker.try_into_permit(None) {
                Ok(permit) => Self::Admitted(permit),
                Err(rejected) => Self::Rejected(rejected),
            },
            asked @ (Self::Admitted(_) | Self::Rejected(_) | Self::Answered) => asked,
        };
    }
}

impl<F, K, C, O, T, E> Future for Call<F, K, C, O>
where
    F: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    type Output = Result<T, Error<E>>;

    #[inline(always)] // As part of the future around it, which is what is called.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Gate::Asking(_) = this.gate {
            this.gate.ask();
        }
        if let Gate::Rejected(rejected) = *this.gate {
            *this.gate = Gate::Answered;
            this.future.set(None);
            return Poll::Ready(Err(Error::Open(rejected)));
        }
        assert!(!matches!(this.gate, Gate::Answered), "`Call` polled after it has answered");
        // While others' code runs: the future, its drop, the classifier.
        let failing = Failing(this.gate);
        let future = this.future.as_mut().as_pin_mut().expect("`Call` polled after it has answered");
        let Poll::Ready(result) = future.poll(cx) else {
            mem::forget(failing);
            return Poll::Pending;
        };
        this.future.set(None);
        let verdict = this.classify.classify(&result);
        if let Gate::Admitted(permit) = &mut *failing.0 {
            permit.end_in_place(End::Said(verdict), None);
        }
        mem::forget(failing);
        Poll::Ready(result.map_err(Error::Inner))
    }
}

/// Dropped by a panic, it drops the permit, if there is one: then the call has failed.
struct Failing<'a, C: Fn() -> Instant, O: BreakerObserver>(&'a mut Gate<C, O>);

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Failing<'_, C, O> {
    #[inline]
    fn drop(&mut self) {
        *self.0 = Gate::Answered;
    }
}

impl<F, K, C: Fn() -> Instant, O: BreakerObserver> fmt::Debug for Call<F, K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.gate {
            Gate::Asking(_) => "asking",
            Gate::Admitted(_) => "admitted",
            Gate::Rejected(_) => "rejected",
            Gate::Answered => "answered",
        };
        f.debug_struct("Call").field("state", &state).finish_non_exhaustive()
    }
}
