//! The stories of the token budget, and what other budgets got wrong.
#![cfg(not(loom))]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use evenkeel_budget::{Account, Budget, Cause, Costs, Exhausted, Outcome, TokenAccount, TokenBudget, Tokens};

const CAUSES: [Cause; 4] = [Cause::Transient, Cause::Throttled, Cause::Timeout, Cause::Hedge];

fn all(cost: u32) -> Costs {
    Costs { transient: cost, throttled: cost, timeout: cost, hedge: cost }
}

fn send_retry(account: &mut TokenAccount, cause: Cause) -> Result<Tokens, Exhausted> {
    account.record(Outcome::Transient);
    let mut token = account.withdraw(cause)?;
    account.sent(&mut token);
    Ok(token)
}

// Hazard 25.
#[test]
fn refunds_go_to_the_request_that_paid() {
    let budget = TokenBudget::new(100, Costs { transient: 30, throttled: 7, timeout: 50, hedge: 1 });
    let [mut dear, mut cheap, mut fails, mut first_try] = [(); 4].map(|()| budget.open());
    let _dear = send_retry(&mut dear, Cause::Transient).unwrap();
    let _fails = send_retry(&mut fails, Cause::Timeout).unwrap();
    let _cheap = send_retry(&mut cheap, Cause::Throttled).unwrap();
    assert_eq!(budget.balance(), 13);

    // Neither the order of the withdrawals nor that of the answers says whose it is.
    first_try.record(Outcome::Success);
    assert_eq!(budget.balance(), 14);
    fails.record(Outcome::Permanent);
    assert_eq!(budget.balance(), 14);
    dear.record(Outcome::Success);
    assert_eq!(budget.balance(), 44);
    cheap.record(Outcome::Success);
    assert_eq!(budget.balance(), 51);
}

#[test]
fn thirty_concurrent_requests_that_each_retry_once_and_succeed_leave_the_bucket_full() {
    let budget = TokenBudget::default();
    let mut accounts: Vec<_> = (0..30).map(|_| budget.open()).collect();
    let tokens: Vec<_> =
        accounts.iter_mut().map(|account| send_retry(account, Cause::Transient).expect("500 pay for 35")).collect();
    assert_eq!(budget.balance(), 500 - 30 * 14);
    accounts.iter_mut().for_each(|account| account.record(Outcome::Success));
    drop(tokens);
    assert_eq!(budget.balance(), 500);
}

#[test]
fn a_success_returns_what_the_last_retry_cost_and_not_those_before() {
    let budget = TokenBudget::new(100, Costs { transient: 20, throttled: 5, timeout: 30, hedge: 1 });
    let mut account = budget.open();
    drop(send_retry(&mut account, Cause::Timeout));
    drop(send_retry(&mut account, Cause::Transient));
    assert_eq!(budget.balance(), 50);
    account.record(Outcome::Success);
    assert_eq!(budget.balance(), 70);
}

// Hazard 24.
#[test]
fn the_largest_configuration_does_not_overflow() {
    let budget = TokenBudget::new(u32::MAX, all(u32::MAX));
    let mut account = budget.open();
    account.record(Outcome::Success);
    assert_eq!(budget.balance(), u32::MAX, "full is full");

    let mut account = budget.open();
    let token = send_retry(&mut account, Cause::Transient).unwrap();
    assert_eq!(budget.balance(), 0);
    budget.open().record(Outcome::Success);
    account.record(Outcome::Success);
    drop(token);
    assert_eq!(budget.balance(), u32::MAX, "1 and u32::MAX are u32::MAX");
}

#[test]
fn a_bucket_of_nothing_grants_nothing_and_what_costs_nothing_is_always_granted() {
    let none = TokenBudget::new(0, Costs::REVISION_2026);
    none.open().record(Outcome::Success);
    assert_eq!(none.balance(), 0);
    assert!(CAUSES.iter().all(|&cause| none.open().withdraw(cause).is_err()));

    let free = TokenBudget::new(0, all(0));
    assert!(CAUSES.iter().all(|&cause| free.open().withdraw(cause).is_ok()));
    assert_eq!(free.balance(), 0);
}

#[test]
fn a_refusal_costs_nothing() {
    let budget = TokenBudget::new(13, Costs::REVISION_2026);
    let mut account = budget.open();
    for _ in 0..100 {
        assert_eq!(account.withdraw(Cause::Transient).err(), Some(Exhausted::new()));
    }
    assert_eq!(budget.balance(), 13);
    assert!(account.withdraw(Cause::Throttled).is_ok(), "what is cheaper than the rest is still granted");
}

