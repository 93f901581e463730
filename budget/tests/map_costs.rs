//! What is asked for all the time allocates nothing.
#![cfg(not(loom))]

use std::num::NonZeroUsize;

use evenkeel_budget::{Account, AnyBudget, Budget, BudgetMap, Cause, Observed, Outcome, TokenBudget};

fn allocations(f: impl FnOnce()) -> u64 {
    allocation_counter::measure(f).count_total
}

#[test]
fn to_ask_for_a_key_that_is_there_allocates_nothing() {
    let map: BudgetMap<String> = BudgetMap::new(NonZeroUsize::MIN, TokenBudget::default);
    assert!(allocations(|| drop(map.budget("acme"))) > 0);
    assert_eq!(allocations(|| drop(map.budget("acme"))), 0);
    assert_eq!(allocations(|| drop(map.budget("umbrella"))), 0, "nor does one that there is no room for");
}

#[test]
fn a_request_under_a_budget_that_is_watched_or_of_any_kind_allocates_nothing() {
    fn request(budget: &impl Budget) {
        let mut account = budget.open();
        account.record(Outcome::Transient);
        if let Ok(mut token) = account.withdraw(Cause::Transient) {
            account.sent(&mut token);
        }
        account.record(Outcome::Success);
    }

    let any = AnyBudget::from(TokenBudget::default());
    assert_eq!(allocations(|| request(&any)), 0);
    let observed = Observed::new(any, ());
    assert_eq!(allocations(|| request(&observed)), 0);
}
