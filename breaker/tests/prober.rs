//! Stories of a prober.
#![cfg(not(loom))]

mod prober_support;

use std::time::Duration;

use evenkeel_breaker::{Cause, State};
use prober_support::{Service, Task, World, seconds};

use Cause::{ConsecutiveFailures, Prober, ProbesFailed, ProbesSucceeded};
use State::{Closed, HalfOpen, Open};

#[test]
fn it_reopens_until_the_service_is_well_and_then_closes() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 1_000);
    world.trip();
    world.run(&mut [&mut prober], 25_000);
    assert_eq!(world.begun(), [11_000, 21_000], "at the end of each open time");
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 60_000);
    assert_eq!(world.begun(), [11_000, 21_000, 31_000]);
    let expected = [
        (Open, ConsecutiveFailures),
        (HalfOpen, Prober),
        (Open, ProbesFailed),
        (HalfOpen, Prober),
        (Open, ProbesFailed),
        (HalfOpen, Prober),
        (Closed, ProbesSucceeded),
    ];
    assert_eq!(world.transitions(), expected);
}

#[test]
fn no_users_call_is_a_probe_while_it_shows_itself() {
    let world = World::new(|builder| builder.half_open_permits(3));
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Takes(2_000));
    for now in (0..11_900).step_by(100) {
        world.run(&mut [&mut prober], now);
        assert!(world.breaker.try_acquire().is_err(), "at {now} ms");
    }
    assert_eq!((world.breaker.state(), world.begun()), (HalfOpen, vec![10_000]));
    world.run(&mut [&mut prober], 12_000);
    assert_eq!((world.breaker.state(), world.log.users_probes.get()), (Closed, 0));
    world.breaker.try_acquire().unwrap().success();
}

#[test]
fn a_schedule_of_its_own_finds_the_end_of_the_outage_sooner_than_the_open_time() {
    let world = World::new(|builder| builder.open_for([seconds(300)]));
    let mut prober = Task::new(world.prober().every([1, 2, 4].map(seconds)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.run(&mut [&mut prober], 12_000);
    assert_eq!(world.begun(), [1_000, 3_000, 7_000, 11_000], "when the schedule ends, its last delay again");
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 20_000);
    assert_eq!(world.breaker.state(), Closed);
    world.service.set(Service::Down);
    world.trip();
    world.run(&mut [&mut prober], 24_000);
    assert_eq!(world.begun()[5..], [21_000, 23_000], "each outage begins with the first delay");
}

#[test]
fn the_next_outage_begins_its_schedule_anew_although_it_was_not_polled_in_between() {
    let world = World::new(|builder| builder.open_for([seconds(300)]));
    let mut prober = Task::new(world.prober().every([1, 2, 4].map(seconds)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.run(&mut [&mut prober], 3_000);
    world.breaker.reset();
    world.trip();
    world.run(&mut [&mut prober], 4_000);
    assert_eq!(world.begun(), [1_000, 3_000, 4_000]);
}

#[test]
fn an_empty_schedule_is_the_open_times_of_the_breaker() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().every(Vec::new()));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.run(&mut [&mut prober], 20_000);
    assert_eq!(world.begun(), [10_000, 20_000]);
}

#[test]
fn a_service_that_wants_to_be_left_alone_is_not_checked_before() {
    let world = World::new(|builder| builder.open_for([seconds(1)]));
    let mut prober = Task::new(world.prober().every([seconds(1)]));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Throttles);
    world.run(&mut [&mut prober], 100_000);
    assert_eq!(world.begun(), [1_000, 61_000], "a minute");
}

#[test]
fn it_checks_until_the_breaker_decides() {
    let world = World::new(|builder| builder.half_open_successes(3).half_open_calls(4));
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Takes(100));
    world.run(&mut [&mut prober], 10_150);
    assert!(world.breaker.try_acquire().is_err(), "between two checks no user's call is a probe");
    world.service.set(Service::Down);
    world.run(&mut [&mut prober], 10_202);
    assert_eq!((world.begun(), world.breaker.state()), (vec![10_000, 10_101, 10_202], HalfOpen));
    world.service.set(Service::Takes(100));
    world.run(&mut [&mut prober], 10_302);
    assert_eq!((world.begun().len(), world.breaker.state()), (4, HalfOpen), "three of four may still succeed");
    world.run(&mut [&mut prober], 10_303);
    assert_eq!(world.breaker.state(), Closed);
}

