//! Budgets, asked for a token or not, and the throttle with its layer.

use std::{hint::black_box, num::NonZeroUsize};

use evenkeel_budget::{
    Account, AdaptiveThrottle, AnyBudget, Budget, BudgetMap, Cause, Costs, InFlightBudget, Outcome, Priority,
    RatioBudget, ThrottleLayer, TokenBudget,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{Echo, KEY, STILL, repeat};
use crate::poll::request;

/// One token a retry.
const ONE: Costs = Costs { transient: 1, throttled: 1, timeout: 1, hedge: 1 };

/// One of each kind, that grants or refuses.
#[derive(Debug)]
pub struct Budgets {
    full: TokenBudget,
    rich: TokenBudget,
    empty: TokenBudget,
    grants: RatioBudget,
    refuses: RatioBudget,
    in_flight: InFlightBudget,
    any: AnyBudget,
    map: BudgetMap<u64>,
    throttle: AdaptiveThrottle,
    rejecting: AdaptiveThrottle,
}

impl Budgets {
    fn new() -> Self {
        let ratio = |ratio| RatioBudget::builder().ratio(ratio).min_per_second(0).clock(STILL).build();
        let refuses = ratio(0.1).expect("a share");
        (0..100).for_each(|_| refuses.deposit());
        while refuses.try_withdraw().is_ok() {}
        let rich = || TokenBudget::new(1 << 30, ONE);
        let map = BudgetMap::builder(NonZeroUsize::MIN, rich).clock(STILL).build().expect("it has room");
        let rejecting = throttle();
        // So many that what is let through still is less than one in a hundred times as often as a path is called.
        for _ in 0..20_000 {
            if let Ok(admission) = rejecting.try_acquire(Priority::Normal) {
                admission.record(Outcome::Transient);
            }
        }
        Self {
            full: TokenBudget::default(),
            rich: rich(),
            empty: TokenBudget::new(0, ONE),
            grants: ratio(1.0).expect("a share"),
            refuses,
            in_flight: InFlightBudget::default(),
            any: rich().into(),
            map,
            throttle: throttle(),
            rejecting,
        }
    }
}

pub(super) fn run() {
    let budgets = Budgets::new();
    repeat(|| token_success(&budgets));
    repeat(|| assert!(token_retry(&budgets)));
    repeat(|| assert!(token_retry_owned(&budgets)));
    repeat(|| assert!(!token_refusal(&budgets)));
    repeat(|| assert!(ratio_retry(&budgets)));
    repeat(|| assert!(!ratio_refusal(&budgets)));
    repeat(|| assert!(in_flight_retry(&budgets)));
    repeat(|| assert!(any_retry(&budgets)));
    repeat(|| assert!(map_retry(&budgets)));
    repeat(|| assert!(throttle_accepted(&budgets)));
    repeat(|| assert!(throttle_rejection(&budgets)));

    let mut owned = ThrottleLayer::new(throttle()).layer(Echo);
    repeat(|| assert!(throttle_layer_accepted(&mut owned)));
    let mut lent = ThrottleLayer::new(&budgets.throttle).layer(Echo);
    repeat(|| assert!(throttle_layer_accepted_by_reference(&mut lent)));
    let mut rejecting = ThrottleLayer::new(budgets.rejecting.clone()).layer(Echo);
    repeat(|| assert!(throttle_layer_rejection(&mut rejecting)));
}

/// A request that succeeds, into a full bucket.
#[inline(never)]
pub fn token_success(budgets: &Budgets) {
    Budget::open(&&budgets.full).record(Outcome::Success);
}

/// A request that fails, and is granted a retry.
#[inline(never)]
pub fn token_retry(budgets: &Budgets) -> bool {
    retry(&&budgets.rich)
}

/// The same, with an account that owns a handle.
#[inline(never)]
pub fn token_retry_owned(budgets: &Budgets) -> bool {
    retry(&budgets.rich)
}

/// A request that fails, and is refused a retry.
#[inline(never)]
pub fn token_refusal(budgets: &Budgets) -> bool {
    retry(&&budgets.empty)
}

/// A request that fails, and is granted a retry; the clock stands.
#[inline(never)]
pub fn ratio_retry(budgets: &Budgets) -> bool {
    retry(&&budgets.grants)
}

/// A refusal; the clock stands.
#[inline(never)]
pub fn ratio_refusal(budgets: &Budgets) -> bool {
    budgets.refuses.try_withdraw().is_ok()
}

/// A request that fails, and is granted a retry.
#[inline(never)]
pub fn in_flight_retry(budgets: &Budgets) -> bool {
    retry(&&budgets.in_flight)
}

/// A request that fails, and is granted a retry by a budget that is known when the program runs: a [`TokenBudget`].
#[inline(never)]
pub fn any_retry(budgets: &Budgets) -> bool {
    retry(&budgets.any)
}

/// A request that fails, and is granted a retry by the budget of a key that is there; the clock stands.
#[inline(never)]
pub fn map_retry(budgets: &Budgets) -> bool {
    retry(&budgets.map.budget(black_box(&KEY)))
}

/// A request that is let through and succeeds; the clock stands.
#[inline(never)]
pub fn throttle_accepted(budgets: &Budgets) -> bool {
    budgets.throttle.try_acquire(Priority::Normal).map(|admission| admission.record(Outcome::Success)).is_ok()
}

/// A request that is rejected, by a draw; the clock stands.
#[inline(never)]
pub fn throttle_rejection(budgets: &Budgets) -> bool {
    black_box(budgets.rejecting.try_acquire(Priority::Normal)).is_err()
}

/// A layer that lets the request through.
#[inline(never)]
pub fn throttle_layer_accepted(service: &mut impl Service<u64>) -> bool {
    request(service, 1).is_ok()
}

/// The same by reference.
#[inline(never)]
pub fn throttle_layer_accepted_by_reference(service: &mut impl Service<u64>) -> bool {
    request(service, 2).is_ok()
}

/// A layer that rejects the request.
#[inline(never)]
pub fn throttle_layer_rejection(service: &mut impl Service<u64>) -> bool {
    request(service, 3).is_err()
}

/// A throttle whose clock stands, and whose draws are the same each time.
pub(super) fn throttle() -> AdaptiveThrottle {
    AdaptiveThrottle::builder().clock(STILL).seed(1).build().expect("it has defaults")
}

/// A budget that no number of successes fills.
pub(super) fn drawn_upon() -> TokenBudget {
    let budget = TokenBudget::new(1 << 30, Costs { transient: 1 << 20, ..ONE });
    let mut account = budget.open();
    account.record(Outcome::Transient);
    let mut token = account.withdraw(Cause::Transient).expect("it is full");
    account.sent(&mut token);
    budget
}

/// One request that fails, and asks for a retry.
///
/// For `&budget` the account owns a handle, for `&&budget` it borrows one.
#[inline(always)]
pub(crate) fn retry<B: Budget>(budget: &B) -> bool {
    let mut account = budget.open();
    account.record(Outcome::Transient);
    match account.withdraw(Cause::Transient) {
        Ok(mut token) => {
            account.sent(&mut token);
            true
        }
        Err(_) => false,
    }
}
