//! The budget of places, beside two plain counts.

use evenkeel_budget::{Account, Budget, Cause, InFlightAccount, InFlightBudget, InFlightToken};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::pick;

#[derive(Clone, Debug)]
enum Step {
    Open,
    Withdraw(Index, bool),
    DropToken(Index),
    DropAccount(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Open),
        4 => (any::<Index>(), any::<bool>()).prop_map(|(index, sent)| Step::Withdraw(index, sent)),
        2 => any::<Index>().prop_map(Step::DropToken),
        1 => any::<Index>().prop_map(Step::DropAccount),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn an_extra_attempt_is_granted_while_there_is_room_for_it(
        millionths in prop_oneof![Just(0_u128), Just(200_000), 0..3_000_000_u128, Just(1_000_000_000)],
        min_concurrency in prop_oneof![3 => 0..4_u32, 1 => Just(u32::MAX)],
        steps in vec(step(), 0..200),
    ) {
        let builder = InFlightBudget::builder().share(millionths as f64 / 1e6).min_concurrency(min_concurrency);
        let budget = builder.build().unwrap();
        let mut accounts: Vec<InFlightAccount> = vec![];
        let mut tokens: Vec<InFlightToken> = vec![];
        for step in steps {
            let limit = (millionths * accounts.len() as u128 / 1_000_000).max(u128::from(min_concurrency));
            match step {
                Step::Open => accounts.push(budget.open()),
                Step::Withdraw(index, sent) => {
                    let Some(account) = pick(&index, &mut accounts) else { continue };
                    let granted = account.withdraw(Cause::Hedge);
                    prop_assert_eq!(granted.is_ok(), (tokens.len() as u128) < limit);
                    tokens.extend(granted.map(|mut token| {
                        // Sent or not, it has its place until it is dropped.
                        if sent {
                            account.sent(&mut token);
                        }
                        token
                    }));
                }
                Step::DropToken(index) if !tokens.is_empty() => drop(tokens.swap_remove(index.index(tokens.len()))),
                Step::DropAccount(index) if !accounts.is_empty() => {
                    drop(accounts.swap_remove(index.index(accounts.len())));
                }
                Step::DropToken(_) | Step::DropAccount(_) => {}
            }
            let snapshot = budget.snapshot();
            prop_assert_eq!(snapshot.originals as usize, accounts.len());
            prop_assert_eq!(snapshot.extras as usize, tokens.len());
        }
    }
}
