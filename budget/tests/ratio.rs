//! The stories of the ratio budget, and what other budgets got wrong.
#![cfg(not(loom))]

mod support;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use evenkeel_budget::{Account, Balance, Budget, Cause, Outcome, RatioBudget, RatioBuilder};
use support::Time;

const SECOND: Duration = Duration::from_secs(1);

/// No reserve unless it is asked for.
fn builder(ratio: f64) -> RatioBuilder {
    RatioBudget::builder().ratio(ratio).min_per_second(0)
}

/// How many of so many are granted.
fn granted<C: Fn() -> Instant>(budget: &RatioBudget<C>, asked: u32) -> u32 {
    (0..asked).map(|_| u32::from(budget.try_withdraw().is_ok())).sum()
}

fn deposit<C: Fn() -> Instant>(budget: &RatioBudget<C>, times: u32) {
    (0..times).for_each(|_| budget.deposit());
}

// Hazard 20.
#[test]
fn a_ratio_of_0_35_is_0_35() {
    for (ratio, requests, retries) in
        [(0.35, 20, 7), (0.35, 100, 35), (0.3, 10, 3), (0.7, 10, 7), (0.01, 99, 0), (1.5, 2, 3), (1000.0, 1, 1000)]
    {
        let time = Time::default();
        let budget = builder(ratio).clock(time.clock()).build().unwrap();
        deposit(&budget, requests);
        assert_eq!(granted(&budget, 2_000), retries, "{ratio} of {requests}");
    }
}

#[test]
fn the_reserve_needs_no_deposits_and_renews_itself() {
    let time = Time::default();
    let budget = RatioBudget::builder().ratio(0.0).clock(time.clock()).build().unwrap();
    for _ in 0..5 {
        assert_eq!(granted(&budget, 200), 100, "10 a second for 10 seconds");
        time.advance(10 * SECOND - Duration::from_nanos(1));
        assert_eq!(granted(&budget, 200), 0);
        time.advance(Duration::from_nanos(1));
    }
}

// Hazard 21.
#[test]
fn an_idle_hour_saves_nothing_up() {
    let time = Time::default();
    let budget = RatioBudget::builder().clock(time.clock()).build().unwrap();
    deposit(&budget, 1_000);
    for idle in [Duration::from_secs(10), Duration::from_secs(3_600), Duration::from_secs(86_400 * 365 * 100)] {
        time.advance(idle);
        assert_eq!(granted(&budget, 1_000), 100, "after {idle:?} there is the reserve");
    }
}

// Hazard 21: spells that are no whole ticks are not taken for whole ones, one after the other.
#[test]
fn idle_time_does_not_expire_what_is_live() {
    let time = Time::default();
    let budget = builder(1.0).clock(time.clock()).build().unwrap();
    deposit(&budget, 10);
    let mut deposits = 10;
    for idle in [499, 1, 501, 999, 1_001, 1_750, 2_249, 250, 750, 999, 1_000] {
        time.advance(Duration::from_millis(idle));
        deposit(&budget, 1);
        deposits += 1;
        assert_eq!(budget.snapshot().deposits, deposits, "{} ms old", time.nanos() / 1_000_000);
    }
    time.advance(Duration::from_millis(1));
    assert_eq!(budget.snapshot().deposits, 10, "the ten are 10 s old, and one more of their tick goes with them");
}

#[test]
fn a_deposit_counts_for_no_longer_than_the_ttl_and_a_withdrawal_for_no_less() {
    let time = Time::default();
    let ttl = 10 * SECOND;
    let budget = builder(1.0).ttl(ttl).clock(time.clock()).build().unwrap();
    for late in [0, 1, 250, 499] {
        // Into a tick by so much.
        time.advance(20 * SECOND + Duration::from_millis(late));
        deposit(&budget, 2);
        assert_eq!(granted(&budget, 1), 1);
        time.advance(ttl - Duration::from_millis(500));
        assert_eq!(budget.snapshot().deposits, 2, "it counts for all of the ttl but a tick at least");
        time.advance(Duration::from_millis(499));
        assert_eq!(budget.snapshot().withdrawals, 1);
        time.advance(Duration::from_millis(1));
        assert_eq!(budget.snapshot().deposits, 0);
        time.advance(Duration::from_millis(500));
        assert_eq!(budget.snapshot().withdrawals, 0, "and a tick more at most");
        // Back to the beginning of a tick.
        time.advance(Duration::from_millis(500 - late));
    }
}

