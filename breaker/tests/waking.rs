//! Stories of what wakes those who wait for a permit: all that could let them through, and nothing else.
#![cfg(not(loom))]

mod waiting_support;

use std::{
    cell::Cell,
    future::{Future, Ready, pending, ready},
    pin::pin,
    sync::{Arc, Barrier, RwLock},
    task::{Context, Wake},
    thread,
    time::Instant,
};

use evenkeel_breaker::Breaker;
use waiting_support::{Task, World, fail, secs};

#[test]
fn every_change_that_could_let_it_through_wakes_it() {
    type Change<C> = fn(&Breaker<C>);
    fn all<C: Fn() -> Instant>() -> [Change<C>; 3] {
        [Breaker::reset, Breaker::force_closed, |breaker| {
            breaker.force_open();
            breaker.reset();
        }]
    }
    let world = World::new();
    for change in all() {
        let breaker = world.breaker();
        fail(&breaker);
        let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(world.sleeper())));
        assert!(task.poll(acquire.as_mut()).is_pending());
        change(&breaker);
        assert_eq!(task.woken(), 1);
        assert!(task.poll(acquire).is_ready());
    }
}

#[test]
fn a_change_that_does_not_let_it_through_is_waited_out() {
    let world = World::new();
    let breaker = world.breaker();
    breaker.force_open();
    let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(world.sleeper())));
    assert!(task.poll(acquire.as_mut()).is_pending());
    breaker.reset();
    fail(&breaker);
    assert_eq!(task.woken(), 1, "it was told once, and has not looked");
    assert!(task.poll(acquire.as_mut()).is_pending());
    assert_eq!((world.slept(), task.woken()), (vec![secs(10)], 0));
    world.advance(secs(10));
    assert!(task.poll(acquire).is_ready());
}

#[test]
fn to_be_polled_without_a_reason_asks_nothing() {
    let world = World::new();
    let breaker = world.builder().ramp(secs(20)).build().unwrap();
    fail(&breaker);
    world.run(breaker.acquire(world.sleeper())).success();
    while let Ok(permit) = breaker.try_acquire() {
        permit.success();
    }
    let slept = world.slept().len();
    // The ramp admits one call of ten: to ask ten times is no way around it.
    let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(world.sleeper())));
    for _ in 0..100 {
        assert!(task.poll(acquire.as_mut()).is_pending());
    }
    assert_eq!((world.slept().len(), task.woken()), (slept + 1, 0));
}

#[test]
fn a_change_while_it_falls_asleep_is_not_lost() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let sleep = {
        let (breaker, sleeper) = (breaker.clone(), world.sleeper());
        move |delay| {
            breaker.reset();
            sleeper(delay)
        }
    };
    assert!(Task::new().poll(pin!(breaker.acquire(sleep))).is_ready());
}

#[test]
fn a_change_in_another_thread_is_not_lost_whenever_it_comes() {
    let breaker = Breaker::builder().build().unwrap();
    let (begin, end) = (Barrier::new(2), Barrier::new(2));
    let rounds = 2_000;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..rounds {
                begin.wait();
                breaker.reset();
                end.wait();
            }
        });
        for _ in 0..rounds {
            breaker.force_open();
            let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(|_| pending::<()>())));
            begin.wait();
            let first = task.poll(acquire.as_mut());
            end.wait();
            if first.is_pending() {
                assert_eq!(task.woken(), 1);
                assert!(task.poll(acquire).is_ready());
            }
        }
    });
}

// Hazard 57.
#[test]
fn a_sleeper_that_does_not_sleep_is_asked_again_only_after_others_had_their_turn() {
    let world = World::new();
    let breaker = world.breaker();
    fail(&breaker);
    let sleeps = Cell::new(0);
    let sleep = |_| -> Ready<()> {
        sleeps.set(sleeps.get() + 1);
        ready(())
    };
    let (task, mut acquire) = (Task::new(), pin!(breaker.acquire(sleep)));
    assert!(task.poll(acquire.as_mut()).is_pending());
    assert_eq!(task.woken(), 1);
    assert!(sleeps.get() <= 2);
    world.advance(secs(10));
    assert!(task.poll(acquire).is_ready());
}

#[test]
fn it_leaves_nothing_behind_when_it_has_answered_or_is_dropped() {
    let world = World::new();
    let breaker = world.breaker();
    breaker.force_open();
    let (task, mut acquire) = (Task::new(), Box::pin(breaker.acquire(world.sleeper())));
    assert!(task.poll(acquire.as_mut()).is_pending());
    assert_eq!(task.wakers(), 1);
    drop(acquire);
    assert_eq!(task.wakers(), 0);

    let mut acquire = Box::pin(breaker.acquire(world.sleeper()));
    assert!(task.poll(acquire.as_mut()).is_pending());
    breaker.reset();
    assert!(task.poll(acquire.as_mut()).is_ready());
    assert_eq!(task.wakers(), 0, "though it is still there");
}

#[test]
fn it_may_go_from_one_task_to_another() {
    let world = World::new();
    let breaker = world.breaker();
    breaker.force_open();
    let (first, second) = (Task::new(), Task::new());
    let mut acquire = pin!(breaker.acquire(world.sleeper()));
    assert!(first.poll(acquire.as_mut()).is_pending());
    assert!(second.poll(acquire.as_mut()).is_pending());
    breaker.reset();
    assert_eq!((first.woken(), second.woken()), (0, 1));
}

#[test]
fn who_came_first_is_woken_first() {
    let woken = Arc::new(RwLock::new(vec![]));
    let breaker = Breaker::builder().build().unwrap();
    breaker.force_open();
    struct Named(u32, Arc<RwLock<Vec<u32>>>);
    impl Wake for Named {
        fn wake(self: Arc<Self>) {
            self.1.write().unwrap().push(self.0);
        }
    }
    let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(breaker.acquire(|_| ready(())))).collect();
    for (name, acquire) in (0..).zip(&mut waiting) {
        let waker = Arc::new(Named(name, woken.clone())).into();
        assert!(acquire.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    breaker.reset();
    assert!(woken.read().unwrap().iter().copied().eq(0..20));
}
