//! The stories of the budget of places.
#![cfg(not(loom))]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use evenkeel_budget::{Account, Balance, Budget, Cause, InFlightAccount, InFlightBudget, InFlightToken};

fn budget(share: f64, min_concurrency: u32) -> InFlightBudget {
    InFlightBudget::builder().share(share).min_concurrency(min_concurrency).build().unwrap()
}

fn open(budget: &InFlightBudget, originals: usize) -> Vec<InFlightAccount> {
    (0..originals).map(|_| budget.open()).collect()
}

/// As many extra attempts as are granted.
fn fill(accounts: &mut [InFlightAccount]) -> Vec<InFlightToken> {
    (0..).map_while(|n| accounts[n % accounts.len()].withdraw(Cause::Timeout).ok()).collect()
}

#[test]
fn a_fifth_of_the_originals_or_three_by_default() {
    let budget = InFlightBudget::default();
    for (originals, extras) in [(1, 3), (15, 3), (19, 3), (20, 4), (100, 20)] {
        let mut accounts = open(&budget, originals);
        assert_eq!(fill(&mut accounts).len(), extras, "{originals} in flight");
        drop(accounts);
        let snapshot = budget.snapshot();
        assert_eq!((snapshot.originals, snapshot.extras), (0, 0), "all have left");
    }
}

#[test]
fn retries_are_no_originals_so_they_make_no_room_for_more() {
    let budget = budget(0.5, 0);
    let mut accounts = open(&budget, 8);
    let tokens = fill(&mut accounts);
    assert_eq!(tokens.len(), 4, "of eight, and not of twelve");
}

#[test]
fn a_place_is_taken_from_the_grant_to_the_end_of_the_attempt() {
    let budget = budget(0.0, 1);
    let mut account = budget.open();
    let mut token = account.withdraw(Cause::Hedge).unwrap();
    assert!(account.withdraw(Cause::Hedge).is_err(), "it waits to be sent");
    account.sent(&mut token);
    assert!(account.withdraw(Cause::Hedge).is_err(), "it is in flight");
    drop(token);
    assert!(account.withdraw(Cause::Hedge).is_ok());
}

#[test]
fn an_attempt_may_outlive_its_request() {
    let budget = budget(1.0, 0);
    let mut account = budget.open();
    let token = account.withdraw(Cause::Hedge).unwrap();
    drop(account);
    let snapshot = budget.snapshot();
    assert_eq!((snapshot.originals, snapshot.extras, snapshot.limit), (0, 1, 0));
    assert_eq!(budget.balance(), 0.0);
    drop(token);
    assert_eq!(budget.snapshot().extras, 0);
}

// Hazards 56 and 58.
#[test]
fn a_panic_leaves_no_place_taken() {
    let budget = InFlightBudget::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut account = budget.open();
        let _token = account.withdraw(Cause::Transient).unwrap();
        panic!("in a callback");
    }));
    assert!(panicked.is_err());
    let snapshot = budget.snapshot();
    assert_eq!((snapshot.originals, snapshot.extras), (0, 0));
}

// Hazards 24 and 59.
#[test]
fn what_makes_no_sense_is_refused_and_the_largest_does_not_overflow() {
    for share in [f64::NAN, -0.1, 1000.1, f64::INFINITY] {
        let refused = InFlightBudget::builder().share(share).build().unwrap_err();
        assert_eq!(refused.to_string(), format!("share is {share}: it must be a number from 0 to 1000"));
    }
    let most = budget(1000.0, u32::MAX);
    let mut accounts = open(&most, 100);
    assert!(accounts.iter_mut().all(|account| account.withdraw(Cause::Hedge).is_ok()));
    assert_eq!(most.snapshot().limit, u32::MAX);
    assert!(budget(0.0, 0).open().withdraw(Cause::Hedge).is_err(), "none at all is legal");
}

// Hazard 19.
#[test]
fn in_flight_is_never_above_the_limit_under_threads() {
    let budget = budget(0.0, 3);
    let (in_flight, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    let mut account = Budget::open(&&budget);
                    let tokens = [(); 2].map(|()| account.withdraw(Cause::Transient).ok());
                    let taken = tokens.iter().flatten().count() as u32;
                    most.fetch_max(in_flight.fetch_add(taken, Ordering::Relaxed) + taken, Ordering::Relaxed);
                    in_flight.fetch_sub(taken, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(most.into_inner() <= 3);
    let snapshot = budget.snapshot();
    assert_eq!((snapshot.originals, snapshot.extras), (0, 0));
}
