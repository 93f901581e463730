//! Ours, by handle and by reference.

use std::time::{Duration, Instant};

use evenkeel_backoff::{Retry, RetryLayer, TokenBudget};
use evenkeel_breaker::{Breaker, BreakerLayer};
use evenkeel_budget::{AdaptiveThrottle, ThrottleLayer};
use evenkeel_hedging::{Delays, Hedge, HedgeLayer, Quantile};
use tower::{Layer, Service};

use super::SCHEDULE;
use crate::{cases::forever, echo::Echo};

/// Retry, hedge and breaker, by any delays and any clock.
pub(super) fn three<D, C>(delays: D, clock: C) -> impl Service<u64, Response = u64> + Clone
where
    D: Delays + Send + Sync + 'static,
    C: Fn() -> Instant + Clone + Send + Sync + 'static,
{
    let budget = TokenBudget::default();
    let retry = Retry::new(SCHEDULE.take(3), tokio::time::sleep).budget(budget.clone()).layer();
    let hedge = Hedge::new(delays, tokio::time::sleep).budget(budget).layer();
    let breaker = BreakerLayer::new(Breaker::builder().clock(clock).build().expect("the defaults"));
    retry.layer(hedge.layer(breaker.layer(Echo)))
}

/// The same by reference: nothing counts references. It is leaked, as one does who calls for as long as the program lives.
pub(super) fn three_by_reference<D, C>(delays: D, clock: C) -> impl Service<u64, Response = u64> + Clone
where
    D: Delays + Send + Sync + 'static,
    C: Fn() -> Instant + Clone + Send + Sync + 'static,
{
    let budget = forever(TokenBudget::default());
    let retry = forever(Retry::new(SCHEDULE.take(3), tokio::time::sleep).budget(budget));
    let hedge = forever(Hedge::new(delays, tokio::time::sleep).budget(budget));
    let breaker = forever(Breaker::builder().clock(clock).build().expect("the defaults"));
    RetryLayer::of(retry).layer(HedgeLayer::of(hedge).layer(BreakerLayer::of(breaker).layer(Echo)))
}

/// A throttle around the three.
pub(super) fn four<D, C>(delays: D, clock: C) -> impl Service<u64, Response = u64> + Clone
where
    D: Delays + Send + Sync + 'static,
    C: Fn() -> Instant + Clone + Send + Sync + 'static,
{
    ThrottleLayer::new(throttle(clock.clone())).layer(three(delays, clock))
}

/// The same by reference.
pub(super) fn four_by_reference<D, C>(delays: D, clock: C) -> impl Service<u64, Response = u64> + Clone
where
    D: Delays + Send + Sync + 'static,
    C: Fn() -> Instant + Clone + Send + Sync + 'static,
{
    ThrottleLayer::new(forever(throttle(clock.clone()))).layer(three_by_reference(delays, clock))
}

fn throttle<C: Fn() -> Instant>(clock: C) -> AdaptiveThrottle<C> {
    AdaptiveThrottle::builder().clock(clock).build().expect("the defaults")
}

/// An estimate that knows what is usual.
pub(super) fn warm<C: Fn() -> Instant>(clock: C) -> Quantile<C> {
    let now = clock();
    let estimate = Quantile::builder(0.95).clock(clock).build().expect("a share that is one");
    (0..20_000).for_each(|n| estimate.record_at(Duration::from_millis(5 + n % 2), now));
    assert!(estimate.threshold().is_some());
    estimate
}
