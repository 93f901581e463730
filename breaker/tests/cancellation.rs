//! Stories of calls and of those who wait, dropped or ended by a panic: what is free again, and what it counts for.
#![cfg(not(loom))]

mod waiting_support;

use std::{
    cell::Cell,
    future::{Future, pending, poll_fn, ready},
    pin::pin,
    task::Poll,
};

use evenkeel_breaker::{Abandoned, Breaker, Call, ErrIsFailure, Outcome, State, Verdict};
use waiting_support::{Task, World, due, fail, panics, poll, secs};

/// Whether it is, after so many polls and before it is dropped.
fn is_done_after(polls: u32, call: impl Future) -> bool {
    let mut call = pin!(call);
    (0..polls).any(|_| poll(call.as_mut()).is_ready())
}

// Hazard 56.
#[test]
fn a_call_that_is_dropped_at_any_await_leaves_it_as_if_it_had_been_abandoned() {
    let world = World::new();
    for (abandoned, state) in [(Abandoned::Ignored, State::Closed), (Abandoned::Failure, State::Open)] {
        let breaker = world.builder().abandoned(abandoned).build().unwrap();
        // Before the first poll nothing was asked.
        drop(breaker.call(pending::<Result<(), ()>>()));
        drop(Call::of(&breaker, ErrIsFailure, pending::<Result<(), ()>>()));
        assert_eq!(breaker.state(), State::Closed);
        for awaits in 1..4 {
            breaker.reset();
            let answer = || {
                let mut left = 3;
                poll_fn(move |_| -> Poll<Result<(), ()>> {
                    left -= 1;
                    if left == 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
                })
            };
            let done = is_done_after(awaits, breaker.call(answer()));
            assert_eq!(breaker.state(), if done { State::Closed } else { state }, "after {awaits} polls");

            breaker.reset();
            let done = is_done_after(awaits, Call::of(&breaker, ErrIsFailure, answer()));
            assert_eq!(breaker.state(), if done { State::Closed } else { state }, "lent, after {awaits} polls");
        }
    }
}

// Hazard 30.
#[test]
fn a_probe_that_is_dropped_frees_its_slot_at_once() {
    let world = World::new();
    let breaker = world.breaker();
    for polls in [0, 1, 2] {
        due(&world, &breaker);
        let mut probe = Box::pin(breaker.call(pending::<Result<(), ()>>()));
        (0..polls).for_each(|_| assert!(poll(probe.as_mut()).is_pending()));
        drop(probe);
        assert_eq!(breaker.snapshot().probes_out, 0);
        assert!(poll(pin!(breaker.call(ready(Ok::<_, ()>(()))))).is_ready());
        assert_eq!(breaker.state(), State::Closed);
    }
}

// Hazard 30.
#[tokio::test(start_paused = true)]
async fn a_probe_that_is_timed_out_does_not_wedge_it() {
    for abandoned in [Abandoned::Ignored, Abandoned::Failure] {
        let breaker = Breaker::builder()
            .consecutive_failures(1)
            .open_for([secs(10)])
            .abandoned(abandoned)
            .clock(|| tokio::time::Instant::now().into_std())
            .build()
            .unwrap();
        fail(&breaker);
        tokio::time::sleep(secs(10)).await;
        let hangs = breaker.call(pending::<Result<(), ()>>());
        assert!(tokio::time::timeout(secs(1), hangs).await.is_err());
        tokio::time::sleep(secs(10)).await;
        assert_eq!(breaker.call(ready(Ok::<_, ()>(1))).await, Ok(1));
        assert_eq!(breaker.state(), State::Closed);
    }
}

// Hazards 30 and 31.
#[test]
fn a_probe_that_is_forgotten_does_not_wedge_it() {
    let world = World::new();
    let breaker = world.builder().probe_timeout(secs(5)).build().unwrap();
    due(&world, &breaker);
    let mut probe = pin!(breaker.call(pending::<Result<(), ()>>()));
    assert!(poll(probe.as_mut()).is_pending());
    world.advance(secs(5));
    assert_eq!(breaker.state(), State::Open);
    world.advance(secs(10));
    assert!(poll(pin!(breaker.call(ready(Ok::<_, ()>(()))))).is_ready());
    assert_eq!(breaker.state(), State::Closed);
}

// Hazards 30 and 35.
#[test]
fn a_call_that_panics_is_a_failure_and_leaks_no_permit() {
    let world = World::new();
    let breaker = world.builder().half_open_calls(2).build().unwrap();
    let mut call = pin!(breaker.call(async { if true { panic!("the call's own bug") } else { Ok::<(), ()>(()) } }));
    panics(|| poll(call.as_mut()));
    assert_eq!(breaker.state(), State::Open, "it has failed, though abandoned calls are ignored");

    world.advance(secs(10));
    let mut probe = Box::pin(breaker.call(async { if true { panic!("again") } else { Ok::<(), ()>(()) } }));
    panics(|| poll(probe.as_mut()));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.probes_out, snapshot.probe_failures), (State::HalfOpen, 0, 1));
    assert!(poll(pin!(breaker.call(ready(Ok::<_, ()>(()))))).is_ready());
    assert_eq!(breaker.state(), State::Closed);
}

