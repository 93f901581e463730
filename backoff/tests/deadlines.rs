//! The stories of a retry that is limited in time: by a deadline, by an attempt timeout, by the server's own delays.
#![cfg(all(feature = "retry", not(loom)))]

mod support;

use std::{
    cell::Cell,
    future::{pending, ready},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use evenkeel_backoff::{Costs, Exponential, Jitter, Retry, Stop, TokenBudget, Verdict};
use support::{Flag, Woken, World, ms, spies::Stops};

const EXACT: Exponential = Exponential::new(ms(100)).jitter(Jitter::None);

#[test]
fn a_server_delay_is_a_floor_under_the_schedules_own() {
    let world = World::new();
    let hinted = |_: &Result<(), ()>| Verdict::throttled().not_before(ms(2_000));
    let retry = Retry::new(EXACT.take(2), world.sleeper()).when(hinted);
    world.run(retry.run(|_| ready(Err::<(), ()>(())))).unwrap_err();
    assert_eq!(world.slept(), [ms(2_100), ms(2_200)]);
}

#[test]
fn a_server_delay_of_centuries_and_the_schedules_own_saturate() {
    let world = World::new();
    let hinted = |_: &Result<(), ()>| Verdict::throttled().not_before(Duration::MAX);
    let retry = Retry::new(EXACT, world.sleeper()).when(hinted).max_server_delay(Duration::MAX);
    let mut run = pin!(retry.run(|_| ready(Err::<(), ()>(()))));
    assert!(Woken::new().poll(run.as_mut()).is_pending());
    assert_eq!(world.slept(), [Duration::MAX]);
}

#[test]
fn an_exact_server_delay_is_exact() {
    let world = World::new();
    let hinted = |_: &Result<(), ()>| Verdict::throttled().exactly(ms(2_000));
    let retry = Retry::new(EXACT.take(2), world.sleeper()).when(hinted);
    world.run(retry.run(|_| ready(Err::<(), ()>(())))).unwrap_err();
    assert_eq!(world.slept(), [ms(2_000), ms(2_000)]);
}

#[test]
fn a_server_delay_passes_neither_the_attempt_limit_nor_the_deadline() {
    let world = World::new();
    let hinted = |_: &Result<(), u32>| Verdict::throttled().not_before(ms(10));
    let limited = Retry::new([ms(1); 2], world.sleeper()).when(hinted);
    assert_eq!(world.run(limited.run(|attempt| ready(Err::<(), _>(attempt)))), Err(2));

    let before = world.slept().len();
    let retry = Retry::new([ms(1); 20], world.sleeper()).when(hinted).deadline(ms(33)).clock(world.clock());
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(2));
    assert_eq!(world.slept()[before..], [ms(11), ms(11)], "11 + 11 + 11 would end at the deadline");
}

#[test]
fn a_server_delay_that_is_too_long_answers_at_once() {
    let world = World::new();
    let stops = Stops::default();
    let hinted = |_: &Result<(), ()>| Verdict::throttled().not_before(ms(60_001));
    let retry = Retry::new([ms(1); 2], world.sleeper()).when(hinted).observe(&stops);
    world.run(retry.run(|_| ready(Err::<(), ()>(())))).unwrap_err();
    assert_eq!((world.slept(), stops.0.take()), (vec![], vec![(1, Stop::ServerDelay)]));
}

#[test]
fn a_server_that_says_never_is_not_asked_again() {
    let world = World::new();
    let stops = Stops::default();
    let retry = Retry::new([ms(1); 2], world.sleeper()).when(|_: &Result<(), ()>| Verdict::transient().never());
    world.run(retry.observe(&stops).run(|_| ready(Err::<(), ()>(())))).unwrap_err();
    assert_eq!((world.slept(), stops.0.take()), (vec![], vec![(1, Stop::Server)]));
}

#[test]
fn a_retry_that_would_come_after_the_deadline_is_neither_slept_for_nor_paid() {
    let world = World::new();
    let stops = Stops::default();
    let budget = TokenBudget::default();
    let retry = Retry::new([ms(10), ms(90), ms(1)], world.sleeper()).deadline(ms(100)).clock(world.clock());
    let retry = retry.budget(budget.clone()).observe(&stops);
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(1));
    assert_eq!(world.slept(), [ms(10)]);
    assert_eq!(stops.0.take(), [(2, Stop::Deadline)]);
    assert_eq!(budget.balance(), budget.capacity() - 14, "one retry was sent, and did not help");
}