#[test]
fn a_ttl_that_is_no_whole_ticks_is_not_cut_short() {
    let time = Time::default();
    let ttl = Duration::from_nanos(1_000_000_019);
    let budget = RatioBudget::builder().ratio(0.0).min_per_second(1).ttl(ttl).clock(time.clock()).build().unwrap();
    assert_eq!(granted(&budget, 2), 1);
    time.advance(ttl - Duration::from_nanos(1));
    assert_eq!(granted(&budget, 1), 0);
    time.advance(Duration::from_nanos(2));
    assert_eq!(granted(&budget, 2), 1);
}

// Hazard 22.
#[test]
fn a_clock_that_stands_still_keeps_the_sum() {
    let time = Time::default();
    let budget = builder(0.5).clock(time.clock()).build().unwrap();
    deposit(&budget, 1_000_000);
    assert_eq!(granted(&budget, 1_000_000), 500_000);
    assert_eq!(budget.snapshot().balance, 0.0);
}

// Hazard 22.
#[test]
fn a_clock_that_goes_back_is_taken_to_stand_still() {
    let time = Time::default();
    let budget = builder(1.0).clock(time.clock()).build().unwrap();
    time.advance(3_600 * SECOND);
    deposit(&budget, 2);
    time.back(3_000 * SECOND);
    assert_eq!(granted(&budget, 3), 2, "neither lost nor twice");
    deposit(&budget, 1);
    assert_eq!(granted(&budget, 2), 1, "and it goes on counting meanwhile");
    time.advance(3_000 * SECOND + 11 * SECOND);
    assert_eq!(budget.snapshot().withdrawals, 0);
}

// Hazard 22: what is refused again in its tick is remembered, and a time that goes back into that tick is not in it any more.
#[test]
fn a_refusal_of_a_tick_that_has_passed_is_none_when_the_clock_goes_back_to_it() {
    let time = Time::default();
    let budget =
        RatioBudget::builder().ratio(0.0).min_per_second(1).ttl(2 * SECOND).clock(time.clock()).build().unwrap();
    let start = time.now();
    let granted =
        [0, 0, 1_000, 2_500, 1_000].map(|at| budget.try_withdraw_at(start + Duration::from_millis(at)).is_ok());
    assert_eq!(granted, [true, true, false, true, true], "the last one is asked for at 2,500 ms, where one is left");
}

// Hazard 23.
#[test]
fn a_request_deposits_once_however_often_it_is_sent_and_however_it_ends() {
    let time = Time::default();
    let budget = RatioBudget::builder().clock(time.clock()).build().unwrap();
    let deposits = || budget.snapshot().deposits;

    let mut account = budget.open();
    account.record(Outcome::Transient);
    let mut retry = account.withdraw(Cause::Transient).unwrap();
    assert_eq!(deposits(), 1);
    account.sent(&mut retry);
    account.record(Outcome::Success);
    account.record(Outcome::Success);
    drop((retry, account));
    assert_eq!(deposits(), 1);

    for (n, outcome) in (2..).zip([Outcome::Success, Outcome::Transient, Outcome::Throttled, Outcome::Permanent]) {
        budget.open().record(outcome);
        assert_eq!(deposits(), n, "{outcome:?}");
    }
    drop(budget.open());
    assert_eq!(deposits(), 6, "one that was given up was a request too");
}

// Hazard 24.
#[test]
fn the_largest_configuration_does_not_overflow() {
    let time = Time::default();
    let builder = RatioBudget::builder().ratio(1000.0).min_per_second(u32::MAX).ttl(60 * SECOND);
    let budget = builder.clock(time.clock()).build().unwrap();
    assert_eq!(budget.snapshot().reserve, u64::from(u32::MAX) * 60);
    deposit(&budget, 100_000);
    assert_eq!(granted(&budget, 100_000), 100_000);
    time.advance(Duration::from_nanos(u64::MAX / 4));
    deposit(&budget, 1);
    assert!(budget.try_withdraw_at(time.now() + Duration::from_secs(1 << 33)).is_ok());
    assert!(budget.snapshot().balance > 0.0);
}

#[test]
fn nothing_of_everything_is_nothing() {
    let budget = builder(0.0).build().unwrap();
    deposit(&budget, 1_000);
    assert_eq!(granted(&budget, 1_000), 0);
}

