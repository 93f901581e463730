//! The gRPC form of the token budget, beside a count of thousandths.

use evenkeel_budget::{Account, Budget, Cause, Outcome, TokenBudget};
use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_tokens_of_the_grpc_form_are_its_formula(
        max in 1..=1_000_000_i64,
        ratio in 1..=1_000_000_i64,
        steps in vec((any::<bool>(), prop::sample::select(vec![
            Outcome::Success, Outcome::Transient, Outcome::Transient, Outcome::Throttled, Outcome::Permanent,
        ])), 0..300),
    ) {
        let budget = TokenBudget::grpc(max as f64 / 1e3, ratio as f64 / 1e3).unwrap();
        let (mut account, mut has_succeeded) = (budget.open(), false);
        let mut tokens = max;
        for (anew, outcome) in steps {
            if anew {
                (account, has_succeeded) = (budget.open(), false);
            }
            account.record(outcome);
            match outcome {
                Outcome::Success if has_succeeded => {}
                Outcome::Success => {
                    has_succeeded = true;
                    tokens = (tokens + ratio).min(max);
                }
                Outcome::Transient | Outcome::Throttled => tokens = (tokens - 1_000).max(0),
                Outcome::Permanent => {}
            }
            for cause in [Cause::Transient, Cause::Throttled, Cause::Timeout, Cause::Hedge] {
                let mut granted = account.withdraw(cause);
                prop_assert_eq!(granted.is_ok(), 2 * tokens > max, "{} of {}", tokens, max);
                if let Ok(token) = &mut granted {
                    account.sent(token);
                }
            }
            let snapshot = budget.snapshot();
            prop_assert_eq!((snapshot.balance * 1e3).round() as i64, tokens);
            prop_assert_eq!((snapshot.capacity * 1e3).round() as i64, max);
        }
    }
}