// Hazard 58.
#[test]
fn a_classifier_that_panics_is_a_failure_and_leaks_no_permit() {
    let world = World::new();
    let breaker = world.builder().half_open_calls(2).build().unwrap();
    let judge = |result: &Result<bool, ()>| -> Verdict {
        assert!(*result == Ok(true), "the classifier's own bug");
        Verdict::success()
    };
    panics(|| poll(pin!(breaker.call_with(judge, ready(Ok(false))))));
    assert_eq!(breaker.state(), State::Open);
    world.advance(secs(10));
    panics(|| poll(pin!(breaker.call_with(judge, ready(Ok(false))))));
    assert_eq!(breaker.snapshot().probes_out, 0);
    assert!(poll(pin!(breaker.call_with(judge, ready(Ok(true))))).is_ready());
    assert_eq!(breaker.state(), State::Closed);
}

// Hazard 56.
#[test]
fn one_who_waits_and_is_dropped_takes_nothing_along() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let mut waiting: Vec<_> = (0..4).map(|_| (Task::new(), Box::pin(breaker.acquire(world.sleeper())))).collect();
    for (task, acquire) in &mut waiting[1..] {
        assert!(task.poll(acquire.as_mut()).is_pending());
    }
    // Never polled; asleep; and woken, but not polled any more.
    drop(waiting.remove(0));
    drop(waiting.remove(0));
    world.advance(secs(10));
    assert!(waiting.iter().all(|(task, _)| task.woken() == 1));
    drop(waiting.remove(0));
    let (task, mut last) = waiting.remove(0);
    assert!(task.poll(last.as_mut()).is_ready());
    assert_eq!(breaker.snapshot().probes_out, 0, "the permit was dropped");
    drop(last);
    assert!(breaker.try_acquire().is_ok());
}

// Hazard 58.
#[test]
fn a_sleeper_that_panics_does_so_to_its_own_caller_alone() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let broken = Cell::new(true);
    let sleeper = world.sleeper();
    let sleep = |delay| {
        assert!(!broken.get(), "the sleeper's own bug");
        sleeper(delay)
    };
    let (task, other) = (Task::new(), Task::new());
    let (mut acquire, mut beside) = (Box::pin(breaker.acquire(sleep)), pin!(breaker.acquire(world.sleeper())));
    assert!(other.poll(beside.as_mut()).is_pending());
    panics(|| task.poll(acquire.as_mut()));
    broken.set(false);
    assert!(task.poll(acquire.as_mut()).is_pending());
    drop(acquire);
    breaker.reset();
    assert_eq!((task.woken(), other.woken()), (0, 1));
    assert!(other.poll(beside).is_ready());
}

// Hazard 58.
#[test]
fn a_clock_that_panics_leaves_nobody_among_those_who_wait() {
    let world = World::new();
    let broken = Cell::new(false);
    let clock = world.clock();
    let builder = Breaker::builder().consecutive_failures(1).clock(|| {
        assert!(!broken.get(), "the clock's own bug");
        clock()
    });
    let breaker = builder.build().unwrap();
    breaker.force_open();
    let (task, mut acquire) = (Task::new(), Box::pin(breaker.acquire(world.sleeper())));
    assert!(task.poll(acquire.as_mut()).is_pending());
    breaker.reset();
    // Not forced: for that no clock is read.
    fail(&breaker);
    broken.set(true);
    panics(|| task.poll(acquire.as_mut()));
    drop(acquire);
    broken.set(false);
    task.woken();
    breaker.reset();
    assert_eq!((task.woken(), task.wakers()), (0, 0));
}

#[test]
fn a_permit_dropped_while_others_unwind_counts_as_a_failure_once() {
    let breaker = Breaker::builder().consecutive_failures(2).build().unwrap();
    panics(|| {
        let _permit = breaker.try_acquire();
        panic!("the caller's own bug");
    });
    assert_eq!((breaker.state(), breaker.snapshot().consecutive_failures), (State::Closed, 1));
    breaker.try_acquire().unwrap().record(Outcome::Failure);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_future_that_is_done_is_dropped_before_its_result_is_judged() {
    struct Flag<'a>(&'a Cell<bool>);
    impl Drop for Flag<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let dropped = Cell::new(false);
    let flag = Flag(&dropped);
    let future = async move {
        let _flag = flag;
        Ok::<_, ()>(())
    };
    let judge = |_: &Result<(), ()>| {
        assert!(dropped.get(), "still held");
        Verdict::success()
    };
    fn answers<F: Future<Output = Result<(), evenkeel_breaker::Error<()>>>>(future: F) -> bool {
        poll(pin!(future)).is_ready()
    }
    assert!(answers(Breaker::new().call_with(judge, future)));
}
