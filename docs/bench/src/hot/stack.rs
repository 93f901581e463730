//! All layers around a service that answers at once.

use std::hint::black_box;

use evenkeel_backoff::{Retry, RetryLayer};
use evenkeel_breaker::{Breaker, BreakerLayer};
use evenkeel_budget::{ThrottleLayer, TokenBudget};
use evenkeel_hedging::{Hedge, HedgeLayer};
use tower_layer::Layer;
use tower_service::Service;

use super::{Echo, FOREVER, LONG, STILL, budget::throttle, hedging::warm, repeat, schedule::exponential};
use crate::poll::request;

pub(super) fn run() {
    let budget = TokenBudget::default();
    let retry = Retry::new(exponential().take(3), FOREVER).budget(budget.clone()).layer();
    let fixed = Hedge::after(black_box(LONG), FOREVER).budget(budget.clone()).layer();
    let quantile = Hedge::new(warm(), FOREVER).budget(budget).layer();
    let breaker = BreakerLayer::new(Breaker::new());
    let timed = Breaker::builder().time_window(LONG).clock(STILL).build().expect("a span");

    let mut three = retry.layer(fixed.layer(breaker.layer(Echo)));
    repeat(|| assert!(retry_hedge_breaker(&mut three)));
    let mut four =
        retry.layer(quantile.layer(BreakerLayer::new(timed).layer(ThrottleLayer::new(throttle()).layer(Echo))));
    repeat(|| assert!(retry_hedge_breaker_throttle(&mut four)));
    by_reference();
}

fn by_reference() {
    let (budget, throttle) = (TokenBudget::default(), throttle());
    let retry = Retry::new(exponential().take(3), FOREVER).budget(&budget);
    let fixed = Hedge::after(black_box(LONG), FOREVER).budget(&budget);
    let quantile = Hedge::new(warm(), FOREVER).budget(&budget);
    let breaker = Breaker::builder().clock(STILL).build().expect("it has defaults");

    let breakers = BreakerLayer::of(&breaker).layer(Echo);
    let throttles = ThrottleLayer::new(&throttle);
    let mut four = throttles.layer(RetryLayer::of(&retry).layer(HedgeLayer::of(&fixed).layer(breakers.clone())));
    repeat(|| assert!(four_by_reference_fixed(&mut four)));
    let mut four = throttles.layer(RetryLayer::of(&retry).layer(HedgeLayer::of(&quantile).layer(breakers)));
    repeat(|| assert!(four_by_reference_quantile(&mut four)));
}

/// A retry of hedges after a fixed delay of what the default breaker lets through, one budget for both.
#[inline(never)]
pub fn retry_hedge_breaker(service: &mut impl Service<u64>) -> bool {
    request(service, 1).is_ok()
}

/// The same by an estimate, with a time window, and a throttle in the middle; the clocks stand.
#[inline(never)]
pub fn retry_hedge_breaker_throttle(service: &mut impl Service<u64>) -> bool {
    request(service, 2).is_ok()
}

/// A throttle around a retry of hedges after a fixed delay of what the default breaker lets through, all by reference; the
/// clocks stand.
#[inline(never)]
pub fn four_by_reference_fixed(service: &mut impl Service<u64>) -> bool {
    request(service, 3).is_ok()
}

/// The same by an estimate.
#[inline(never)]
pub fn four_by_reference_quantile(service: &mut impl Service<u64>) -> bool {
    request(service, 4).is_ok()
}
