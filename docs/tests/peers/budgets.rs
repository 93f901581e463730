//! What a retry budget grants of what it holds.

use std::{
    hint, iter,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use evenkeel_budget::RatioBudget;
use tokio::time::advance;
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::at_hand::{Clock, ms, secs};

/// Without a reserve.
fn towers(ttl: Duration, percent: f32) -> TpsBudget {
    TpsBudget::new(ttl, 0, percent)
}

/// How many of a thousand retries are granted.
fn granted(mut withdraw: impl FnMut() -> bool) -> u32 {
    (0..1_000).map(|_| u32::from(withdraw())).sum()
}

#[tokio::test(start_paused = true)]
async fn tower_0_5_budget_rounds_a_share_up_to_one_in_n() {
    for (percent, grants) in [(0.1, 10), (0.2, 20), (0.35, 50), (0.4, 50), (0.6, 100), (0.8, 100), (1.5, 150)] {
        let budget = towers(secs(10), percent);
        (0..100).for_each(|_| budget.deposit());
        assert_eq!(granted(|| budget.withdraw()), grants, "{percent} of 100 requests");
    }
}

#[test]
fn ours_a_share_is_what_was_said() {
    for (ratio, grants) in [(0.1, 10), (0.2, 20), (0.35, 35), (0.4, 40), (0.6, 60), (0.8, 80), (1.5, 150)] {
        let budget =
            RatioBudget::builder().ratio(ratio).min_per_second(0).clock(Clock::default().reader()).build().unwrap();
        (0..100).for_each(|_| budget.deposit());
        assert_eq!(granted(|| budget.try_withdraw().is_ok()), grants, "{ratio} of 100 requests");
    }
}

/// Requests at an even pace for less than the time to live of each; what is granted afterwards, a retry for a request.
const PACE: Duration = ms(1_050);
const REQUESTS: u32 = 9;

#[tokio::test(start_paused = true)]
async fn tower_0_5_budget_forgets_half_of_its_deposits_early_where_their_pace_is_wrong() {
    let budget = towers(secs(10), 1.0);
    for _ in 0..REQUESTS {
        budget.deposit();
        advance(PACE).await;
    }
    assert_eq!(
        granted(|| budget.withdraw()),
        5,
        "of nine in the last ten seconds: each step of 1.05 s takes two slots of one"
    );
}

#[test]
fn ours_a_deposit_lasts_for_nine_tenths_of_its_time_at_any_pace() {
    let clock = Clock::default();
    let builder = RatioBudget::builder().ratio(1.0).min_per_second(0).ttl(secs(10));
    let budget = builder.clock(clock.reader()).build().unwrap();
    for _ in 0..REQUESTS {
        budget.deposit();
        clock.advance(PACE);
    }
    assert!((8..=9).contains(&granted(|| budget.try_withdraw().is_ok())), "the oldest is 9.45 s old");
}

/// In how many of so many budgets, each of which holds one retry, both of two threads that ask at once are granted one.
fn granted_twice<B: Sync>(budgets: impl Iterator<Item = B>, withdraw: impl Fn(&B) -> bool + Sync) -> usize {
    let budgets: Vec<_> = budgets.take(500).collect();
    let (at_the_line, granted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for (round, budget) in budgets.iter().enumerate() {
                    at_the_line.fetch_add(1, Ordering::AcqRel);
                    let mut waited = 0_u32;
                    while at_the_line.load(Ordering::Acquire) < 2 * (round + 1) {
                        waited += 1;
                        if waited % 100 == 0 { thread::yield_now() } else { hint::spin_loop() }
                    }
                    granted.fetch_add(usize::from(withdraw(budget)), Ordering::Relaxed);
                }
            });
        }
    });
    granted.into_inner() - budgets.len()
}

#[test]
fn tower_0_5_budget_is_granted_twice_where_two_threads_ask_at_once() {
    if thread::available_parallelism().is_ok_and(|threads| threads.get() == 1) {
        return; // They hardly ever do.
    }
    let budgets = || iter::repeat_with(|| towers(secs(60), 1.0)).inspect(TpsBudget::deposit);
    // On two idle cores it is every fourth time.
    let seen = (0..800).any(|_| granted_twice(budgets(), TpsBudget::withdraw) > 0);
    assert!(seen, "it looks, and then takes: both have looked before one takes");
}

#[test]
fn ours_is_granted_once_however_many_ask_at_once() {
    let one = || RatioBudget::builder().ratio(1.0).min_per_second(0).build().unwrap();
    let budgets = || iter::repeat_with(one).inspect(RatioBudget::deposit);
    assert_eq!(granted_twice(budgets(), |budget| budget.try_withdraw().is_ok()), 0);
}

#[test]
fn tower_resilience_retry_0_14_budget_counts_the_time_and_not_the_requests() {
    let builder = tower_resilience_retry::RetryBudgetBuilder::new().token_bucket().initial_tokens(0);
    let budget = builder.tokens_per_second(1e9).max_tokens(100).build().unwrap();
    crate::at_hand::a_moment_later();
    while budget.balance() < 100 {
        crate::at_hand::a_moment_later();
    }
    assert_eq!(granted(|| budget.try_withdraw()).min(100), 100, "no request was ever made");
}