#[test]
fn a_check_that_is_ignored_decides_nothing_and_the_next_one_is_a_timeout_later() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().timeout(seconds(2)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Unsure);
    world.run(&mut [&mut prober], 15_000);
    assert_eq!((world.begun(), world.breaker.state()), (vec![10_000, 12_000, 14_000], HalfOpen));
    assert!(world.log.checks.borrow().is_empty());
    assert!(world.breaker.try_acquire().unwrap().is_probe(), "it learns nothing, and so holds nobody back");
    // Until it learns something.
    world.service.set(Service::Down);
    world.run(&mut [&mut prober], 16_500);
    assert_eq!((world.log.checks.borrow().len(), world.breaker.state()), (1, Open));
    world.pass(26_000);
    assert!(world.breaker.try_acquire().is_err(), "it is to show itself first");
}

#[test]
fn a_check_that_hangs_has_failed_when_its_time_is_over() {
    let world = World::new(|builder| builder.probe_timeout(Duration::from_millis(10)));
    let mut prober = Task::new(world.prober().timeout(seconds(2)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Hangs);
    world.run(&mut [&mut prober], 11_999);
    assert_eq!((world.breaker.state(), world.dropped.get()), (HalfOpen, 0), "its timeout is its own");
    world.run(&mut [&mut prober], 12_000);
    assert_eq!((world.breaker.state(), world.dropped.get()), (Open, 1));
    let checks = world.log.checks.borrow();
    assert!(!checks[0].success && checks[0].probe);
    assert_eq!((checks[0].consecutive_failures, checks[0].duration), (1, seconds(2)));
}

#[test]
fn an_answer_that_is_read_after_its_time_is_none() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().timeout(seconds(2)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Takes(1_900));
    world.run(&mut [&mut prober], 10_000);
    world.pass(12_000);
    prober.turn();
    assert_eq!((world.breaker.state(), world.log.checks.borrow()[0].success), (Open, false));
}

#[test]
fn what_is_slow_for_a_call_is_too_slow_for_a_check() {
    let world = World::new(|builder| builder.slow_calls(seconds(1), 0.5));
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Takes(1_000));
    world.run(&mut [&mut prober], 11_000);
    assert_eq!(world.breaker.state(), Open);
    world.service.set(Service::Takes(999));
    world.run(&mut [&mut prober], 30_000);
    assert_eq!(world.breaker.state(), Closed);
}

#[test]
fn it_waits_while_the_breaker_is_forced() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().while_closed(seconds(1)));
    world.breaker.force_open();
    world.run(&mut [&mut prober], 100_000);
    world.breaker.force_closed();
    world.run(&mut [&mut prober], 200_000);
    assert_eq!((world.begun(), prober.polls), (vec![], 2));
    world.breaker.reset();
    world.run(&mut [&mut prober], 201_000);
    assert_eq!(world.begun(), [201_000]);
}

#[test]
fn a_breaker_that_is_open_already_is_checked_when_its_time_has_come() {
    let world = World::new(|builder| builder);
    world.trip();
    world.pass(4_000);
    world.service.set(Service::Well);
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 9_999);
    assert_eq!(world.breaker.state(), Open);
    world.run(&mut [&mut prober], 10_000);
    assert_eq!(world.breaker.state(), Closed);
}

#[test]
fn where_a_users_call_has_the_slot_it_takes_the_next() {
    let world = World::new(|builder| builder.half_open_successes(2));
    world.trip();
    world.pass(10_000);
    let users = world.breaker.try_acquire().unwrap();
    assert!(users.is_probe());
    world.service.set(Service::Well);
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 10_500);
    assert_eq!(world.begun(), [], "there is one slot");
    users.success();
    world.run(&mut [&mut prober], 10_500);
    assert_eq!((world.begun(), world.breaker.state()), (vec![10_500], Closed), "it was woken");
}

#[test]
fn a_dry_run_is_probed_as_well() {
    let world = World::new(|builder| builder.dry_run(true));
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.run(&mut [&mut prober], 10_000);
    assert!(world.breaker.try_acquire().unwrap().would_be_rejected());
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 20_000);
    assert_eq!((world.breaker.state(), world.begun()), (Closed, vec![10_000, 20_000]));
}
