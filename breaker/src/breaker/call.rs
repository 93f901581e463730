//! The combinator: a future that is awaited if the breaker lets it through.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{Breaker, Handle, Permit, shared::End};
use crate::{Classify, ErrIsFailure, Error, Rejected};

pin_project! {
    /// The future of [`Breaker::call`] and [`Breaker::call_with`], or [of a breaker that is lent](Self::of).
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
    pub struct Call<F, K = ErrIsFailure, H: Handle = Breaker> {
        // Before the gate: when this is dropped the call ends, and then it is counted.
        #[pin]
        future: Option<F>,
        gate: Gate<H>,
        classify: K,
    }
}

/// How far it has come. While the future is there it stays where it is, so it is no part of this.
enum Gate<H: Handle> {
    /// Before the breaker is asked there is no call yet. The permit is made where it stays, for it takes longer to move it.
    Held(Permit<H>),
    #[cfg_attr(not(feature = "tower"), allow(dead_code))] // Only a layer asks before there is a future.
    Rejected(Rejected),
    Answered,
}

impl<F, K, H: Handle> Call<F, K, H> {
    #[inline(always)]
    pub(super) const fn new(breaker: H, future: F, classify: K) -> Self {
        Self { future: Some(future), gate: Gate::Held(Permit::unasked(breaker)), classify }
    }

    /// [`Breaker::call_with`] of a breaker that is lent: no reference to it is counted, which is most of what a call costs, and the
    /// future lives no longer than the breaker. Of one that is given, the same as there.
    ///
    /// ```
    /// use evenkeel_breaker::{Breaker, Call, ErrIsFailure};
    ///
    /// let breaker = Breaker::new();
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let call = Call::of(&breaker, ErrIsFailure, async { Ok::<_, &str>("here") });
    /// assert_eq!(call.await, Ok("here"));
    /// # });
    /// ```
    #[inline(always)]
    pub fn of<T, E>(breaker: H, classify: K, future: F) -> Self
    where
        F: Future<Output = Result<T, E>>,
        K: Classify<Result<T, E>>,
    {
        Self::new(breaker, future, classify)
    }

    /// The breaker was asked, and admitted it.
    #[cfg(feature = "tower")]
    #[inline(always)]
    pub(crate) const fn admitted(permit: Permit<H>, future: F, classify: K) -> Self {
        Self { future: Some(future), gate: Gate::Held(permit), classify }
    }

    /// The breaker was asked, and there is no future.
    #[cfg(feature = "tower")]
    pub(crate) const fn rejected(rejected: Rejected, classify: K) -> Self {
        Self { future: None, gate: Gate::Rejected(rejected), classify }
    }
}

impl<F, K, H: Handle> Call<F, K, H> {
    /// Asks, if nobody has. If that panics, it has answered.
    #[inline(always)]
    fn ask(self: Pin<&mut Self>) -> Result<(), Rejected> {
        let mut this = self.project();
        match this.gate {
            Gate::Held(permit) if permit.is_none() && this.future.is_some() => {}
            Gate::Held(_) | Gate::Rejected(_) | Gate::Answered => return Ok(()),
        }
        let failing = Failing(this.gate);
        if let Gate::Held(permit) = &mut *failing.0 {
            if let Err(rejected) = permit.ask_in_place(None) {
                drop(failing);
                this.future.set(None);
                return Err(rejected);
            }
        }
        mem::forget(failing);
        Ok(())
    }

    /// What follows when the breaker was asked.
    #[inline(always)]
    pub(crate) fn poll_asked<T, E>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Error<E>>>
    where
        F: Future<Output = Result<T, E>>,
        K: Classify<Result<T, E>>,
    {
        let mut this = self.project();
        if let Gate::Rejected(rejected) = *this.gate {
            *this.gate = Gate::Answered;
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
        if let Gate::Held(permit) = &mut *failing.0 {
            permit.end_in_place(End::Said(verdict), None);
        }
        mem::forget(failing);
        Poll::Ready(result.map_err(Error::Inner))
    }
}

impl<F, K, H, T, E> Future for Call<F, K, H>
where
    F: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    H: Handle,
{
    type Output = Result<T, Error<E>>;

    #[inline(always)] // As part of the future around it, which is what is called.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Err(rejected) = self.as_mut().ask() {
            return Poll::Ready(Err(Error::Open(rejected)));
        }
        self.poll_asked(cx)
    }
}

/// Dropped by a panic, it drops the permit, if there is one: then the call has failed.
struct Failing<'a, H: Handle>(&'a mut Gate<H>);

impl<H: Handle> Drop for Failing<'_, H> {
    #[inline]
    fn drop(&mut self) {
        *self.0 = Gate::Answered;
    }
}

impl<F, K, H: Handle> fmt::Debug for Call<F, K, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.gate {
            Gate::Held(_) if self.future.is_none() => "answered",
            Gate::Held(permit) if permit.is_none() => "asking",
            Gate::Held(_) => "admitted",
            Gate::Rejected(_) => "rejected",
            Gate::Answered => "answered",
        };
        f.debug_struct("Call").field("state", &state).finish_non_exhaustive()
    }
}