// Hazard 23.
#[test]
fn a_request_earns_once_however_many_attempts_succeed() {
    let budget = TokenBudget::new(100, all(10));
    drop(send_retry(&mut budget.open(), Cause::Transient));
    drop(send_retry(&mut budget.open(), Cause::Transient));
    assert_eq!(budget.balance(), 80);

    // A retry and a hedge of it both succeed, and one more is sent although it is over.
    let mut account = budget.open();
    let _retry = send_retry(&mut account, Cause::Transient).unwrap();
    account.record(Outcome::Success);
    account.record(Outcome::Success);
    assert_eq!(budget.balance(), 80);
    let _late = send_retry(&mut account, Cause::Transient).unwrap();
    account.record(Outcome::Success);
    assert_eq!(budget.balance(), 70);
}

// Hazard 48: in a brown-out every answer is late and good.
#[test]
fn a_hedge_is_not_returned_so_slow_successes_do_not_pay_for_more_of_them() {
    let budget = TokenBudget::default();
    let hedged = (0..100_000)
        .filter(|_| {
            let mut account = budget.open();
            let hedge = send_retry(&mut account, Cause::Hedge);
            account.record(Outcome::Success);
            hedge.is_ok()
        })
        .count();
    assert!(hedged <= (500 + 100_000) / 14, "{hedged} of 100,000 requests were hedged");
    assert!(hedged > 100_000 / 16, "{hedged} of 100,000 requests were hedged");
}

#[test]
fn only_a_success_earns() {
    let budget = TokenBudget::new(100, all(10));
    let mut account = budget.open();
    drop(send_retry(&mut account, Cause::Transient));
    for outcome in [Outcome::Transient, Outcome::Throttled, Outcome::Permanent] {
        account.record(outcome);
        budget.open().record(outcome);
    }
    assert_eq!(budget.balance(), 90);
}

// Hazard 10.
#[test]
fn a_cancelled_retry_that_was_not_sent_costs_nothing() {
    let budget = TokenBudget::default();
    let mut account = budget.open();
    let token = account.withdraw(Cause::Timeout).unwrap();
    assert_eq!(budget.balance(), 486);
    // In either order.
    drop(account);
    assert_eq!(budget.balance(), 486);
    drop(token);
    assert_eq!(budget.balance(), 500);
}

#[test]
fn one_that_was_sent_stays_paid() {
    let budget = TokenBudget::default();
    let mut account = budget.open();
    let token = send_retry(&mut account, Cause::Transient);
    drop((token, account));
    assert_eq!(budget.balance(), 486);
}

#[test]
fn what_a_cancelled_retry_would_have_cost_is_not_returned_again() {
    let budget = TokenBudget::new(100, all(10));
    drop(send_retry(&mut budget.open(), Cause::Transient));
    let mut account = budget.open();
    drop(account.withdraw(Cause::Hedge));
    account.record(Outcome::Success);
    assert_eq!(budget.balance(), 91, "it succeeded at the first try");
}

// Hazards 56 and 58.
#[test]
fn a_panic_between_the_grant_and_the_sending_is_a_cancellation() {
    let budget = TokenBudget::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut account = budget.open();
        let _token = account.withdraw(Cause::Transient).unwrap();
        panic!("in a callback");
    }));
    assert!(panicked.is_err());
    assert_eq!(budget.balance(), 500);
}

#[test]
fn nothing_is_granted_in_an_outage() {
    let budget = TokenBudget::default();
    let granted =
        |requests: u32| (0..requests).filter(|_| send_retry(&mut budget.open(), Cause::Transient).is_ok()).count();
    assert_eq!(granted(35), 35, "the bucket is spent");
    assert_eq!(granted(100_000), 0);
    assert_eq!(budget.balance(), 10);
    for _ in 0..18 {
        budget.open().record(Outcome::Success);
    }
    assert_eq!(granted(100), 2, "18 requests that succeed earn two retries with the 10 that were left");
}

// Hazard 19.
#[test]
fn more_is_never_granted_than_held_under_threads() {
    // Enough for two at a time, and a rest that is worth nothing.
    let budget = TokenBudget::new(20, all(7));
    let (in_flight, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..60_000 {
                    let mut account = budget.open();
                    if let Ok(_token) = send_retry(&mut account, Cause::Transient) {
                        most.fetch_max(in_flight.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                        in_flight.fetch_sub(1, Ordering::Relaxed);
                        account.record(Outcome::Success);
                    }
                }
            });
        }
    });
    assert!(most.into_inner() <= 2);
    assert_eq!(budget.balance(), 20);
}

