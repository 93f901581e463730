//! What a request costs a budget: nothing on the heap, and no more than one look at the clock.
#![cfg(not(loom))]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use evenkeel_budget::{Account, Budget, Cause, InFlightBudget, Outcome, RatioBudget, TokenBudget, Unlimited};

mod support;

/// A request that succeeds, one that is retried and succeeds, one whose retry is cancelled, and a refusal or two.
fn requests<B: Budget>(budget: &B) {
    budget.open().record(Outcome::Success);
    for sent in [true, false] {
        let mut account = budget.open();
        account.record(Outcome::Transient);
        let mut tokens = [(); 3].map(|()| account.withdraw(Cause::Transient).ok());
        if sent {
            tokens.iter_mut().flatten().for_each(|token| account.sent(token));
        }
        drop(tokens);
        account.record(Outcome::Success);
    }
}

#[test]
fn no_operation_allocates() {
    let ratio = RatioBudget::builder().min_per_second(1).build().unwrap();
    let (aws, grpc) = (TokenBudget::sized_for(1), TokenBudget::grpc(2.0, 0.1).unwrap());
    let in_flight = InFlightBudget::builder().min_concurrency(1).build().unwrap();
    let pair = (aws.clone(), (ratio.clone(), in_flight.clone()));
    let all = || {
        requests(&ratio);
        requests(&aws);
        requests(&grpc);
        requests(&in_flight);
        requests(&Unlimited);
        requests(&pair);
        requests(&&ratio);
        requests(&&aws);
        requests(&&in_flight);
        let _ = (ratio.snapshot(), aws.snapshot(), in_flight.snapshot());
    };
    all();
    let measured = allocation_counter::measure(|| (0..100).for_each(|_| all()));
    assert_eq!(measured.count_total, 0);
}

#[test]
fn the_ratio_looks_at_the_clock_once_for_a_request_and_once_for_each_retry_after_the_first() {
    let reads = Arc::new(AtomicU32::new(0));
    let clock = {
        let (reads, time) = (Arc::clone(&reads), support::Time::default());
        move || -> Instant {
            reads.fetch_add(1, Ordering::Relaxed);
            time.now()
        }
    };
    let budget = RatioBudget::builder().clock(clock).build().unwrap();
    let read = || reads.swap(0, Ordering::Relaxed);
    assert_eq!(read(), 1, "when it is built");

    budget.open().record(Outcome::Success);
    assert_eq!(read(), 1);
    drop(budget.open());
    assert_eq!(read(), 1);

    let mut account = budget.open();
    account.record(Outcome::Transient);
    let retry = account.withdraw(Cause::Transient);
    assert_eq!(read(), 1, "the deposit and the withdrawal are one step");
    account.record(Outcome::Transient);
    let another = account.withdraw(Cause::Transient);
    assert_eq!(read(), 1);
    account.record(Outcome::Success);
    drop((retry, another, account));
    assert_eq!(read(), 0);
}
