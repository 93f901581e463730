//! Waiting for a permit.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use crate::{Breaker, BreakerObserver, Permit, Rejected, waiting::Waiting};

pin_project! {
    /// The future of [`Breaker::acquire`]: a [`Permit`].
    ///
    /// The breaker is asked at the first poll, and then each time when time alone would let a call through, or the
    /// breaker has changed. Between these it is not woken.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered.
    ///
    /// # Cancel safety
    ///
    /// While it waits it holds nothing, and it can be dropped at any time: the others who wait do so as before.
    #[must_use = "futures do nothing unless polled"]
    pub struct Acquire<W, F, C: Fn() -> Instant = fn() -> Instant, O: BreakerObserver = ()> {
        #[pin]
        waiting: Waiting<W, F, C, O>,
        stage: Stage,
    }
}

#[derive(Debug)]
enum Stage {
    Asking,
    Waiting,
    Answered,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Breaker<C, O> {
    /// Waits until it lets a call through. `sleep` is how it waits: `tokio::time::sleep`, say.
    ///
    /// For jobs that have time. A request that somebody waits for had better fail fast: nobody knows how long this
    /// takes, and what has waited comes all at once when the service is back. Of many who wait for the one slot of a
    /// probe, one gets it, and the others wait on.
    ///
    /// To wait is not to be rejected: the observer hears of no rejection.
    ///
    /// ```
    /// use evenkeel_breaker::Breaker;
    /// use std::time::Duration;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let breaker = Breaker::builder()
    ///     .consecutive_failures(1)
    ///     .open_for([Duration::from_secs(20)])
    ///     .clock(|| tokio::time::Instant::now().into_std())
    ///     .build()?;
    /// breaker.try_acquire().unwrap().failure();
    /// assert!(breaker.try_acquire().is_err());
    ///
    /// let permit = breaker.acquire(tokio::time::sleep).await; // 20 s later
    /// assert!(permit.is_probe());
    /// permit.success();
    /// # Ok::<(), evenkeel_breaker::Invalid>(())
    /// # }).unwrap();
    /// ```
    pub fn acquire<W, F>(&self, sleep: W) -> Acquire<W, F, C, O>
    where
        W: Fn(Duration) -> F,
        F: Future,
    {
        Acquire { waiting: Waiting::new(self.clone(), sleep), stage: Stage::Asking }
    }

    /// Asks on behalf of one who will wait.
    pub(crate) fn ask_owned(&self) -> Result<Permit<Self>, Rejected> {
        let lease = self.shared().ask(None)?;
        Ok(Permit::new(self.clone(), lease))
    }
}

impl<W, F, C, O> Future for Acquire<W, F, C, O>
where
    W: Fn(Duration) -> F,
    F: Future,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    type Output = Permit<Breaker<C, O>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let permit = match this.stage {
            // A breaker that is closed needs no place among those who wait.
            Stage::Asking => this.waiting.breaker().ask_owned().ok(),
            Stage::Waiting => None,
            Stage::Answered => panic!("`Acquire` polled after it has answered"),
        };
        *this.stage = Stage::Waiting;
        let permit = match permit {
            Some(permit) => permit,
            None => ready!(this.waiting.poll_for(cx, |breaker, _| Poll::Ready(breaker.ask_owned()))),
        };
        *this.stage = Stage::Answered;
        Poll::Ready(permit)
    }
}

impl<W, F, C: Fn() -> Instant, O: BreakerObserver> fmt::Debug for Acquire<W, F, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("stage", &self.stage).finish_non_exhaustive()
    }
}
