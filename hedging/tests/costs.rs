//! What a hedge costs when nothing is late: no allocation, no timer, no clock, and little room.
#![cfg(not(loom))]
#![allow(clippy::disallowed_methods)] // The clock that is counted is the system's.

use std::{
    cell::Cell,
    future::{Future, Pending, pending, poll_fn, ready},
    num::NonZeroU32,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use allocation_counter::measure;
use evenkeel_hedging::{Hedge, InFlightBudget, OnFailure, Quantile, RatioBudget, TokenBudget};

const DELAY: Duration = Duration::from_millis(30);

/// Counts what is asked of it.
#[derive(Default)]
struct Asked {
    timers: Cell<u32>,
    clock: Cell<u32>,
}

impl Asked {
    fn sleep(&self, _: Duration) -> Pending<()> {
        self.timers.set(self.timers.get() + 1);
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

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn allocations(f: impl FnOnce()) -> u64 {
    measure(f).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn an_answer_at_once_costs_nothing() {
    let asked = Asked::default();
    let fixed = Hedge::after(DELAY, |delay| asked.sleep(delay));
    let tokens = fixed.budget(TokenBudget::default());
    let places = fixed.budget(InFlightBudget::default());
    let several = Hedge::new([DELAY; 3], |delay| asked.sleep(delay));
    let failover = Hedge::on_failure(|delay| asked.sleep(delay));
    let allocated = allocations(|| {
        assert_eq!(poll(pin!(fixed.run(|_| ready(Ok::<_, &str>(1))))), Poll::Ready(Ok(1)));
        assert_eq!(poll(pin!(tokens.run(|_| ready(Ok::<_, &str>(2))))), Poll::Ready(Ok(2)));
        assert_eq!(poll(pin!(places.run(|_| ready(Ok::<_, &str>(3))))), Poll::Ready(Ok(3)));
        assert_eq!(poll(pin!(several.run(|_| ready(Ok::<_, &str>(4))))), Poll::Ready(Ok(4)));
        assert_eq!(poll(pin!(failover.run(|_| ready(Ok::<_, &str>(5))))), Poll::Ready(Ok(5)));
    });
    assert_eq!(allocated, 0);
    assert_eq!(asked.counts(), [0, 0], "neither a timer nor a clock");
}

#[test]
fn with_an_estimate_the_clock_is_read_when_the_first_is_found_pending_and_when_it_has_ended() {
    let asked = Asked::default();
    let quantile = Quantile::builder(0.95).clock(|| asked.now()).build().unwrap();
    let hedge = Hedge::new(quantile, |delay| asked.sleep(delay));
    let before = asked.counts();
    let since = || [asked.counts()[0] - before[0], asked.counts()[1] - before[1]];
    let allocated = allocations(|| {
        assert_eq!(poll(pin!(hedge.run(|_| ready(Ok::<_, &str>(1))))), Poll::Ready(Ok(1)));
    });
    assert_eq!((allocated, since()), (0, [0, 0]), "what answers at once was not waited for");
    let done = Cell::new(false);
    let allocated = allocations(|| {
        let answer = || poll_fn(|_| if done.get() { Poll::Ready(Ok::<_, ()>(1)) } else { Poll::Pending });
        let mut run = pin!(hedge.run(|_| answer()));
        assert_eq!(poll(run.as_mut()), Poll::Pending);
        done.set(true);
        assert_eq!(poll(run.as_mut()), Poll::Ready(Ok(1)));
    });
    assert_eq!((allocated, since()), (0, [0, 2]), "and it is cold, so there is no timer");
}

#[test]
fn a_first_attempt_that_is_waited_for_and_wins_costs_one_timer() {
    let asked = Asked::default();
    let hedge = Hedge::new([DELAY; 3], |delay| asked.sleep(delay)).budget(TokenBudget::default());
    let done = Cell::new(false);
    let allocated = allocations(|| {
        let answer = || poll_fn(|_| if done.get() { Poll::Ready(Ok::<_, ()>(1)) } else { Poll::Pending });
        let mut run = pin!(hedge.run(|_| answer()));
        for _ in 0..3 {
            assert!(poll(run.as_mut()).is_pending());
        }
        done.set(true);
        assert_eq!(poll(run.as_mut()), Poll::Ready(Ok(1)));
    });
    assert_eq!((allocated, asked.counts()), (0, [1, 0]));
}

#[test]
fn where_none_can_follow_no_timer_is_armed() {
    let asked = Asked::default();
    let alone = Hedge::after(DELAY, |delay| asked.sleep(delay)).max_attempts(NonZeroU32::MIN);
    let failover = Hedge::new(OnFailure, |delay| asked.sleep(delay));
    let allocated = allocations(|| {
        assert!(poll(pin!(alone.run(|_| pending::<Result<(), ()>>()))).is_pending());
        assert!(poll(pin!(failover.run(|_| pending::<Result<(), ()>>()))).is_pending());
    });
    assert_eq!((allocated, asked.counts()), (0, [0, 0]));
}

#[test]
fn a_further_attempt_costs_its_place_and_the_list_of_them() {
    let hedge = Hedge::new([Duration::ZERO; 3], |_| pending::<()>());
    let sent = |attempts: u32| {
        let hedge = hedge.max_attempts(NonZeroU32::new(attempts).unwrap());
        allocations(|| assert!(poll(pin!(hedge.run(|_| pending::<Result<(), ()>>()))).is_pending()))
    };
    assert_eq!([sent(1), sent(2), sent(3), sent(4)], [0, 2, 3, 4]);
}

#[test]
fn attempts_one_after_the_other_cost_nothing() {
    let hedge = Hedge::new([DELAY; 3], |_| pending::<()>()).budget(TokenBudget::default());
    let allocated = allocations(|| {
        let mut run = pin!(hedge.run(|attempt| ready(if attempt < 3 { Err(()) } else { Ok(attempt) })));
        assert_eq!(poll(run.as_mut()), Poll::Ready(Ok(3)));
    });
    assert_eq!(allocated, 0, "each takes the place of the one before");
}

/// How many bytes a hedge adds to its attempt's future, its sleep and its result.
fn added<P, const ATTEMPT: usize, const RESULT: usize>(hedge: &P, sleep: usize) -> usize
where
    P: evenkeel_hedging::PolicyFor<[u8; RESULT], ()>,
{
    async fn attempt<const ATTEMPT: usize, const RESULT: usize>(held: [u8; ATTEMPT]) -> Result<[u8; RESULT], ()> {
        pending::<()>().await;
        std::hint::black_box(held);
        Ok([0; RESULT])
    }
    let one = attempt::<ATTEMPT, RESULT>([0; ATTEMPT]);
    let run = hedge.run(|_| attempt::<ATTEMPT, RESULT>([0; ATTEMPT]));
    size_of_val(&run) - size_of_val(&one) - RESULT - sleep
}

#[test]
fn the_future_has_room_for_one_attempt_one_sleep_and_one_result_and_little_more() {
    let fixed = Hedge::after(DELAY, tokio::time::sleep);
    let sleep = size_of::<tokio::time::Sleep>();
    let sizes = [
        added::<_, 8, 8>(&fixed, sleep),
        added::<_, 1_000, 8>(&fixed, sleep),
        added::<_, 8, 1_000>(&fixed, sleep),
        added::<_, 8, 8>(&Hedge::new(Quantile::p95(), tokio::time::sleep), sleep),
        added::<_, 8, 8>(&fixed.budget(TokenBudget::default()), sleep),
        added::<_, 8, 8>(&fixed.budget(RatioBudget::builder().build().unwrap()), sleep),
    ];
    println!("beside the attempt, the sleep and the result: {sizes:?} bytes");
    assert!(sizes.into_iter().all(|size| size <= 256), "{sizes:?}");
}
