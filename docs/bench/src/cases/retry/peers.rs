//! The layers of the peers, each with a limit, a budget and a schedule, as ours.

use std::{
    future::{Future, Ready, ready},
    sync::Arc,
    time::Duration,
};

use tower::{
    retry::{
        Policy,
        backoff::{Backoff, ExponentialBackoff, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    util::rng::HasherRng,
};
use tower_resilience_retry::{IntervalFunction, RetryBudgetBuilder, RetryLayer};

use super::super::schedules::peers;

/// The policy that one writes for tower's layer.
#[derive(Clone)]
pub(super) struct Tower<W> {
    left: u32,
    budget: Arc<TpsBudget>,
    backoff: ExponentialBackoff<HasherRng>,
    wait: W,
}

impl<W> Tower<W> {
    /// `wait` is how it waits for what its schedule makes.
    pub(super) fn waiting(wait: W) -> Self {
        let budget = Arc::new(TpsBudget::new(Duration::from_secs(10), 10, 1_000.0));
        Self { left: 3, budget, backoff: peers::tower(0.5).make_backoff(), wait }
    }
}

impl<W, F, Q: Clone> Policy<Q, u64, u64> for Tower<W>
where
    W: Fn(&mut ExponentialBackoff<HasherRng>) -> F,
    F: Future<Output = ()>,
{
    type Future = F;

    fn retry(&mut self, _: &mut Q, result: &mut Result<u64, u64>) -> Option<F> {
        match result {
            Ok(_) => {
                self.budget.deposit();
                None
            }
            Err(_) if self.left > 0 && self.budget.withdraw() => {
                self.left -= 1;
                Some((self.wait)(&mut self.backoff))
            }
            Err(_) => None,
        }
    }

    fn clone_request(&mut self, request: &Q) -> Option<Q> {
        Some(request.clone())
    }
}

/// The least that one can write: a count, no budget and no wait.
#[derive(Clone)]
pub(super) struct Plain(pub(super) u32);

impl<Q: Clone> Policy<Q, u64, u64> for Plain {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Q, result: &mut Result<u64, u64>) -> Option<Ready<()>> {
        let again = result.is_err() && self.0 > 0;
        again.then(|| {
            self.0 -= 1;
            ready(())
        })
    }

    fn clone_request(&mut self, request: &Q) -> Option<Q> {
        Some(request.clone())
    }
}

/// Its schedule makes a sleep, and nobody sleeps.
pub(super) fn awake(backoff: &mut ExponentialBackoff<HasherRng>) -> Ready<()> {
    drop(backoff.next_backoff());
    ready(())
}

/// As many attempts, and no budget.
pub(super) fn resilience_without_a_budget<Q: 'static>(
    backoff: impl IntervalFunction + 'static,
) -> RetryLayer<Q, u64, u64> {
    RetryLayer::builder().max_attempts(4).backoff(backoff).build()
}

/// As many attempts, and a budget that no failure here empties; it reads the clock to fill it.
pub(super) fn resilience<Q: 'static>(backoff: impl IntervalFunction + 'static) -> RetryLayer<Q, u64, u64> {
    let budget = RetryBudgetBuilder::new().token_bucket().max_tokens(usize::MAX >> 16);
    let budget = budget.build().expect("it is full at first");
    RetryLayer::builder().max_attempts(4).backoff(backoff).budget(budget).build()
}
