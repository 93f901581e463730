//! What a retry costs when nothing is wrong: no allocation, no timer, no clock, and little room.
#![cfg(all(not(loom), feature = "retry"))]
#![allow(clippy::disallowed_methods)] // The clock that is counted is the system's.

mod support;

use std::{
    cell::Cell,
    future::{Future, pending, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use allocation_counter::measure;
use evenkeel_backoff::{
    AnySchedule, Constant, Decorrelated, Exponential, Fibonacci, Jitter, Linear, Ratio, Retry, TokenBudget, Verdict,
};
use support::spies::Late;

const SCHEDULE: Exponential = Exponential::new(Duration::from_millis(50)).cap(Duration::from_secs(5));

/// Counts what is asked of it.
#[derive(Default)]
struct Asked {
    timers: Cell<u32>,
    clock: Cell<u32>,
}

impl Asked {
    fn sleep(&self, _: Duration) {
        self.timers.set(self.timers.get() + 1);
    }

    fn sleep_for_ever(&self, delay: Duration) -> std::future::Pending<()> {
        self.sleep(delay);
        pending()
    }

    fn now(&self) -> Instant {
        self.clock.set(self.clock.get() + 1);
        Instant::now()
    }

    fn counts(&self) -> [u32; 2] {
        [self.timers.get(), self.clock.get()]
    }
}

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn allocations(f: impl FnOnce()) -> u64 {
    measure(f).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn a_success_at_once_costs_a_future_nothing() {
    let asked = Asked::default();
    let retry = Retry::new(SCHEDULE, |delay| asked.sleep_for_ever(delay)).clock(|| asked.now());
    let budgeted = retry.budget(TokenBudget::default());
    let limited = Retry::new(SCHEDULE, |delay| asked.sleep_for_ever(delay))
        .clock(|| asked.now())
        .attempt_timeout(Duration::from_secs(1), || "too late");
    let allocated = allocations(|| {
        assert_eq!(poll(budgeted.run(|_| ready(Ok::<_, &str>(1)))), Poll::Ready(Ok(1)));
        assert_eq!(poll(limited.run(|_| ready(Ok(2)))), Poll::Ready(Ok(2)), "the limit of an attempt is unneeded");
    });
    assert_eq!(allocated, 0);
    assert_eq!(asked.counts(), [0, 0]);
}

#[test]
fn a_success_at_once_costs_a_thread_nothing() {
    let asked = Asked::default();
    let retry = Retry::new(SCHEDULE, |delay| asked.sleep(delay)).clock(|| asked.now()).budget(TokenBudget::default());
    assert_eq!(allocations(|| assert_eq!(retry.run_blocking(|_| Ok::<_, &str>(1)), Ok(1))), 0);
    assert_eq!(asked.counts(), [0, 0]);
}

#[test]
fn a_deadline_reads_the_clock_once_and_a_limit_arms_its_timer_only_for_an_attempt_that_waits() {
    let asked = Asked::default();
    let retry = Retry::new(SCHEDULE, |delay| asked.sleep_for_ever(delay))
        .clock(|| asked.now())
        .attempt_timeout(Duration::from_secs(1), || "too late")
        .deadline(Duration::from_secs(3));
    assert_eq!(poll(retry.run(|_| ready(Ok(1)))), Poll::Ready(Ok(1)));
    assert_eq!(asked.counts(), [0, 1], "when it begins");
    assert_eq!(poll(retry.run(|_| pending::<Result<(), _>>())), Poll::Pending);
    assert_eq!(asked.counts(), [1, 3], "when it begins, and what is left for the attempt");
}

#[test]
fn nothing_is_allocated_for_failures_either() {
    let retry = Retry::new([Duration::from_nanos(1); 3], ready).budget(TokenBudget::default());
    let allocated = allocations(|| {
        assert_eq!(poll(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Poll::Ready(Err(3)));
    });
    assert_eq!(allocated, 0);
}

#[test]
fn an_account_is_opened_with_the_first_failure_where_the_budget_allows_it() {
    let late = Late::default();
    let retry = Retry::new([Duration::from_nanos(1)], ready).budget(late.clone());
    assert_eq!(poll(retry.run(|_| ready(Ok::<_, ()>(())))), Poll::Ready(Ok(())));
    assert_eq!(late.0.take(), (0, 1), "a success at once");
    assert_eq!(poll(retry.run(|attempt| ready(if attempt == 0 { Err(()) } else { Ok(()) }))), Poll::Ready(Ok(())));
    assert_eq!(late.0.take(), (1, 0), "a success at the second attempt is the account's");
    assert_eq!(poll(retry.run(|_| pending::<Result<(), ()>>())), Poll::Pending);
    assert_eq!(late.0.take(), (0, 0), "dropped without an answer");

    let refused = retry.when(|_: &Result<(), ()>| Verdict::permanent());
    assert_eq!(poll(refused.run(|_| ready(Err(())))), Poll::Ready(Err(())));
    assert_eq!(late.0.take(), (1, 0), "a failure is told to an account, also where nothing follows");

    let blocking = Retry::new(SCHEDULE, |_| ()).budget(late.clone());
    assert_eq!(blocking.run_blocking(|_| Ok::<_, ()>(())), Ok(()));
    assert_eq!(late.0.take(), (0, 1));
}

#[test]
fn a_schedule_is_begun_with_the_first_failure() {
    let retry = Retry::new(vec![Duration::from_nanos(1); 3], ready);
    assert_eq!(allocations(|| assert!(poll(retry.run(|_| ready(Ok::<_, ()>(())))).is_ready())), 0);
    assert_eq!(allocations(|| assert!(poll(retry.run(|_| ready(Err::<(), _>(())))).is_ready())), 1, "one copy");
}

#[test]
fn ten_delays_allocate_nothing() {
    const FIRST: Duration = Duration::from_millis(10);
    let any: [AnySchedule; 5] = [
        Constant::new(FIRST).jitter(Jitter::Equal).into(),
        Linear::new(FIRST, FIRST).jitter(Jitter::Around(Ratio::HALF)).into(),
        SCHEDULE.within(Duration::from_secs(60)).into(),
        Fibonacci::new(FIRST).jitter(Jitter::None).into(),
        Decorrelated::new(FIRST).cap(FIRST * 100).into(),
    ];
    let allocated = allocations(|| {
        assert_eq!(SCHEDULE.take(10).into_iter().count(), 10);
        assert!(any.iter().all(|schedule| schedule.into_iter().take(10).count() == 10));
    });
    assert_eq!(allocated, 0);
}

#[test]
fn the_future_of_a_retry_takes_192_bytes_at_most() {
    let attempt = |_| ready(Ok::<u8, u8>(1));
    let unlimited = Retry::new(SCHEDULE, tokio::time::sleep);
    let taken = Retry::new(SCHEDULE.take(3), tokio::time::sleep);
    let limited = unlimited.deadline(Duration::from_secs(1)).attempt_timeout(Duration::from_secs(1), || 1_u8);
    let budgeted = unlimited.budget(TokenBudget::default());

    let sizes = [size_of_val(&unlimited.run(attempt)), size_of_val(&taken.run(attempt))];
    println!("a retry: {} bytes, {} with `take`", sizes[0], sizes[1]);
    println!("with an attempt timeout: {}", size_of_val(&limited.run(attempt)));
    println!("with a token budget: {}", size_of_val(&budgeted.run(attempt)));
    println!("of which the sleep: {}", size_of::<tokio::time::Sleep>());
    // 192 where tokio's sleep takes 96, as `tower::retry` then has, and backon 240; tokio's own features make it larger.
    let beside_the_sleep = 192 - 96;
    assert!(sizes.into_iter().all(|size| size <= beside_the_sleep + size_of::<tokio::time::Sleep>()));
}

#[cfg(feature = "tower")]
#[test]
fn a_success_at_once_costs_a_layer_nothing() {
    use evenkeel_backoff::RetryLayer;
    use tower::{Layer, Service, service_fn};

    let asked = Asked::default();
    let layer = Retry::new(SCHEDULE, |delay| asked.sleep_for_ever(delay)).clock(|| asked.now()).layer();
    let mut service = layer.layer(service_fn(|request: u32| ready(Ok::<_, &str>(request + 1))));
    let allocated = allocations(|| {
        assert_eq!(service.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())));
        assert_eq!(poll(service.call(1)), Poll::Ready(Ok(2)));
    });
    assert_eq!(allocated, 0);
    assert_eq!(asked.counts(), [0, 0]);

    let late = Late::default();
    let policy = Retry::new(vec![Duration::ZERO; 3], |delay| asked.sleep_for_ever(delay)).budget(late.clone());
    let mut service = RetryLayer::of(&policy).layer(service_fn(|request: u32| ready(Ok::<_, &str>(request + 1))));
    let allocated = allocations(|| assert_eq!(poll(service.call(1)), Poll::Ready(Ok(2))));
    assert_eq!(late.0.take(), (0, 1));
    assert_eq!(allocated, 1, "a schedule that allocates is asked how long it is, for the request's copy");

    let future = RetryLayer::new(SCHEDULE, tokio::time::sleep)
        .layer(service_fn(|request: u32| ready(Ok::<_, &str>(request))))
        .call(1);
    println!("a layer's future: {}", size_of_val(&future));
}
