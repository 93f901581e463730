//! What the race asks of a policy, in one bound instead of five.

use std::{future::Future, sync::Arc, time::Duration};

use evenkeel_budget::{Budget, Classify, Spend, Verdict};

use super::{Hedge, Limits, Run};
use crate::{Delays, Observer};

/// A [`Hedge`] that can wait, whatever its parts: the bound for code that is given one.
///
/// Every `Hedge` with [`Delays`] and a sleeper that answers with a future has it, by value, by reference and in an `Arc`, and
/// nothing else has.
pub trait Policy {
    /// When further attempts are due.
    type Delays: Delays;
    /// What pays for them.
    type Budget: Budget;
    /// Who hears of them.
    type Observer: Observer;
    /// The future of the sleeper.
    type Sleep: Future;

    /// When further attempts are due.
    fn delays(&self) -> &Self::Delays;
    #[doc(hidden)]
    fn budget(&self) -> &Self::Budget;
    #[doc(hidden)]
    fn observer(&self) -> &Self::Observer;
    #[doc(hidden)]
    fn limits(&self) -> Limits;
    #[doc(hidden)]
    fn sleep(&self, delay: Duration) -> Self::Sleep;
}

/// The account that a policy opens for a request.
pub(crate) type Account<P> = <<P as Policy>::Budget as Budget>::Account;

/// What pays for a further attempt.
pub(crate) type Token<P> = <Account<P> as evenkeel_budget::Account>::Token;

/// A [`Policy`] whose classifier judges a `Result<R, E>`.
pub trait PolicyFor<R, E>: Policy {
    /// What a result says.
    #[doc(hidden)]
    fn classify(&self, result: &Result<R, E>) -> Verdict;

    /// [`Hedge::run`], for code that does not know what the policy is made of.
    ///
    /// ```
    /// use evenkeel_hedging::{Hedge, PolicyFor};
    /// use std::time::Duration;
    ///
    /// struct Client<P> {
    ///     hedge: P,
    /// }
    ///
    /// impl<P: PolicyFor<u32, String>> Client<P> {
    ///     async fn answer(&self) -> Result<u32, String> {
    ///         self.hedge.run(|attempt| async move { if attempt == 0 { Err("busy".to_owned()) } else { Ok(42) } }).await
    ///     }
    /// }
    ///
    /// let client = Client { hedge: Hedge::after(Duration::from_millis(30), tokio::time::sleep) };
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// assert_eq!(client.answer().await, Ok(42));
    /// # });
    /// ```
    fn run<F, Fut>(&self, operation: F) -> Run<&Self, F, Fut>
    where
        Self: Sized,
        F: FnMut(u32) -> Fut,
        Fut: Future<Output = Result<R, E>>,
    {
        Run::new(self, operation)
    }
}

impl<D, W, C, B, O, T> Policy for Hedge<D, W, C, B, O>
where
    D: Delays,
    W: Fn(Duration) -> T,
    T: Future,
    B: Spend,
    O: Observer,
{
    type Delays = D;
    type Budget = B::Own;
    type Observer = O;
    type Sleep = T;

    #[inline]
    fn delays(&self) -> &D {
        &self.delays
    }

    #[inline]
    fn budget(&self) -> &B::Own {
        self.budget.own()
    }

    #[inline]
    fn observer(&self) -> &O {
        &self.observer
    }

    #[inline]
    fn limits(&self) -> Limits {
        self.limits
    }

    #[inline]
    fn sleep(&self, delay: Duration) -> T {
        (self.sleep)(delay)
    }
}

impl<D, W, C, B, O, R, E> PolicyFor<R, E> for Hedge<D, W, C, B, O>
where
    Self: Policy,
    C: Classify<Result<R, E>>,
{
    #[inline]
    fn classify(&self, result: &Result<R, E>) -> Verdict {
        self.classify.classify(result)
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<P: Policy> Policy for $pointer {
            type Delays = P::Delays;
            type Budget = P::Budget;
            type Observer = P::Observer;
            type Sleep = P::Sleep;

            #[inline]
            fn delays(&self) -> &P::Delays {
                (**self).delays()
            }

            #[inline]
            fn budget(&self) -> &P::Budget {
                (**self).budget()
            }

            #[inline]
            fn observer(&self) -> &P::Observer {
                (**self).observer()
            }

            #[inline]
            fn limits(&self) -> Limits {
                (**self).limits()
            }

            #[inline]
            fn sleep(&self, delay: Duration) -> P::Sleep {
                (**self).sleep(delay)
            }
        }

        impl<P: PolicyFor<R, E>, R, E> PolicyFor<R, E> for $pointer {
            #[inline]
            fn classify(&self, result: &Result<R, E>) -> Verdict {
                (**self).classify(result)
            }
        }
    )*};
}

forward!(&P, Arc<P>);
