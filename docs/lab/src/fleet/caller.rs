//! A client of the fleet: retries, and under them what keeps calls back.

use std::{rc::Rc, time::Instant};

use evenkeel_backoff::{PolicyFor, Verdict};
use evenkeel_breaker::Breaker;
use evenkeel_budget::{AdaptiveThrottle, ThrottleError};

use super::{Client, Failed, World};

/// What decides whether an attempt is sent at all.
#[derive(Debug)]
pub enum Guard<C: Fn() -> Instant> {
    /// Every one is.
    None,
    /// None while it is open.
    Breaker(Breaker<C>),
    /// A share of them, by what was accepted lately.
    Throttle(AdaptiveThrottle<C>),
}

/// Why an attempt has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It was sent, and failed.
    Failed(Failed),
    /// The guard has kept it back.
    Kept,
}

impl<C: Fn() -> Instant + Clone> Guard<C> {
    /// An attempt, if it is let through.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], as it says.
    pub async fn attempt(&self, world: &World) -> Result<(), Unanswered> {
        let attempt = world.attempt();
        match self {
            Self::None => attempt.await.map_err(Unanswered::Failed),
            Self::Breaker(breaker) => breaker
                .call(attempt)
                .await
                .map_err(|error| error.into_inner().map_or(Unanswered::Kept, Unanswered::Failed)),
            Self::Throttle(throttle) => throttle.call(attempt).await.map_err(|error: ThrottleError<Failed>| {
                error.into_inner().map_or(Unanswered::Kept, Unanswered::Failed)
            }),
        }
    }
}

/// What failed may be tried again. What was kept back says that the service is not well; it will not be so soon.
#[must_use]
pub fn again(attempt: &Result<(), Unanswered>) -> Verdict {
    match attempt {
        Ok(()) => Verdict::success(),
        Err(Unanswered::Failed(Failed::Refused | Failed::Late)) => Verdict::transient(),
        Err(Unanswered::Kept) => Verdict::permanent(),
    }
}

/// A client that asks as `retry` has it, and only what `guard` lets through.
pub fn caller<P, C>(retry: P, guard: Guard<C>) -> Box<dyn Client>
where
    P: PolicyFor<(), Unanswered> + 'static,
    C: Fn() -> Instant + Clone + 'static,
{
    let shared = Rc::new((retry, guard));
    Box::new(move |world: Rc<World>| {
        let shared = Rc::clone(&shared);
        async move {
            let (retry, guard) = &*shared;
            retry.run(|_| guard.attempt(&world)).await.is_ok()
        }
    })
}
