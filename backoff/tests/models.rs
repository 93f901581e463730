//! For all interleavings: requests that share a budget send what it pays for, no more and no less; a log keeps the newest.
//!
//! Under `--cfg loom` every interleaving is tried, elsewhere a thousand of them are sampled.
#![cfg(feature = "retry")]

#[cfg(feature = "http")]
#[path = "models/attempt_log.rs"]
mod attempt_log;

use std::{
    future::{Future, pending, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use evenkeel_backoff::{Costs, Retry, TokenBudget};

#[cfg(loom)]
use loom::thread;
#[cfg(not(loom))]
use std::thread;

/// One retry, after a delay that no sleeper here waits for; not zero, for that would be a turn of the scheduler's.
const ONE_RETRY: [Duration; 1] = [Duration::from_nanos(1)];

#[test]
fn two_requests_with_tokens_for_one_retry_send_three_attempts() {
    model(|| {
        let budget = tokens_for_one_retry();
        let other = thread::spawn({
            let budget = budget.clone();
            move || attempts_of_a_thread(&budget, u32::MAX)
        });
        let attempts = attempts_of_a_thread(&budget, u32::MAX) + other.join().unwrap();
        assert_eq!(attempts, 3);
        assert_eq!(budget.balance(), 0);
    });
}

#[test]
fn a_retry_that_helps_pays_for_the_next_ones() {
    model(|| {
        let budget = tokens_for_one_retry();
        let other = thread::spawn({
            let budget = budget.clone();
            move || attempts_of_a_thread(&budget, 1)
        });
        let attempts = attempts_of_a_thread(&budget, 1) + other.join().unwrap();
        assert!((3..=4).contains(&attempts), "the second is refused while the first is out, and paid when it is back");
        assert_eq!(budget.balance(), budget.capacity());
    });
}

#[test]
fn a_retry_cancelled_in_its_sleep_pays_for_anothers() {
    model(|| {
        let budget = tokens_for_one_retry();
        let cancelled = thread::spawn({
            let budget = budget.clone();
            move || cancel_in_the_sleep(&budget)
        });
        let here = attempts_of_a_task(&budget);
        cancelled.join().unwrap();
        // The tokens were given back before the request here asked for them, or are there for the next one.
        assert_eq!(here + attempts_of_a_task(&budget), 3);
        assert_eq!(budget.balance(), 0);
    });
}

#[test]
fn a_future_dropped_on_another_thread_gives_its_tokens_back() {
    model(|| {
        let budget = tokens_for_one_retry();
        let retry = Arc::new(Retry::new(ONE_RETRY, |_| pending::<()>()).budget(budget.clone()));
        let mut sleeping = Box::pin({
            let retry = Arc::clone(&retry);
            async move { retry.run(|_| ready(Err::<(), _>("down"))).await }
        });
        assert!(poll(sleeping.as_mut()).is_pending());
        assert_eq!(budget.balance(), 0);

        let dropped = thread::spawn(move || drop(sleeping));
        let here = attempts_of_a_task(&budget);
        dropped.join().unwrap();
        assert_eq!(here + attempts_of_a_task(&budget), 3);
        assert_eq!(budget.balance(), 0);
    });
}

fn tokens_for_one_retry() -> TokenBudget {
    TokenBudget::new(Costs::REVISION_2026.transient, Costs::REVISION_2026)
}

/// How many attempts a request sends that fails until attempt number `fails`.
fn attempts_of_a_thread(budget: &TokenBudget, fails: u32) -> u32 {
    let mut attempts = 0;
    let retry = Retry::new(ONE_RETRY, |_| ()).budget(budget.clone());
    let _ = retry.run_blocking(|attempt| {
        attempts += 1;
        if attempt < fails { Err("down") } else { Ok(()) }
    });
    attempts
}

/// As above, in a future, and none succeeds.
fn attempts_of_a_task(budget: &TokenBudget) -> u32 {
    let mut attempts = 0;
    let retry = Retry::new(ONE_RETRY, |_| ready(())).budget(budget.clone());
    let answer = retry.run(|_| {
        attempts += 1;
        ready(Err::<(), _>("down"))
    });
    assert_eq!(poll(pin!(answer)), Poll::Ready(Err("down")));
    attempts
}

/// A request whose caller goes away while it sleeps, if it was granted a retry at all.
fn cancel_in_the_sleep(budget: &TokenBudget) {
    let retry = Retry::new(ONE_RETRY, |_| pending::<()>()).budget(budget.clone());
    let _ = poll(pin!(retry.run(|_| ready(Err::<(), _>("down")))));
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs `f` in every interleaving, and says how many there were.
fn model(f: impl Fn() + Send + Sync + 'static) {
    // Not loom's atomics: this count outlives each run.
    let explored = Arc::new(AtomicUsize::new(0));
    let counted = {
        let explored = Arc::clone(&explored);
        move || {
            explored.fetch_add(1, Ordering::Relaxed);
            f();
        }
    };
    #[cfg(loom)]
    loom::model(counted);
    #[cfg(not(loom))]
    (0..1_000).for_each(|_| counted());
    let theorem = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{theorem}: explored {} interleavings", explored.load(Ordering::Relaxed));
}
