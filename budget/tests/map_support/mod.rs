//! Budgets of one retry for the tests of keyed budgets, and times at which their keys are idle.
#![allow(dead_code)] // Each test takes what it needs.

use std::{num::NonZeroUsize, time::Duration};

use evenkeel_budget::{Account, Budget, Cause, Costs, TokenBudget};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn size(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).unwrap()
}

/// Enough for one retry.
pub(crate) fn bucket() -> TokenBudget {
    TokenBudget::new(14, Costs::REVISION_2026)
}

/// Spends one retry; whether it was granted.
pub(crate) fn spend(budget: &TokenBudget) -> bool {
    let mut account = budget.open();
    let Ok(mut token) = account.withdraw(Cause::Transient) else { return false };
    account.sent(&mut token);
    true
}
