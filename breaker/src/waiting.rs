//! Waiting until the breaker lets a call through: what `acquire` and the layer that holds back have in common.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use crate::{Breaker, BreakerObserver, Rejected, unwinding::in_a_drop};

pin_project! {
    /// Asks, sleeps until the rejection says that it is time, and asks again; or sooner, when the breaker has changed.
    pub(crate) struct Waiting<W, F, C: Fn() -> Instant, O: BreakerObserver> {
        sleep: W,
        #[pin]
        sleeping: Option<F>,
        // Whether to ask, or to wait for a reason to.
        asks: bool,
        place: Place<C, O>,
    }
}

/// A place among those who wait, left when it is dropped.
struct Place<C: Fn() -> Instant, O: BreakerObserver> {
    breaker: Breaker<C, O>,
    /// None before it is taken, and after it was left.
    number: Option<u64>,
}

impl<W, F, C: Fn() -> Instant, O: BreakerObserver> Waiting<W, F, C, O> {
    pub(crate) const fn new(breaker: Breaker<C, O>, sleep: W) -> Self {
        Self { sleep, sleeping: None, asks: true, place: Place { breaker, number: None } }
    }

    pub(crate) const fn breaker(&self) -> &Breaker<C, O> {
        &self.place.breaker
    }
}

impl<W, F, C, O> Waiting<W, F, C, O>
where
    W: Fn(Duration) -> F,
    F: Future,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    /// Asks with `ask` until that is not rejected. If it is pending for reasons of its own, a change of the breaker is
    /// one more to ask again.
    pub(crate) fn poll_for<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut ask: impl FnMut(&Breaker<C, O>, &mut Context<'_>) -> Poll<Result<T, Rejected>>,
    ) -> Poll<T> {
        let mut this = self.project();
        let mut slept = false;
        loop {
            if *this.asks {
                // First the place, then the question: whatever changes after the answer wakes.
                this.place.take(cx);
                let rejected = match ready!(ask(&this.place.breaker, cx)) {
                    Ok(answer) => {
                        this.place.leave();
                        return Poll::Ready(answer);
                    }
                    Err(rejected) => rejected,
                };
                this.sleeping.set(rejected.retry_after().map(&*this.sleep));
                *this.asks = false;
            }
            if this.place.is_kept(cx) {
                let Some(sleeping) = this.sleeping.as_mut().as_pin_mut() else { return Poll::Pending };
                ready!(sleeping.poll(cx));
            }
            this.sleeping.set(None);
            *this.asks = true;
            // A sleeper that does not sleep, or a clock that stands still: no loop that never yields.
            if mem::replace(&mut slept, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Place<C, O> {
    /// From here on a change wakes the task, once.
    fn take(&mut self, cx: &Context<'_>) {
        // A waker is code of others, as is dropping one: neither while the lock is held.
        let (held, waker) = (self.number, cx.waker().clone());
        let (number, unused) = self.breaker.shared().locked(|core| {
            let number = held.unwrap_or_else(|| core.waiters().number());
            (number, core.waiters().wait(number, waker))
        });
        self.number = Some(number);
        drop(unused);
    }

    /// Whether there was no change since it was taken.
    fn is_kept(&self, cx: &Context<'_>) -> bool {
        let mut waker = cx.waker().clone();
        let still = |number| self.breaker.shared().locked(|core| core.waiters().still(number, &mut waker));
        self.number.is_some_and(still)
    }

    fn leave(&mut self) {
        if let Some(number) = self.number.take() {
            drop(self.breaker.shared().locked(|core| core.waiters().leave(number)));
        }
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Place<C, O> {
    fn drop(&mut self) {
        in_a_drop(|| self.leave());
    }
}
