//! What a budget costs, beside tower's and beside the atomics that it is made of.

mod granted;
mod made;
mod refused;
mod threads;
mod throttle;

use std::{hint::black_box, time::Duration};

use evenkeel_budget::{Account, Budget, Costs, LateAccount, Outcome, TokenBudget};
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::{hot::budget::retry, measure::Bench};

pub(super) fn run(bench: &mut Bench) {
    // To get ready takes time of its own.
    if !bench.is_wanted(AREA) {
        return;
    }
    granted::run(bench);
    refused::run(bench);
    throttle::run(bench);
    made::run(bench);
    threads::run(bench);
}

/// The area of all of them.
const AREA: &str = "budget";

/// One token a retry, and room for all: what is deposited is withdrawn.
const ONE: Costs = Costs { transient: 1, throttled: 1, timeout: 1, hedge: 1 };

fn with_room() -> TokenBudget {
    let budget = TokenBudget::new(1 << 30, ONE);
    for _ in 0..1_000 {
        assert!(retry(&&budget));
    }
    budget
}

/// One token for each deposit.
fn tower() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 10, 1.0)
}

/// A deposit and a withdrawal.
fn retry_with_tower(budget: &TpsBudget) -> bool {
    budget.deposit();
    black_box(budget.withdraw())
}

/// As retries and hedges hold it: where the budget allows it, the account is opened when something fails.
#[inline(always)]
fn succeed_late<B: Budget>(budget: &B) {
    LateAccount::begin(budget).record(budget, Outcome::Success);
}

/// One request that succeeds at once.
#[inline(always)]
fn succeed<B: Budget>(budget: &B) {
    budget.open().record(Outcome::Success);
}
