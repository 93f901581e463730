//! A prober of a breaker that is closed, and how rarely it is polled.
#![cfg(not(loom))]

mod prober_support;

use std::{
    cell::Cell,
    future::{Future, Ready, ready},
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerObserver, CheckEnd, State};
use prober_support::{Service, Task, World, seconds};

#[test]
fn three_failures_in_a_row_raise_the_alarm_and_a_success_ends_it() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().while_closed(seconds(60)));
    let rows = || world.log.checks.borrow().iter().map(|check| check.consecutive_failures).collect::<Vec<_>>();
    world.run(&mut [&mut prober], 180_000);
    assert_eq!((world.begun(), rows()), (vec![60_000, 120_000, 180_000], vec![1, 2, 3]));
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 240_000);
    world.service.set(Service::Down);
    world.run(&mut [&mut prober], 300_000);
    assert_eq!(rows(), [1, 2, 3, 0, 1]);
    assert!(world.log.checks.borrow().iter().all(|check| !check.probe));
}

#[test]
fn a_row_ends_when_somebody_closes_the_breaker_or_forces_it() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().every([seconds(1)]));
    let rows = || world.log.checks.borrow().iter().map(|check| check.consecutive_failures).collect::<Vec<_>>();
    world.trip();
    world.run(&mut [&mut prober], 2_500);
    assert_eq!(rows(), [1, 2]);
    world.breaker.reset();
    world.run(&mut [&mut prober], 3_000);
    world.trip();
    world.run(&mut [&mut prober], 4_500);
    assert_eq!(rows(), [1, 2, 1], "who has reset it knew better");
    world.breaker.force_open();
    world.run(&mut [&mut prober], 5_000);
    world.breaker.reset();
    world.trip();
    world.run(&mut [&mut prober], 6_500);
    assert_eq!(rows(), [1, 2, 1, 1]);
}

#[test]
fn a_check_that_was_out_while_somebody_closed_the_breaker_begins_a_row() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().every([seconds(1)]).timeout(seconds(5)));
    let rows = || world.log.checks.borrow().iter().map(|check| check.consecutive_failures).collect::<Vec<_>>();
    world.trip();
    world.run(&mut [&mut prober], 2_500);
    world.service.set(Service::Hangs);
    world.run(&mut [&mut prober], 4_000);
    world.breaker.reset();
    world.run(&mut [&mut prober], 20_000);
    assert_eq!(rows(), [1, 2, 1], "and none follows while it is closed");
}

#[test]
fn checks_of_a_closed_breaker_change_nothing_about_it() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().while_closed(seconds(1)));
    world.run(&mut [&mut prober], 100_000);
    let snapshot = world.breaker.snapshot();
    assert_eq!((world.begun().len(), snapshot.state, snapshot.period), (100, State::Closed, 0));
    assert_eq!((snapshot.consecutive_failures, snapshot.calls), (0, 0));
}

#[test]
fn a_breaker_that_is_closed_is_not_checked_unless_asked_for() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 3_600_000);
    assert_eq!((world.begun(), prober.polls), (vec![], 1));
}

#[test]
fn the_row_goes_on_across_states() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().while_closed(seconds(60)));
    world.run(&mut [&mut prober], 120_000);
    world.trip();
    world.run(&mut [&mut prober], 130_000);
    let checks = world.log.checks.borrow();
    let told: Vec<_> = checks.iter().map(|check| (check.consecutive_failures, check.probe)).collect();
    assert_eq!(told, [(1, false), (2, false), (3, true)]);
}

#[test]
fn its_checks_have_a_timeout_too() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().while_closed(seconds(60)).timeout(seconds(3)));
    world.service.set(Service::Hangs);
    world.run(&mut [&mut prober], 63_000);
    let checks = world.log.checks.borrow();
    assert_eq!((checks[0].success, checks[0].duration, world.dropped.get()), (false, seconds(3), 1));
}

