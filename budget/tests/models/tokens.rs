//! The AWS and gRPC forms of the token budget.

use evenkeel_budget::{Account, Budget, Cause, Costs, Outcome, TokenAccount, TokenBudget};

use super::{model, thread};

const COST: u32 = 3;

#[test]
fn two_withdrawals_of_the_last_tokens_grant_one() {
    model(|| {
        let budget = bucket(2 * COST - 1);
        let other = in_thread(&budget, |mut account| send_retry(&mut account));
        let here = send_retry(&mut budget.open());
        assert!(other.join().unwrap() ^ here);
        assert_eq!(budget.balance(), COST - 1);
    });
}

#[test]
fn three_requests_share_no_token() {
    model(|| {
        let budget = bucket(2 * COST + 1);
        let others = [(); 2].map(|()| in_thread(&budget, |mut account| send_retry(&mut account)));
        let here = send_retry(&mut budget.open());
        let granted = others.map(|other| other.join().unwrap()).into_iter().chain([here]).filter(|&granted| granted);
        assert_eq!(granted.count(), 2);
        assert_eq!(budget.balance(), 1);
    });
}

#[test]
fn a_refund_and_a_withdrawal_lose_no_token() {
    model(|| {
        let budget = bucket(2 * COST);
        let mut paid = budget.open();
        assert!(send_retry(&mut paid));
        let refunded = thread::spawn(move || paid.record(Outcome::Success));
        assert!(send_retry(&mut budget.open()), "there is enough for it, refunded or not");
        refunded.join().unwrap();
        assert_eq!(budget.balance(), COST);
    });
}

#[test]
fn deposits_never_fill_it_over_its_capacity() {
    model(|| {
        let capacity = 2 * COST;
        let budget = bucket(capacity);
        let mut paid = [(); 2].map(|()| budget.open());
        assert!(paid.iter_mut().all(send_retry));
        budget.open().record(Outcome::Success);

        // Both give back what they paid, and one of those tokens has no room.
        let refunds = paid.map(|mut account| thread::spawn(move || account.record(Outcome::Success)));
        assert!(budget.balance() <= capacity);
        refunds.into_iter().for_each(|refund| refund.join().unwrap());
        assert_eq!(budget.balance(), capacity);
    });
}

#[test]
fn deposits_of_two_threads_both_count() {
    model(|| {
        let budget = bucket(COST);
        assert!(send_retry(&mut budget.open()));
        let other = in_thread(&budget, |mut account| account.record(Outcome::Success));
        budget.open().record(Outcome::Success);
        other.join().unwrap();
        assert_eq!(budget.balance(), 2);
    });
}

#[test]
fn a_dropped_token_is_back_for_the_other_thread() {
    model(|| {
        let budget = bucket(COST);
        let mut cancelled = budget.open();
        let token = cancelled.withdraw(Cause::Transient).unwrap();
        let other = in_thread(&budget, |mut account| send_retry(&mut account));
        drop((token, cancelled));
        // The other came after the drop, or before it, and then the tokens wait for the next.
        let next = other.join().unwrap() || send_retry(&mut budget.open());
        assert!(next);
        assert_eq!(budget.balance(), 0, "granted once, not twice");
    });
}

#[test]
fn concurrent_requests_that_each_retry_once_and_succeed_leave_it_full() {
    model(|| {
        // Enough for one and a half: whoever is refused has succeeded at nothing and taken nothing.
        let budget = bucket(COST + 1);
        let retry_and_succeed = |mut account: TokenAccount| {
            account.record(Outcome::Transient);
            if send_retry(&mut account) {
                account.record(Outcome::Success);
            }
        };
        let other = in_thread(&budget, retry_and_succeed);
        retry_and_succeed(budget.open());
        other.join().unwrap();
        assert_eq!(budget.balance(), COST + 1);
    });
}

#[test]
fn a_retry_that_was_sent_and_abandoned_stays_paid() {
    model(|| {
        let budget = bucket(2 * COST);
        let abandoned = in_thread(&budget, |mut account| send_retry(&mut account));
        let cancelled = budget.open().withdraw(Cause::Transient);
        assert!(cancelled.is_ok());
        drop(cancelled);
        assert!(abandoned.join().unwrap());
        assert_eq!(budget.balance(), COST);
    });
}

#[test]
fn failures_of_two_threads_both_take_a_token() {
    model(|| {
        // Above half with 2.5 of 4, not with 2 or less.
        let budget = TokenBudget::grpc(4.0, 0.5).unwrap();
        let other = in_thread(&budget, |mut account| account.record(Outcome::Transient));
        let mut account = budget.open();
        account.record(Outcome::Throttled);
        other.join().unwrap();
        assert!(account.withdraw(Cause::Transient).is_err());
        budget.open().record(Outcome::Success);
        assert!(account.withdraw(Cause::Transient).is_ok());
    });
}

#[test]
fn a_failure_and_a_success_lose_no_thousandth() {
    model(|| {
        let budget = TokenBudget::grpc(2.0, 0.001).unwrap();
        budget.open().record(Outcome::Transient);
        let other = in_thread(&budget, |mut account| account.record(Outcome::Success));
        budget.open().record(Outcome::Success);
        other.join().unwrap();
        assert_eq!(budget.snapshot().balance, 1.002);
    });
}

/// A full bucket in which every extra attempt costs the same.
fn bucket(capacity: u32) -> TokenBudget {
    TokenBudget::new(capacity, Costs { transient: COST, throttled: COST, timeout: COST, hedge: COST })
}

/// Asks for an extra attempt and sends it; whether it was granted. It ends without an answer.
fn send_retry(account: &mut TokenAccount) -> bool {
    let Ok(mut token) = account.withdraw(Cause::Transient) else { return false };
    account.sent(&mut token);
    true
}

/// What `request` does with an account that another thread opens.
fn in_thread<T: Send + 'static>(
    budget: &TokenBudget,
    request: impl FnOnce(TokenAccount) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let budget = budget.clone();
    thread::spawn(move || request(budget.open()))
}
