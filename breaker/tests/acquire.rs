//! Stories of those who wait for a permit.
#![cfg(not(loom))]

mod waiting_support;

use std::{
    cell::Cell,
    future::{Future, ready},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use evenkeel_breaker::{Breaker, BreakerObserver, Rejected, State};
use waiting_support::{Task, World, fail, secs};

#[test]
fn a_closed_breaker_lets_it_through_at_once() {
    let world = World::new();
    let breaker = world.breaker();
    let task = Task::new();
    let Poll::Ready(permit) = task.poll(pin!(breaker.acquire(world.sleeper()))) else { panic!("it waits") };
    assert!(!permit.is_probe());
    permit.success();
    assert_eq!((world.slept(), task.wakers()), (vec![], 0));
}

#[test]
fn it_waits_until_the_open_time_is_over_and_is_the_probe() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    world.advance(secs(3));
    let permit = world.run(breaker.acquire(world.sleeper()));
    assert!(permit.is_probe());
    assert_eq!((world.slept(), world.elapsed()), (vec![secs(7)], secs(10)));
    permit.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn forced_open_it_waits_for_a_change_alone() {
    let world = World::new();
    let breaker = world.breaker();
    breaker.force_open();
    let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(world.sleeper())));
    assert!(task.poll(acquire.as_mut()).is_pending());
    assert_eq!((world.slept(), task.woken()), (vec![], 0));
    breaker.reset();
    assert_eq!(task.woken(), 1);
    assert!(task.poll(acquire).is_ready());
}

#[test]
fn a_probe_that_ends_hands_its_slot_on() {
    let world = World::new();
    let breaker = world.builder().half_open_successes(2).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    let probe = breaker.try_acquire().unwrap();
    let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(world.sleeper())));
    assert!(task.poll(acquire.as_mut()).is_pending());
    drop(probe);
    assert_eq!(task.woken(), 1);
    let Poll::Ready(permit) = task.poll(acquire) else { panic!("the slot is free") };
    assert!(permit.is_probe());
}

#[test]
fn a_probe_that_never_ends_holds_them_no_longer_than_its_timeout() {
    let world = World::new();
    let breaker = world.builder().half_open_calls(2).probe_timeout(secs(4)).build().unwrap();
    fail(&breaker);
    world.advance(secs(10));
    let hangs = breaker.try_acquire().unwrap();
    let permit = world.run(breaker.acquire(world.sleeper()));
    assert!(permit.is_probe());
    assert_eq!(world.elapsed(), secs(14));
    permit.success();
    drop(hangs);
    assert_eq!(breaker.state(), State::Closed);
}

/// Polls those that were woken; those that are done are taken out.
fn poll_woken<F: Future>(waiting: &mut Vec<(Task, Pin<Box<F>>)>) -> Vec<F::Output> {
    let mut done = vec![];
    waiting.retain_mut(|(task, future)| match task.woken() {
        0 => true,
        _ => match task.poll(future.as_mut()) {
            Poll::Ready(output) => {
                done.push(output);
                false
            }
            Poll::Pending => true,
        },
    });
    done
}

#[test]
fn of_many_who_wait_for_one_slot_one_gets_it_and_the_others_wait_on() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let mut waiting: Vec<_> = (0..10).map(|_| (Task::new(), Box::pin(breaker.acquire(world.sleeper())))).collect();
    for (task, acquire) in &mut waiting {
        assert!(task.poll(acquire.as_mut()).is_pending());
    }
    // One after the other fails, and the others hear of it, and wait on.
    for round in 1..=3 {
        world.advance(secs(10));
        let mut permits = poll_woken(&mut waiting);
        assert_eq!((permits.len(), waiting.len()), (1, 10 - round));
        // They were told of half-open, and have seen that the slot is gone.
        assert!(poll_woken(&mut waiting).is_empty());
        permits.remove(0).failure();
        assert!(poll_woken(&mut waiting).is_empty());
    }
    world.advance(secs(10));
    poll_woken(&mut waiting).remove(0).success();
    assert_eq!(poll_woken(&mut waiting).len(), 6, "closed, all of them may");
}

#[test]
fn in_a_ramp_it_waits_for_its_share() {
    let world = World::new();
    let breaker = world.builder().ramp(secs(20)).build().unwrap();
    fail(&breaker);
    world.run(breaker.acquire(world.sleeper())).success();
    while let Ok(permit) = breaker.try_acquire() {
        permit.success();
    }
    let closed = world.elapsed();
    world.run(breaker.acquire(world.sleeper())).success();
    let waited = world.elapsed() - closed;
    assert!(Duration::ZERO < waited && waited < secs(20), "{waited:?}");
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn in_a_dry_run_it_never_waits() {
    let world = World::new();
    let breaker = world.builder().dry_run(true).build().unwrap();
    fail(&breaker);
    let Poll::Ready(permit) = Task::new().poll(pin!(breaker.acquire(world.sleeper()))) else { panic!("it waits") };
    assert!(permit.would_be_rejected());
}

#[derive(Default)]
struct Rejections(Cell<u32>);

impl BreakerObserver for Rejections {
    fn on_reject(&self, _: &Rejected) {
        self.0.set(self.0.get() + 1);
    }
}

// Hazard 41.
#[test]
fn to_wait_is_not_to_be_rejected() {
    let (world, rejections) = (World::new(), Rejections::default());
    let breaker = world.builder().observe(&rejections).build().unwrap();
    fail(&breaker);
    world.run(breaker.acquire(world.sleeper())).success();
    assert_eq!(rejections.0.get(), 0);
    fail(&breaker);
    assert!(breaker.try_acquire().is_err());
    assert_eq!(rejections.0.get(), 1);
}

#[test]
#[should_panic(expected = "`Acquire` polled after it has answered")]
fn to_poll_it_after_it_has_answered_panics() {
    let breaker = Breaker::new();
    let mut acquire = pin!(breaker.acquire(|_| ready(())));
    for _ in 0..2 {
        assert!(Task::new().poll(acquire.as_mut()).is_ready());
    }
}