#[test]
fn a_breaker_that_opens_during_a_check_waits_for_it() {
    let world = World::new(|builder| builder.open_for([seconds(1)]));
    let mut prober = Task::new(world.prober().while_closed(seconds(60)).timeout(seconds(10)));
    world.service.set(Service::Hangs);
    world.run(&mut [&mut prober], 61_000);
    world.trip();
    world.run(&mut [&mut prober], 69_900);
    assert!(!world.is_probe_admitted(), "the prober is busy until 70 s");
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 70_001);
    assert_eq!((world.breaker.state(), world.log.users_probes.get()), (State::Closed, 0));
}

// Hazard 57.
#[test]
fn it_is_polled_for_its_pauses_and_the_transitions_alone() {
    let world = World::new(|builder| builder.consecutive_failures(1));
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    for now in 0..1_000 {
        world.breaker.try_acquire().unwrap().success();
        world.run(&mut [&mut prober], now);
    }
    assert_eq!(prober.polls, 1, "not for calls");
    world.trip();
    for now in (1_000..100_000).step_by(10) {
        assert!(world.breaker.try_acquire().is_err());
        world.run(&mut [&mut prober], now);
    }
    // One for the transition, and one for each open time that ends: a check that answers at once needs no other.
    assert_eq!((world.begun().len(), prober.polls), (9, 1 + 1 + 9));
    assert!((0..10).all(|_| !prober.nudge()));
    assert_eq!(world.begun().len(), 9, "polled in vain, it does nothing");
}

// Hazard 57.
#[test]
fn a_sleeper_that_does_not_sleep_leaves_others_their_turn() {
    let breaker = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO]).build().unwrap();
    let begun = Cell::new(0);
    let sleep = |_: Duration| -> Ready<()> { ready(()) };
    let check = || {
        begun.set(begun.get() + 1);
        ready(Err::<(), _>("down"))
    };
    let mut prober = std::pin::pin!(breaker.prober(sleep, check));
    breaker.try_acquire().unwrap().failure();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(prober.as_mut().poll(&mut cx).is_pending());
    assert!((1..100).contains(&begun.get()));
}

#[test]
fn times_of_zero_are_a_millisecond_and_times_without_end_an_hour() {
    let world = World::new(|builder| builder.open_for([Duration::ZERO]));
    let mut prober = Task::new(world.prober().while_closed(Duration::ZERO).timeout(Duration::ZERO));
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 10);
    assert_eq!(world.begun().len(), 10);
    assert!(world.log.checks.borrow().iter().all(|check| check.success), "what is there at once is in time");
    world.trip();
    world.service.set(Service::Down);
    world.run(&mut [&mut prober], 20);
    assert_eq!(world.begun().len(), 20, "an open time of zero");
    drop(prober);

    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().every([Duration::MAX]).timeout(Duration::MAX).grace(Duration::MAX));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Hangs);
    world.run(&mut [&mut prober], 3_600_000);
    assert_eq!((world.begun(), world.breaker.state()), (vec![3_600_000], State::HalfOpen));
    drop(prober);
    assert!(world.is_probe_admitted());
}

/// Under tokio, spawned, with an observer of its own.
#[tokio::test(start_paused = true)]
async fn it_runs_under_a_runtime() {
    #[derive(Default)]
    struct Pager(std::sync::atomic::AtomicU32);
    impl BreakerObserver for Pager {
        fn on_check(&self, check: &CheckEnd) {
            if check.consecutive_failures == 3 {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }
    let clock: fn() -> Instant = || tokio::time::Instant::now().into_std();
    let breaker = Breaker::builder().clock(clock).observe(Pager::default()).build().unwrap();
    let check = || async {
        tokio::time::sleep(seconds(1)).await;
        Err::<(), _>("down")
    };
    let prober = tokio::spawn(breaker.prober(tokio::time::sleep, check).while_closed(seconds(30)));
    tokio::time::sleep(seconds(95)).await;
    assert_eq!(breaker.observer().0.load(std::sync::atomic::Ordering::Relaxed), 1);
    prober.abort();
    assert!(prober.await.unwrap_err().is_cancelled());
}
