//! Two threads on one budget, beside one.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use evenkeel_budget::{AdaptiveThrottle, Budget, InFlightBudget, Outcome, Priority, RatioBudget, TokenBudget};
use tower::retry::budget::Budget as _;

use super::{AREA, retry, retry_with_tower, succeed, tower, with_room};
use crate::measure::{Bench, Shared};

pub(super) fn run(bench: &mut Bench) {
    every_request_retries(bench);
    successes(bench);
    one_of_ten_retries(bench);
}

/// One to all threads. What is granted or refused by chance of their order is not asserted: the cases of one thread do.
fn shared<'a>(name: &'static str, op: impl Fn(u64) -> bool + Copy + Sync + 'a) -> Shared<'a> {
    Shared::new(name, move || op)
}

/// Nothing to ask.
fn succeeded<B: Budget>(budget: &B) -> bool {
    succeed(budget);
    true
}

fn every_request_retries(bench: &mut Bench) {
    let of_ratio = || RatioBudget::builder().ratio(1.0).build().expect("valid");
    let (towers, tokens, in_flight, ratio) = (tower(), with_room(), InFlightBudget::default(), of_ratio());
    let (two, locked) = (AtomicU64::new(0), Mutex::new(0_u64));
    let candidates = [
        shared("`TokenBudget`: a request that succeeds, one that retries", |_| {
            succeed(&&tokens);
            retry(&&tokens)
        })
        .keeps(with_room),
        shared("`RatioBudget`, with the clock: a request that retries", |_| retry(&&ratio)).keeps(of_ratio),
        shared("`RatioBudget`: `deposit` and `try_withdraw`, the clock read twice", |_| {
            ratio.deposit();
            ratio.try_withdraw().is_ok()
        })
        .keeps(of_ratio),
        shared("`InFlightBudget`: a request that retries", |_| retry(&&in_flight)).keeps(InFlightBudget::default),
        shared("tower `TpsBudget`", |_| retry_with_tower(&towers)).keeps(tower),
        shared("by hand: two atomic read-modify-writes", |_| {
            two.fetch_add(1, Ordering::Relaxed) <= two.fetch_sub(1, Ordering::Relaxed)
        })
        .keeps(AtomicU64::default),
        shared("by hand: a counter behind a lock, twice", |_| {
            *locked.lock().expect("nobody panics with it") += 1;
            *locked.lock().expect("nobody panics with it") -= 1;
            true
        })
        .keeps(Mutex::<u64>::default),
        Shared::new("each thread its own two atomics: what the machine has", || {
            let own = Box::new(AtomicU64::new(0));
            move |_| own.fetch_add(1, Ordering::Relaxed) <= own.fetch_sub(1, Ordering::Relaxed)
        }),
    ];
    bench.share(AREA, "two threads, a deposit and a withdrawal", &candidates);
}

fn successes(bench: &mut Bench) {
    let (full, throttle, towers) = (TokenBudget::default(), AdaptiveThrottle::default(), tower());
    let (ratio, in_flight) = (RatioBudget::default(), InFlightBudget::default());
    let candidates = [
        shared("`TokenBudget`, into a full bucket", |_| succeeded(&&full)).keeps(TokenBudget::default),
        shared("`RatioBudget`, with the clock", |_| succeeded(&&ratio)).keeps(RatioBudget::<fn() -> Instant>::default),
        shared("`InFlightBudget`", |_| succeeded(&&in_flight)).keeps(InFlightBudget::default),
        shared("`AdaptiveThrottle`, with the clock: a request that is accepted", |_| {
            let admission = throttle.try_acquire(Priority::Normal);
            admission.map(|admission| admission.record(Outcome::Success)).is_ok()
        })
        .keeps(AdaptiveThrottle::<fn() -> Instant>::default),
        shared("tower `TpsBudget`, a deposit", |_| {
            towers.deposit();
            true
        })
        .keeps(tower),
        Shared::new("each thread its own atomic: what the machine has", || {
            let own = Box::new(AtomicU64::new(0));
            move |_| own.fetch_add(1, Ordering::Relaxed)
        }),
    ];
    bench.share(AREA, "two threads, a success", &candidates);
}

/// Nine requests of ten succeed at once, one retries.
fn one_of_ten_retries(bench: &mut Bench) {
    let of_ratio = || RatioBudget::builder().ratio(0.2).build().expect("valid");
    let (towers, tokens, in_flight, ratio) = (tower(), TokenBudget::default(), InFlightBudget::default(), of_ratio());
    let retries = |n: u64| n % 10 == 0;
    let candidates = [
        shared("`TokenBudget`", |n| if retries(n) { retry(&&tokens) } else { succeeded(&&tokens) })
            .keeps(TokenBudget::default),
        shared("`RatioBudget`, with the clock", |n| if retries(n) { retry(&&ratio) } else { succeeded(&&ratio) })
            .keeps(of_ratio),
        shared("`InFlightBudget`", |n| if retries(n) { retry(&&in_flight) } else { succeeded(&&in_flight) })
            .keeps(InFlightBudget::default),
        shared("tower `TpsBudget`, with the clock", |n| {
            towers.deposit();
            !retries(n) || towers.withdraw()
        })
        .keeps(tower),
    ];
    bench.share(AREA, "two threads, one request of ten retries", &candidates);
}
