//! A budget of any kind does what the budget in it does.
#![cfg(not(loom))]

use evenkeel_budget::{
    Account, AnyBudget, Balance, Budget, Cause, Costs, Earns, InFlightBudget, Outcome, RatioBudget, TokenBudget,
    Unlimited,
};

/// A ratio of 1 and no reserve; 20 tokens; one place.
fn each() -> (RatioBudget, TokenBudget, InFlightBudget) {
    (
        RatioBudget::builder().ratio(1.0).min_per_second(0).build().unwrap(),
        TokenBudget::new(20, Costs::REVISION_2026),
        InFlightBudget::builder().share(0.0).min_concurrency(1).build().unwrap(),
    )
}

fn all() -> [AnyBudget; 4] {
    let (ratio, token, in_flight) = each();
    [ratio.into(), token.into(), in_flight.into(), Unlimited.into()]
}

#[test]
fn what_each_earns_and_holds_is_that_of_the_budget_in_it() {
    let said = all().map(|budget| (budget.earns(), budget.balance()));
    let expected =
        [(Earns::EachRequest, 0.0), (Earns::EachSuccess, 20.0), (Earns::Nothing, 1.0), (Earns::Nothing, f64::INFINITY)];
    assert_eq!(said, expected);
}

#[test]
fn it_grants_and_refuses_as_the_budget_in_it() {
    let granted = all().map(|budget| {
        let mut account = budget.open();
        account.record(Outcome::Transient);
        let tokens: Vec<_> = (0..3).map_while(|_| account.withdraw(Cause::Transient).ok()).collect();
        tokens.len()
    });
    assert_eq!(granted, [1, 1, 1, 3]);
}

#[test]
fn what_is_sent_stays_paid_and_what_is_not_is_given_back() {
    let left = |is_sent: bool| {
        all().map(|budget| {
            let mut account = budget.open();
            account.record(Outcome::Transient);
            let mut token = account.withdraw(Cause::Transient).unwrap();
            if is_sent {
                account.sent(&mut token);
            }
            drop((token, account));
            budget.balance()
        })
    };
    assert_eq!(left(true), [0.0, 6.0, 1.0, f64::INFINITY], "a place is free again when its attempt has ended");
    assert_eq!(left(false), [1.0, 20.0, 1.0, f64::INFINITY]);
}

#[test]
fn a_success_pays_where_successes_do() {
    let (_, token, _) = each();
    let budget = AnyBudget::from(token.clone());
    let mut account = budget.open();
    let mut paid = account.withdraw(Cause::Transient).unwrap();
    account.sent(&mut paid);
    assert_eq!(token.balance(), 6);
    account.record(Outcome::Success);
    assert_eq!(token.balance(), 20);
}

#[test]
fn every_clone_and_the_budget_in_it_are_the_same_budget() {
    let (ratio, token, in_flight) = each();
    let budgets: [AnyBudget; 3] = [ratio.clone().into(), token.clone().into(), in_flight.clone().into()];
    let _accounts = budgets.clone().map(|budget| {
        let mut account = budget.open();
        account.record(Outcome::Transient);
        let token = account.withdraw(Cause::Hedge);
        assert!(token.is_ok());
        (account, token)
    });
    assert_eq!(budgets.map(|budget| budget.balance()), [0.0, 6.0, 0.0]);
    assert_eq!((ratio.snapshot().withdrawals, token.balance(), in_flight.snapshot().extras), (1, 6, 1));
}

#[test]
fn a_token_of_another_kind_is_not_sent_by_this_account() {
    let (_, inner, _) = each();
    let (tokens, unlimited) = (AnyBudget::from(inner.clone()), AnyBudget::from(Unlimited));
    let mut token = tokens.open().withdraw(Cause::Transient).unwrap();
    unlimited.open().sent(&mut token);
    drop(token);
    assert_eq!(inner.balance(), 20, "as if it had not been sent");
}
