//! What a budget costs, beside tower's and beside the atomics that it is made of.
//!
//! `cargo bench -p evenkeel-budget` prints the tables. Everything runs in one process, in turn.
#![allow(clippy::disallowed_methods)] // A bench measures time.

use std::{
    cell::Cell,
    hint::black_box,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use evenkeel_budget::{
    Account, AdaptiveThrottle, AnyBudget, Budget, Cause, Costs, InFlightBudget, Outcome, Priority, RatioBudget,
    TokenBudget, Unlimited,
};
use tower::retry::budget::{Budget as _, TpsBudget};

#[path = "../../backoff/benches/harness/mod.rs"]
#[allow(dead_code)] // It is made for futures as well.
mod harness;
mod threads;

use harness::{Candidate, compare};

fn main() {
    counters();
    windows();
    refusals();
    others();
    throttle();
    threads::compare_threads();
}

/// One token a retry, and room for all: what is deposited is withdrawn.
const ONE: Costs = Costs { transient: 1, throttled: 1, timeout: 1, hedge: 1 };

fn with_room() -> TokenBudget {
    let budget = TokenBudget::new(1 << 30, ONE);
    for _ in 0..1_000 {
        let _ = black_box(retry(&&budget));
    }
    budget
}

/// One request that fails, and asks for a retry.
///
/// For `&budget` the account owns a handle, for `&&budget` it borrows one.
fn retry<B: Budget>(budget: &B) -> bool {
    let mut account = budget.open();
    account.record(Outcome::Transient);
    match account.withdraw(Cause::Transient) {
        Ok(mut token) => {
            account.sent(&mut token);
            true
        }
        Err(_) => false,
    }
}

/// One request that succeeds at once.
fn succeed<B: Budget>(budget: &B) {
    budget.open().record(Outcome::Success);
}

fn counters() {
    let two = AtomicU32::new(0);
    let budget = with_room();
    let full = TokenBudget::default();
    let grpc = TokenBudget::grpc(1000.0, 1.0).unwrap();
    compare(
        "`TokenBudget`: a deposit and a withdrawal, no clock",
        vec![
            Candidate::new("two atomic read-modify-writes", || {
                two.fetch_add(1, Ordering::Relaxed) + two.fetch_sub(1, Ordering::Relaxed)
            }),
            Candidate::new("AWS form: a request that succeeds, one that retries", || {
                succeed(&&budget);
                retry(&&budget)
            }),
            Candidate::new("the same, with accounts that own a handle", || {
                succeed(&budget);
                retry(&budget)
            }),
            Candidate::new("gRPC form: the same", || {
                succeed(&&grpc);
                retry(&&grpc)
            }),
            Candidate::new("a success into a full bucket", || succeed(&&full)),
        ],
    );
}

fn windows() {
    let ttl = Duration::from_secs(10);
    let tower = TpsBudget::new(ttl, 10, 1.0);
    let budget = RatioBudget::builder().ratio(1.0).build().unwrap();
    let start = Instant::now();
    let still = RatioBudget::builder().ratio(1.0).clock(move || start).build().unwrap();
    let refunded = RatioBudget::builder().ratio(1.0).clock(move || start).build().unwrap();
    drop(Budget::open(&&refunded).withdraw(Cause::Transient));
    compare(
        "`RatioBudget`: a deposit and a withdrawal, with the clock",
        vec![
            Candidate::new("tower `TpsBudget`", || {
                tower.deposit();
                black_box(tower.withdraw())
            }),
            Candidate::new("`RatioBudget`: a request that retries", || retry(&&budget)),
            Candidate::new("the same, with an account that owns a handle", || retry(&budget)),
            Candidate::new("`deposit` and `try_withdraw`: the clock read twice", || {
                budget.deposit();
                budget.try_withdraw().is_ok()
            }),
            Candidate::new("a request that retries, without the clock", || retry(&&still)),
            Candidate::new("the same, with a refund in its window", || retry(&&refunded)),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}

fn refusals() {
    let start = Instant::now();
    let tower = TpsBudget::new(Duration::from_secs(10), 0, 1.0);
    let ratio = RatioBudget::builder().min_per_second(0);
    let timed = ratio.build().unwrap();
    let time = Cell::new(start);
    let [still, refunded] = [(); 2].map(|()| {
        time.set(start);
        let budget = RatioBudget::builder().ratio(0.1).min_per_second(1).clock(|| time.get()).build().unwrap();
        // Some windows old, its reserve spent in the middle of one.
        for second in 0..35 {
            time.set(start + Duration::from_millis(1_010 * second));
            budget.deposit();
            let _ = budget.try_withdraw();
        }
        while budget.try_withdraw().is_ok() {}
        budget
    });
    // One was cancelled before it was sent, and its place taken by another.
    (0..10).for_each(|_| refunded.deposit());
    drop(Budget::open(&&refunded).withdraw(Cause::Transient));
    while refunded.try_withdraw().is_ok() {}
    let tokens = TokenBudget::new(0, Costs::REVISION_2026);
    let grpc = TokenBudget::grpc(1.0, 0.1).unwrap();
    grpc.open().record(Outcome::Transient);
    let in_flight = InFlightBudget::builder().share(0.0).min_concurrency(0).build().unwrap();
    let refused = |granted: bool| assert!(!granted);
    compare(
        "A refusal",
        vec![
            Candidate::new("tower `TpsBudget`, with the clock", || refused(tower.withdraw())),
            Candidate::new("`RatioBudget`, with the clock", || refused(timed.try_withdraw().is_ok())),
            Candidate::new("`RatioBudget`, without the clock", || refused(still.try_withdraw().is_ok())),
            Candidate::new("the same, with a refund in its window", || refused(refunded.try_withdraw().is_ok())),
            Candidate::new("`TokenBudget`, AWS form", || refused(retry(&&tokens))),
            Candidate::new("`TokenBudget`, gRPC form", {
                let mut account = Budget::open(&&grpc);
                move || refused(account.withdraw(Cause::Transient).is_ok())
            }),
            Candidate::new("`InFlightBudget`, its account opened before", {
                let mut account = Budget::open(&&in_flight);
                move || refused(account.withdraw(Cause::Transient).is_ok())
            }),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}

fn others() {
    let in_flight = InFlightBudget::default();
    let word = AtomicU64::new(0);
    let any = AnyBudget::from(TokenBudget::new(1 << 30, ONE));
    let pair = (TokenBudget::new(1 << 30, ONE), RatioBudget::builder().ratio(1.0).build().unwrap());
    compare(
        "A request that retries, with the others",
        vec![
            Candidate::new("four atomic read-modify-writes", || {
                for _ in 0..4 {
                    word.fetch_add(1, Ordering::Relaxed);
                }
            }),
            Candidate::new("`InFlightBudget`", || retry(&&in_flight)),
            Candidate::new("`Unlimited`", || retry(&Unlimited)),
            Candidate::new("`AnyBudget` of a `TokenBudget`", || retry(&any)),
            Candidate::new("`(TokenBudget, RatioBudget)`, by reference", || retry(&(&pair.0, &pair.1))),
        ],
    );
}

fn throttle() {
    let start = Instant::now();
    let timed = AdaptiveThrottle::default();
    let still = AdaptiveThrottle::builder().clock(move || start).build().unwrap();
    // Nearly everything is rejected.
    let shut = AdaptiveThrottle::builder().clock(move || start).build().unwrap();
    (0..100_000).for_each(|_| drop(shut.try_acquire(Priority::Normal)));
    compare(
        "`AdaptiveThrottle`: a request that is accepted, or rejected",
        vec![
            Candidate::new("accepted, with the clock", || {
                timed.try_acquire(Priority::Normal).map(|admission| admission.record(Outcome::Success)).is_ok()
            }),
            Candidate::new("accepted, without the clock", || {
                still.try_acquire(Priority::Normal).map(|admission| admission.record(Outcome::Success)).is_ok()
            }),
            Candidate::new("rejected, without the clock", || shut.try_acquire(Priority::Normal).is_err()),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}