// Hazard 59.
#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let refused = |builder: RatioBuilder| builder.build().unwrap_err().to_string();
    let of = RatioBudget::builder();
    assert_eq!(refused(of.ratio(f64::NAN)), "ratio is NaN: it must be a number from 0 to 1000");
    assert_eq!(refused(of.ratio(-0.1)), "ratio is -0.1: it must be a number from 0 to 1000");
    assert_eq!(refused(of.ratio(1000.5)), "ratio is 1000.5: it must be a number from 0 to 1000");
    assert_eq!(refused(of.ratio(f64::INFINITY)), "ratio is inf: it must be a number from 0 to 1000");
    assert_eq!(refused(of.ttl(Duration::ZERO)), "ttl is 0ns: it must be from 1 s to 60 s");
    assert_eq!(refused(of.ttl(Duration::from_millis(999))), "ttl is 999ms: it must be from 1 s to 60 s");
    assert_eq!(refused(of.ttl(Duration::from_millis(60_001))), "ttl is 60.001s: it must be from 1 s to 60 s");
    assert!(of.ratio(-0.0).ttl(SECOND).build().is_ok() && of.ratio(1000.0).ttl(60 * SECOND).build().is_ok());
}

// Hazards 10 and 56.
#[test]
fn a_retry_that_was_not_sent_is_given_back_while_it_counts() {
    let time = Time::default();
    let budget = builder(1.0).clock(time.clock()).build().unwrap();
    deposit(&budget, 1);
    let mut account = budget.open();
    let token = account.withdraw(Cause::Transient).unwrap();
    let late = account.withdraw(Cause::Transient).unwrap();
    assert_eq!(budget.snapshot().balance, 0.0);
    drop(token);
    assert_eq!(budget.snapshot().balance, 1.0);

    time.advance(11 * SECOND);
    drop(late);
    assert_eq!(budget.snapshot().balance, 0.0, "it had left the window, and so has what it was paid from");
    deposit(&budget, 1);
    assert_eq!(granted(&budget, 5), 1);
}

// Hazard 58.
#[test]
fn a_clock_that_panics_is_one_panic_and_leaves_the_sums_as_they_are() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let broken = std::sync::atomic::AtomicBool::new(false);
    let time = Time::default();
    let clock = || if broken.load(Ordering::Relaxed) { panic!("no time") } else { time.now() };
    let budget = builder(1.0).clock(clock).build().unwrap();
    broken.store(true, Ordering::Relaxed);
    let withdraws = catch_unwind(AssertUnwindSafe(|| budget.open().withdraw(Cause::Transient).is_ok()));
    let succeeds = catch_unwind(AssertUnwindSafe(|| budget.open().record(Outcome::Success)));
    let unwinds = catch_unwind(AssertUnwindSafe(|| {
        let _account = budget.open();
        panic!("in a callback");
    }));
    assert!(withdraws.is_err() && succeeds.is_err() && unwinds.is_err());
    broken.store(false, Ordering::Relaxed);
    assert_eq!(budget.snapshot().balance, 0.0);
    deposit(&budget, 1);
    assert_eq!(granted(&budget, 2), 1);
}

// Hazard 19.
#[test]
fn more_is_never_granted_than_held_under_threads() {
    let time = Time::default();
    let budget = builder(0.35).clock(time.clock()).build().unwrap();
    let (granted, deposited) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..50_000_u64 {
                    budget.deposit();
                    deposited.fetch_add(1, Ordering::Relaxed);
                    if budget.try_withdraw().is_ok() {
                        granted.fetch_add(1, Ordering::Relaxed);
                    }
                    // All within one window, and across its ticks.
                    if n % 1_000 == 0 {
                        time.advance(Duration::from_millis(40));
                    }
                }
            });
        }
    });
    let (granted, deposited) = (granted.into_inner(), deposited.into_inner());
    assert_eq!(granted, deposited * 35 / 100, "neither more nor, for every thread goes on asking, less");
}

#[test]
fn each_form_of_account_is_charged_to_the_same_budget() {
    let time = Time::default();
    let budget = builder(1.0).clock(time.clock()).build().unwrap();
    let clone = budget.clone();
    clone.open().record(Outcome::Success);
    // By reference, without a reference counted.
    let mut borrowed = Budget::open(&&budget);
    borrowed.deposit_at(time.now());
    let token = borrowed.withdraw_at(time.now());
    assert_eq!(budget.balance(), 1.0);
    drop(token);
    assert_eq!(Balance::balance(&clone), 2.0);
    assert!(format!("{budget:?} {borrowed:?}").contains("ratio: 1.0"));
}
