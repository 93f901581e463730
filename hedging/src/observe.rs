//! What a hedged request tells those who watch it.

use std::{rc::Rc, sync::Arc};

use evenkeel_budget::{Cause, Outcome, Verdict};

/// One attempt of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Attempt {
    /// From 0, the first, in the order in which they were to be sent.
    pub number: u32,
    /// Which of the [`Alternates`](crate::Alternates) it went to, by its place; 0 where there are none.
    pub alternate: usize,
    /// Why it was sent beside the first one: [`Cause::Hedge`] because that was late, another because one had failed. None for
    /// the first one itself.
    pub cause: Option<Cause>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Answer {
    /// The attempt whose result it is.
    pub attempt: Attempt,
    /// What that result says.
    pub outcome: Outcome,
    /// How many attempts were sent, the first included.
    pub sent: u32,
    /// How many of them because others were late.
    pub hedges: u32,
}

impl Attempt {
    pub(crate) const fn first(alternate: usize) -> Self {
        Self { number: 0, alternate, cause: None }
    }

    /// Whether it was sent because others were late.
    #[must_use]
    pub const fn is_hedge(&self) -> bool {
        matches!(self.cause, Some(Cause::Hedge))
    }
}

impl Answer {
    /// The hedges that did not give the answer: load for nothing.
    #[must_use]
    pub const fn useless(&self) -> u32 {
        let won = self.attempt.is_hedge() && matches!(self.outcome, Outcome::Success);
        self.hedges.saturating_sub(won as u32)
    }
}

/// Hears what a request's attempts come to. Every method does nothing unless it is written.
///
/// It is called on the request's own path, after the shared state (the budget, the estimate) is settled: it may look at
/// that, and should be quick. A request that its caller drops ends without [`on_answer`](Self::on_answer).
///
/// ```
/// use evenkeel_hedging::{Answer, AtOnce, Hedge, Observer};
/// use std::cell::Cell;
///
/// #[derive(Default)]
/// struct Last(Cell<Option<Answer>>);
///
/// impl Observer for Last {
///     fn on_answer(&self, answer: Answer) {
///         self.0.set(Some(answer));
///     }
/// }
///
/// let last = Last::default();
/// let hedge = Hedge::new(AtOnce, tokio::time::sleep).observe(&last);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let answer = hedge.run(async |attempt| if attempt == 0 { std::future::pending().await } else { Ok::<_, ()>(attempt) });
/// assert_eq!(answer.await, Ok(1));
/// # });
/// let answer = last.0.get().unwrap();
/// assert!(answer.attempt.is_hedge());
/// assert_eq!((answer.sent, answer.hedges, answer.useless()), (2, 1, 0));
/// ```
pub trait Observer {
    /// An attempt is sent now.
    fn on_attempt(&self, attempt: Attempt) {
        let _ = attempt;
    }

    /// An attempt has ended by itself, and was judged; or it could not be sent.
    fn on_verdict(&self, attempt: Attempt, verdict: Verdict) {
        let _ = (attempt, verdict);
    }

    /// An attempt was due for that cause, and the budget refused to pay for it.
    fn on_refused(&self, cause: Cause) {
        let _ = cause;
    }

    /// The request has its answer; the attempts that were in flight are dropped.
    fn on_answer(&self, answer: Answer) {
        let _ = answer;
    }
}

/// Hears nothing.
impl Observer for () {}

/// Both hear all, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_attempt(&self, attempt: Attempt) {
        self.0.on_attempt(attempt);
        self.1.on_attempt(attempt);
    }

    fn on_verdict(&self, attempt: Attempt, verdict: Verdict) {
        self.0.on_verdict(attempt, verdict);
        self.1.on_verdict(attempt, verdict);
    }

    fn on_refused(&self, cause: Cause) {
        self.0.on_refused(cause);
        self.1.on_refused(cause);
    }

    fn on_answer(&self, answer: Answer) {
        self.0.on_answer(answer);
        self.1.on_answer(answer);
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<O: Observer + ?Sized> Observer for $pointer {
            fn on_attempt(&self, attempt: Attempt) {
                (**self).on_attempt(attempt);
            }

            fn on_verdict(&self, attempt: Attempt, verdict: Verdict) {
                (**self).on_verdict(attempt, verdict);
            }

            fn on_refused(&self, cause: Cause) {
                (**self).on_refused(cause);
            }

            fn on_answer(&self, answer: Answer) {
                (**self).on_answer(answer);
            }
        }
    )*};
}

forward!(&O, Box<O>, Rc<O>, Arc<O>);
