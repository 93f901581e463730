//! Two budgets as one.

use evenkeel_budget::{Account, Budget, Cause, Costs, TokenBudget};

use super::{model, thread};

#[test]
fn what_the_second_refuses_the_first_has_back() {
    model(|| {
        let bucket = |capacity| TokenBudget::new(capacity, Costs { transient: 1, ..Costs::EARLIER });
        // Enough for both in the first, for one of them in the second.
        let (first, second) = (bucket(2), bucket(1));
        let pair = (first.clone(), second.clone());
        let send = |pair: &(TokenBudget, TokenBudget)| {
            let mut account = pair.open();
            account.withdraw(Cause::Transient).map(|mut token| account.sent(&mut token)).is_ok()
        };
        let other = thread::spawn({
            let pair = pair.clone();
            move || send(&pair)
        });
        let here = send(&pair);
        assert!(here ^ other.join().unwrap());
        assert_eq!((first.balance(), second.balance()), (1, 0));
    });
}
