//! Retries: a success at once, and three failures before it.

use std::{
    cell::Cell,
    fmt,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_backoff::{Costs, ErrIsTransient, Exponential, Retry, RetryLayer, TokenBudget, Unlimited};
use tower_layer::Layer;
use tower_service::Service;

use super::{Echo, FOREVER, Forever, LONG, NO_SLEEP, NoSleep, budget::drawn_upon, repeat, schedule::exponential};
use crate::poll::{drive, request};

/// What blocks no thread.
const NO_BLOCK: fn(Duration) = |_| ();

/// Policies that are never asked for a second attempt.
#[derive(Debug)]
pub struct Policies {
    bare: Retry<Exponential, Forever>,
    deadline: Retry<Exponential, Forever>,
    budget: Retry<Exponential, Forever, ErrIsTransient, TokenBudget>,
}

pub(super) fn run() {
    let bare = Retry::new(exponential().take(3), FOREVER);
    let deadline = bare.clock(super::STILL).deadline(LONG);
    let budget = bare.budget(TokenBudget::default());
    let policies = Policies { bare, deadline, budget };
    repeat(|| assert!(success(&policies).is_ok()));
    repeat(|| assert!(success_with_deadline(&policies).is_ok()));
    repeat(|| assert!(success_with_budget(&policies).is_ok()));
    let blocking = Retry::new(exponential().take(3), NO_BLOCK);
    repeat(|| assert!(success_blocking(&blocking).is_ok()));
    let mut layer = Retry::new(exponential().take(3), FOREVER).layer().layer(Echo);
    repeat(|| assert!(layer_success(&mut layer)));
    let mut layer = Retry::new(exponential().take(3), FOREVER).budget(drawn_upon()).layer().layer(Echo);
    repeat(|| assert!(layer_success_with_budget(&mut layer)));
    let mut layer = RetryLayer::of(&policies.budget).layer(Echo);
    repeat(|| assert!(layer_success_by_reference(&mut layer)));

    let unwell = Unwell::default();
    let zeros = Retry::new(black_box([Duration::ZERO; 3]), NO_SLEEP);
    repeat(|| assert!(three_failures(&zeros, &unwell).is_ok()));
    // A success returns what the last of the three cost, so two are spent each time.
    let rich = TokenBudget::new(u32::MAX, Costs { transient: 1, ..Costs::REVISION_2026 });
    let drawn = Retry::new(exponential().seed(1).take(3), NO_SLEEP).budget(rich.clone());
    repeat(|| assert!(three_failures_with_budget(&drawn, &unwell).is_ok()));
    let mut layer = Retry::new(black_box([Duration::ZERO; 3]), NO_SLEEP).budget(Unlimited).layer().layer(&unwell);
    repeat(|| assert!(layer_three_failures(&mut layer)));
    assert_eq!(unwell.calls.get() % 4, 0, "each had three failures and a success");
}

/// [`Retry::run`].
#[inline(never)]
pub fn success(policies: &Policies) -> Result<u64, fmt::Error> {
    drive(policies.bare.run(|_| ready(black_box(Ok(1)))))
}

/// The same with a deadline, and so a clock, which stands.
#[inline(never)]
pub fn success_with_deadline(policies: &Policies) -> Result<u64, fmt::Error> {
    drive(policies.deadline.run(|_| ready(black_box(Ok(1)))))
}

/// The same with a full [`TokenBudget`].
#[inline(never)]
pub fn success_with_budget(policies: &Policies) -> Result<u64, fmt::Error> {
    drive(policies.budget.run(|_| ready(black_box(Ok(1)))))
}

/// [`Retry::run_blocking`].
#[inline(never)]
pub fn success_blocking(policy: &Retry<Exponential, fn(Duration)>) -> Result<u64, fmt::Error> {
    policy.run_blocking(|_| black_box(Ok(1)))
}

/// A [`RetryLayer`] with its own budget.
#[inline(never)]
pub fn layer_success(service: &mut impl Service<u64>) -> bool {
    request(service, 1).is_ok()
}

/// The same with a [`TokenBudget`] that is not full: the success is written down.
#[inline(never)]
pub fn layer_success_with_budget(service: &mut impl Service<u64>) -> bool {
    request(service, 3).is_ok()
}

/// The same by reference, with a full [`TokenBudget`].
#[inline(never)]
pub fn layer_success_by_reference(service: &mut impl Service<u64>) -> bool {
    request(service, 4).is_ok()
}

/// [`Retry::run`]: no delays, but a yield between two attempts.
#[inline(never)]
pub fn three_failures(policy: &Retry<[Duration; 3], NoSleep>, unwell: &Unwell) -> Result<u64, u64> {
    drive(policy.run(|_| unwell.answer()))
}

/// The same with delays that are drawn, and a budget.
#[inline(never)]
pub fn three_failures_with_budget(
    policy: &Retry<Exponential, NoSleep, ErrIsTransient, TokenBudget>,
    unwell: &Unwell,
) -> Result<u64, u64> {
    drive(policy.run(|_| unwell.answer()))
}

/// A layer: no delays, but a yield between two attempts.
#[inline(never)]
pub fn layer_three_failures(service: &mut impl Service<u64>) -> bool {
    request(service, 2).is_ok()
}

/// A service that fails three times out of four.
#[derive(Debug, Default)]
pub struct Unwell {
    calls: Cell<u64>,
}

impl Unwell {
    fn answer(&self) -> Ready<Result<u64, u64>> {
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        ready(black_box(if calls % 4 == 0 { Ok(calls) } else { Err(calls) }))
    }
}

impl Service<u64> for &Unwell {
    type Response = u64;
    type Error = u64;
    type Future = Ready<Result<u64, u64>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), u64>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> Self::Future {
        self.answer()
    }
}
