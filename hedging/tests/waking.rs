//! What wakes a hedge, whom it polls then, and which timers it arms.
#![cfg(not(loom))]

mod support;

use std::{
    cell::{Cell, RefCell},
    future::{pending, poll_fn, ready},
    num::NonZeroU32,
    pin::pin,
    task::Poll,
};

use evenkeel_hedging::{AtOnce, Hedge};
use support::{Woken, World, ms};

// 51
#[test]
fn no_timer_is_armed_and_no_clock_read_for_an_answer_that_comes_at_once() {
    let world = World::new();
    let hedge = Hedge::after(ms(10), world.sleeper());
    assert_eq!(Woken::new().poll(pin!(hedge.run(|_| ready(Ok::<_, ()>(1))))), Poll::Ready(Ok(1)));
    // Nor where another cannot follow.
    let alone = Hedge::after(ms(10), world.sleeper()).max_attempts(NonZeroU32::MIN);
    assert!(Woken::new().poll(pin!(alone.run(|_| pending::<Result<(), ()>>()))).is_pending());
    // Nor where none follows by time.
    let failover = Hedge::on_failure(world.sleeper());
    assert!(Woken::new().poll(pin!(failover.run(|_| pending::<Result<(), ()>>()))).is_pending());
    assert_eq!((world.slept(), world.clock_reads()), (vec![], 0));
}

// 57
#[test]
fn a_wake_polls_each_attempt_once_and_nothing_wakes_itself() {
    let world = World::new();
    let hedge = Hedge::new([ms(10), ms(10), ms(0)], world.sleeper());
    let polls = RefCell::new([0; 4]);
    let mut run = pin!(hedge.run(|attempt| {
        let polls = &polls;
        poll_fn(move |_| {
            polls.borrow_mut()[attempt as usize] += 1;
            Poll::<Result<(), ()>>::Pending
        })
    }));
    let woken = Woken::new();
    let mut poll = || {
        woken.take();
        assert!(woken.poll(run.as_mut()).is_pending());
        assert_eq!(woken.take(), 0, "it wakes itself");
        polls.take()
    };
    assert_eq!(poll(), [1, 0, 0, 0]);
    assert_eq!(poll(), [1, 0, 0, 0]);
    world.advance(ms(10));
    assert_eq!(poll(), [1, 1, 0, 0]);
    assert_eq!(poll(), [1, 1, 0, 0]);
    world.advance(ms(10));
    assert_eq!(poll(), [1, 1, 1, 1], "the last one follows without a delay");
    assert_eq!(poll(), [1, 1, 1, 1]);
    assert_eq!(world.slept(), [ms(10); 2]);
}

// 57
#[test]
fn a_wait_is_woken_by_its_timer_and_by_its_attempts_alone() {
    let world = World::new();
    let hedge = Hedge::after(ms(10), world.sleeper());
    let mut run = pin!(hedge.run(|attempt| world.answer(ms(if attempt == 0 { 30 } else { 15 }), Ok::<_, ()>(attempt))));
    let woken = Woken::new();
    for wait in [10, 15] {
        assert!(woken.poll(run.as_mut()).is_pending());
        assert_eq!(woken.take(), 0);
        world.advance(ms(wait - 1));
        assert_eq!(woken.take(), 0);
        world.advance(ms(1));
        assert_eq!(woken.take(), 1);
    }
    assert_eq!(woken.poll(run.as_mut()), Poll::Ready(Ok(1)));
}

#[test]
fn a_request_that_moves_to_another_task_is_woken_there() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 2], world.sleeper());
    let latency = |attempt| ms([50, 15, 500][attempt as usize]);
    let mut run = pin!(hedge.run(|attempt| world.answer(latency(attempt), Err::<(), _>(attempt))));
    // The timer, the timer of the next, the second attempt, the first one.
    for wait in [10, 10, 5, 25] {
        let (here, there) = (Woken::new(), Woken::new());
        assert!(here.poll(run.as_mut()).is_pending());
        assert!(there.poll(run.as_mut()).is_pending());
        world.advance(ms(wait));
        assert_eq!(there.take(), 1, "at {}", world.millis());
    }
}

// 18a
#[test]
fn a_delay_of_zero_arms_no_timer_and_does_not_spin() {
    let world = World::new();
    let hedge = Hedge::new(AtOnce, world.sleeper()).max_attempts(NonZeroU32::new(100).unwrap());
    let polls = Cell::new(0);
    let mut run = pin!(hedge.run(|_| {
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<Result<(), ()>>::Pending
        })
    }));
    let woken = Woken::new();
    assert!(woken.poll(run.as_mut()).is_pending());
    assert_eq!((polls.get(), woken.take(), world.slept()), (100, 0, vec![]));
    let failing = world.run(hedge.run(|attempt| ready(Err::<(), _>(attempt))));
    assert_eq!((failing, world.slept()), (Err(99), vec![]));
}

#[test]
fn attempts_that_fail_at_once_yield_to_others_now_and_then() {
    let world = World::new();
    let sent = Cell::new(0);
    let fail = |attempt| {
        sent.set(sent.get() + 1);
        ready(Err::<(), _>(attempt))
    };
    let endless = Hedge::on_failure(world.sleeper()).max_attempts(NonZeroU32::MAX);
    {
        let mut run = pin!(endless.run(fail));
        let woken = Woken::new();
        for _ in 0..3 {
            assert!(woken.poll(run.as_mut()).is_pending());
            assert!((100..600).contains(&sent.get()), "{} in one poll", sent.take());
            sent.set(0);
            assert_eq!(woken.take(), 1, "it wakes itself, for it waits for nothing");
        }
    }
    let hedge = Hedge::on_failure(world.sleeper()).max_attempts(NonZeroU32::new(5_000).unwrap());
    assert_eq!((world.run(hedge.run(fail)), sent.get()), (Err(4_999), 5_000), "none is lost, none is sent twice");
}