#[test]
fn requests_that_succeed_from_many_threads_leave_it_full() {
    let budget = TokenBudget::default();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    let mut account = budget.open();
                    if let Ok(_token) = send_retry(&mut account, Cause::Timeout) {
                        account.record(Outcome::Success);
                    }
                }
            });
        }
    });
    assert_eq!(budget.balance(), 500);
}

#[test]
fn to_say_again_that_an_older_one_was_sent_changes_no_refund() {
    let budget = TokenBudget::new(100, Costs { transient: 30, throttled: 7, timeout: 50, hedge: 1 });
    let mut account = budget.open();
    let mut first = send_retry(&mut account, Cause::Transient).unwrap();
    let _second = send_retry(&mut account, Cause::Throttled).unwrap();
    account.sent(&mut first);
    account.record(Outcome::Success);
    assert_eq!(budget.balance(), 100 - 30, "what the last one cost is back");
}

#[test]
fn a_bucket_is_sized_for_the_traffic() {
    for (rate, capacity) in [(0, 28), (11, 28), (12, 30), (200, 500), (2_000, 5_000), (u32::MAX, u32::MAX)] {
        assert_eq!(TokenBudget::sized_for(rate).capacity(), capacity, "{rate} a second");
    }
}

#[test]
fn a_success_into_a_full_bucket_leaves_it_full() {
    let budget = TokenBudget::default();
    budget.open().record(Outcome::Success);
    assert_eq!(budget.balance(), 500);
    drop(send_retry(&mut budget.open(), Cause::Transient));
    (0..20).for_each(|_| budget.open().record(Outcome::Success));
    assert_eq!(budget.balance(), 500, "and none of the fourteen that were missing is put in twice");
}

// Hazards 24 and 59.
#[test]
fn the_grpc_form_refuses_what_is_out_of_range_and_ignores_the_fourth_decimal() {
    let refused = |max, ratio| TokenBudget::grpc(max, ratio).unwrap_err().to_string();
    assert_eq!(refused(0.0, 0.1), "max_tokens is 0: it must be from 0.001 to 1000");
    assert_eq!(refused(1000.5, 0.1), "max_tokens is 1000.5: it must be from 0.001 to 1000");
    assert_eq!(refused(f64::NAN, 0.1), "max_tokens is NaN: it must be from 0.001 to 1000");
    assert_eq!(refused(10.0, -0.1), "token_ratio is -0.1: it must be from 0.001 to 1000");
    assert_eq!(refused(10.0, 0.0009), "token_ratio is 0.0009: it must be from 0.001 to 1000");
    assert_eq!(refused(10.0, f64::INFINITY), "token_ratio is inf: it must be from 0.001 to 1000");

    let budget = TokenBudget::grpc(10.0, 0.5559).unwrap();
    budget.open().record(Outcome::Transient);
    budget.open().record(Outcome::Success);
    assert_eq!(budget.snapshot().balance, 9.555);
    let most = TokenBudget::grpc(1000.0, 1000.0).unwrap();
    most.open().record(Outcome::Success);
    assert_eq!(most.snapshot().balance, 1000.0);
}

// The proposal: a call whose last failure makes it half is not retried, and a success after that lifts it again.
#[test]
fn the_grpc_form_grants_while_it_is_more_than_half_full() {
    let budget = TokenBudget::grpc(10.0, 0.1).unwrap();
    let fails = || {
        let mut account = budget.open();
        account.record(Outcome::Transient);
        account.withdraw(Cause::Transient).is_ok()
    };
    assert_eq!([fails(), fails(), fails(), fails(), fails(), fails()], [true, true, true, true, false, false]);
    assert_eq!(budget.balance(), 4);
    (0..10).for_each(|_| budget.open().record(Outcome::Success));
    (0..3).for_each(|_| budget.open().record(Outcome::Permanent));
    assert!(budget.open().withdraw(Cause::Hedge).is_err(), "five is not more than half");
    budget.open().record(Outcome::Success);
    assert!(budget.open().withdraw(Cause::Hedge).is_ok());
    assert_eq!(budget.snapshot().balance, 5.1, "extra attempts cost nothing themselves");
}

#[test]
fn every_clone_is_the_same_bucket() {
    let budget = TokenBudget::new(20, Costs::EARLIER);
    let clone = budget.clone();
    drop(send_retry(&mut clone.open(), Cause::Timeout));
    assert_eq!(budget.balance(), 10);
    assert_eq!(format!("{clone:?}"), format!("{budget:?}"));
}
