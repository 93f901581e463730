//! Pairs, beside the two budgets each by itself.

use evenkeel_budget::{Account, Budget, Cause, Costs, Outcome, TokenBudget};
use proptest::{collection::vec, prelude::*};

fn bucket(capacity: u32, cost: u32) -> TokenBudget {
    TokenBudget::new(capacity, Costs { transient: cost, throttled: cost, timeout: cost, hedge: cost })
}

proptest! {
    #[test]
    fn a_pair_grants_what_both_grant_and_a_refusal_costs_neither(
        first in (0..60_u32, 0..20_u32),
        second in (0..60_u32, 0..20_u32),
        third in (0..60_u32, 0..20_u32),
        sends in vec(any::<bool>(), 0..60),
    ) {
        let [a, b, c] = [first, second, third].map(|(capacity, cost)| bucket(capacity, cost));
        let nested = (a.clone(), (b.clone(), c.clone()));
        for send in sends {
            let before = [&a, &b, &c].map(TokenBudget::balance);
            let costs = [first, second, third].map(|(_, cost)| cost);
            let mut account = nested.open();
            let token = account.withdraw(Cause::Transient);
            let enough = before.iter().zip(costs).all(|(held, cost)| *held >= cost);
            prop_assert_eq!(token.is_ok(), enough);
            let spent = |is: bool| [0, 1, 2].map(|n| before[n] - if is { costs[n] } else { 0 });
            prop_assert_eq!([&a, &b, &c].map(TokenBudget::balance), spent(enough));
            if let Ok(mut token) = token {
                if send {
                    account.sent(&mut token);
                }
                drop(token);
                prop_assert_eq!([&a, &b, &c].map(TokenBudget::balance), spent(send));
                if send {
                    account.record(Outcome::Success);
                    prop_assert_eq!([&a, &b, &c].map(TokenBudget::balance), before);
                }
            }
        }
    }
}
