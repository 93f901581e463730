//! What the loops ask of a policy, in one bound instead of seven.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use evenkeel_budget::{Budget, Classify, Spend, Verdict};

use super::{
    Limits, Observer, Retry, Run,
    timeout::{Timeout, TimeoutError},
};

/// What the decision after an attempt asks.
// That it cannot be named is the seal of `Policy`.
#[allow(unnameable_types, private_interfaces)]
pub trait Rules {
    type Delays: Iterator<Item = Duration>;
    type Budget: Budget;
    type Observer: Observer;

    fn delays(&self) -> Self::Delays;
    fn budget(&self) -> &Self::Budget;
    fn observer(&self) -> &Self::Observer;
    fn limits(&self) -> &Limits;
    fn now(&self) -> Instant;
}

/// The account that a policy opens for a request.
pub(crate) type Account<P> = <<P as Rules>::Budget as Budget>::Account;

impl<S, W, C, B, O, K, T> Rules for Retry<S, W, C, B, O, K, T>
where
    S: Clone + IntoIterator<Item = Duration>,
    B: Spend,
    O: Observer,
    K: Fn() -> Instant,
{
    type Delays = S::IntoIter;
    type Budget = B::Own;
    type Observer = O;

    fn delays(&self) -> S::IntoIter {
        self.schedule.clone().into_iter()
    }

    fn budget(&self) -> &B::Own {
        self.budget.own()
    }

    fn observer(&self) -> &O {
        &self.observer
    }

    #[allow(private_interfaces)]
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn now(&self) -> Instant {
        (self.clock)()
    }
}

/// A [`Retry`] that can wait, whatever its parts: the bound for code that is given one.
///
/// Every `Retry` whose schedule is `Clone + IntoIterator<Item = Duration>` and whose sleeper answers with a future has it,
/// by value, by reference and in an `Arc`, and nothing else has.
pub trait Policy: Rules {
    /// The future of the sleeper.
    type Sleep: Future;
    /// The timer beside an attempt.
    type Timer: Default;

    /// Waits.
    #[doc(hidden)]
    fn sleep(&self, delay: Duration) -> Self::Sleep;
}

impl<S, W, C, B, O, K, T, D> Policy for Retry<S, W, C, B, O, K, T>
where
    Self: Rules,
    W: Fn(Duration) -> D,
    D: Future,
    T: Timeout,
{
    type Sleep = D;
    type Timer = T::Timer<D>;

    fn sleep(&self, delay: Duration) -> D {
        (self.sleep)(delay)
    }
}

/// A [`Policy`] whose classifier judges a `Result<R, E>`, and whose attempt timeout, if it has one, makes an `E`.
pub trait PolicyFor<R, E>: Policy {
    /// What a result says.
    #[doc(hidden)]
    fn classify(&self, result: &Result<R, E>) -> Verdict;

    /// Ready when the attempt has had its time.
    #[doc(hidden)]
    fn poll_expired(
        &self,
        timer: Pin<&mut Self::Timer>,
        cx: &mut Context<'_>,
        left: impl FnOnce() -> Option<Duration>,
    ) -> Poll<E>;

    /// The error of an attempt for which there is no time left, where there is one to make.
    #[doc(hidden)]
    fn late(&self) -> Option<E>;

    /// [`Retry::run`], for code that does not know what the policy is made of.
    ///
    /// ```
    /// use evenkeel_backoff::{PolicyFor, Retry};
    /// use std::{future::Future, time::Duration};
    ///
    /// struct Client<P> {
    ///     retry: P,
    /// }
    ///
    /// impl<P: PolicyFor<u32, String>> Client<P> {
    ///     async fn answer(&self) -> Result<u32, String> {
    ///         self.retry.run(|attempt| async move { if attempt == 0 { Err("busy".to_owned()) } else { Ok(42) } }).await
    ///     }
    /// }
    ///
    /// let client = Client { retry: Retry::new([Duration::ZERO], tokio::time::sleep) };
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(client.answer().await, Ok(42));
    /// # });
    /// ```
    #[inline(always)]
    fn run<F, Fut>(&self, operation: F) -> Run<'_, Self, F, Fut>
    where
        Self: Sized,
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<R, E>>,
    {
        Run::new(self, operation)
    }
}

impl<S, W, C, B, O, K, T, D, R, E> PolicyFor<R, E> for Retry<S, W, C, B, O, K, T>
where
    Self: Policy<Sleep = D, Timer = T::Timer<D>>,
    W: Fn(Duration) -> D,
    D: Future,
    C: Classify<Result<R, E>>,
    T: TimeoutError<E>,
{
    fn classify(&self, result: &Result<R, E>) -> Verdict {
        self.classify.classify(result)
    }

    fn poll_expired(
        &self,
        timer: Pin<&mut Self::Timer>,
        cx: &mut Context<'_>,
        left: impl FnOnce() -> Option<Duration>,
    ) -> Poll<E> {
        self.timeout.poll_expired(timer, cx, |limit| {
            let limit = left().map_or(limit, |left| left.min(limit));
            (self.sleep)(limit)
        })
    }

    fn late(&self) -> Option<E> {
        self.timeout.late()
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<P: Rules> Rules for $pointer {
            type Delays = P::Delays;
            type Budget = P::Budget;
            type Observer = P::Observer;

            fn delays(&self) -> P::Delays {
                (**self).delays()
            }

            fn budget(&self) -> &P::Budget {
                (**self).budget()
            }

            fn observer(&self) -> &P::Observer {
                (**self).observer()
            }

            #[allow(private_interfaces)]
            fn limits(&self) -> &Limits {
                (**self).limits()
            }

            fn now(&self) -> Instant {
                (**self).now()
            }
        }

        impl<P: Policy> Policy for $pointer {
            type Sleep = P::Sleep;
            type Timer = P::Timer;

            fn sleep(&self, delay: Duration) -> P::Sleep {
                (**self).sleep(delay)
            }
        }

        impl<P: PolicyFor<R, E>, R, E> PolicyFor<R, E> for $pointer {
            fn classify(&self, result: &Result<R, E>) -> Verdict {
                (**self).classify(result)
            }

            fn poll_expired(
                &self,
                timer: Pin<&mut P::Timer>,
                cx: &mut Context<'_>,
                left: impl FnOnce() -> Option<Duration>,
            ) -> Poll<E> {
                (**self).poll_expired(timer, cx, left)
            }

            fn late(&self) -> Option<E> {
                (**self).late()
            }
        }
    )*};
}

forward!(&P, Arc<P>);