#[test]
fn an_attempt_that_takes_too_long_is_dropped_and_the_next_is_paid_as_a_timeout() {
    let world = World::new();
    let budget = TokenBudget::new(500, Costs::EARLIER);
    let dropped = Rc::new(Cell::new(false));
    let retry = Retry::new([ms(5)], world.sleeper()).attempt_timeout(ms(30), || "late").budget(budget.clone());
    let answer = world.run(retry.run(|attempt| {
        let flag = Flag(dropped.clone());
        let budget = budget.clone();
        let dropped = dropped.clone();
        async move {
            if attempt == 0 {
                let _flag = flag;
                pending::<()>().await;
            }
            Ok::<_, &str>((attempt, dropped.get(), budget.balance()))
        }
    }));
    assert_eq!(answer, Ok((1, true, 490)));
    assert_eq!(world.slept(), [ms(30), ms(5)]);
}

#[test]
fn with_an_attempt_timeout_the_whole_request_ends_by_the_deadline() {
    let world = World::new();
    let retry = Retry::new([ms(10); 9], world.sleeper()).attempt_timeout(ms(30), || "late");
    let retry = retry.deadline(ms(100)).clock(world.clock());
    let answer = world.run(retry.run(|_| pending::<Result<(), &str>>()));
    assert_eq!(answer, Err("late"));
    // 30 + 10, 30 + 10, and what is left of the third attempt.
    assert_eq!(world.elapsed(), ms(100));
    assert_eq!(world.slept(), [ms(30), ms(10), ms(30), ms(10), ms(20)]);
}

#[test]
fn a_sleep_that_takes_longer_than_the_deadline_is_followed_by_no_attempt() {
    let world = World::new();
    let (budget, stops) = (TokenBudget::default(), Stops::default());
    let oversleep = |delay| world.sleep(if delay == ms(10) { ms(1_000) } else { delay });
    let retry = Retry::new([ms(10)], oversleep).deadline(ms(100)).clock(world.clock()).budget(budget.clone());
    let retry = retry.attempt_timeout(ms(50), || 77).observe(&stops);
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(77));
    assert_eq!((stops.0.take(), budget.balance()), (vec![(1, Stop::Deadline)], 500), "and it is given back");
}

#[test]
fn a_schedule_that_does_not_say_that_it_ends_is_held_to_three_attempts() {
    let world = World::new();
    let doubling = std::iter::successors(Some(ms(1)), |delay| Some(*delay * 2));
    let attempts = |retry: &Retry<_, _, _, _, _, _>| world.run(retry.run(|n| ready(Err::<(), _>(n)))).unwrap_err() + 1;
    let retry = Retry::new(doubling, world.sleeper()).clock(world.clock());
    assert_eq!(attempts(&retry), 3);
    assert_eq!(attempts(&retry.clone().deadline(Duration::MAX)), 3, "what no clock can show is no deadline");
    assert_eq!(attempts(&retry.deadline(ms(20))), 5, "1, 2, 4, 8, and 16 would pass it");
}

#[test]
fn an_attempt_that_is_ready_with_its_timer_wins() {
    let world = World::new();
    let retry = Retry::new([ms(10); 1], world.sleeper()).attempt_timeout(ms(30), || "late");
    let sleep = world.sleeper();
    let answer = world.run(retry.run(|_| {
        let sleep = sleep(ms(30));
        async move {
            sleep.await;
            Ok("in time")
        }
    }));
    assert_eq!(answer, Ok("in time"));
}

#[test]
fn a_clock_that_stands_still_or_runs_backwards_never_panics_and_ends_with_the_schedule() {
    let world = World::new();
    let reads = Cell::new(0_u32);
    let (clock, start) = (world.clock(), Duration::from_secs(1_000));
    let backwards = || {
        reads.set(reads.get() + 1);
        clock() + start - Duration::from_secs(u64::from(reads.get()))
    };
    let retry = Retry::new([ms(10); 4], world.sleeper()).deadline(ms(100)).clock(backwards);
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(4));
}

#[test]
fn a_deadline_beyond_what_a_clock_can_show_is_none() {
    let world = World::new();
    let retry = Retry::new([ms(10)], world.sleeper()).deadline(Duration::MAX).max_server_delay(Duration::MAX);
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(1));
}
