//! Hazards 30, 31, 56 and 58: whatever becomes of a prober, time alone leads back to a user's call that is admitted.
#![cfg(not(loom))]

mod prober_support;

use std::{mem, time::Duration};

use evenkeel_breaker::{Cause, Permit, State};
use prober_support::{Service, Subject, Task, World, seconds};
use proptest::prelude::*;

#[test]
fn a_prober_that_is_never_polled_holds_nobody_back() {
    let world = World::new(|builder| builder);
    let prober = world.prober();
    world.trip();
    world.pass(10_000);
    assert!(world.is_probe_admitted());
    drop(prober);
}

#[test]
fn a_prober_that_is_never_polled_again_holds_users_back_for_its_grace() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().grace(seconds(3)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    assert_eq!(world.breaker.try_acquire().unwrap_err().retry_after(), Some(seconds(13)));
    world.pass(12_999);
    assert!(!world.is_probe_admitted());
    world.pass(13_000);
    assert!(world.is_probe_admitted());
}

#[test]
fn a_prober_that_saw_the_outage_and_stops_is_waited_for_until_its_own_time_and_its_grace() {
    for (delay, ready_at) in [(1, 10_000), (30, 31_000)] {
        let world = World::new(|builder| builder);
        let mut prober = Task::new(world.prober().every([seconds(delay)]));
        world.run(&mut [&mut prober], 0);
        world.trip();
        prober.turn();
        world.pass(ready_at - 1);
        assert!(!world.is_probe_admitted());
        world.pass(ready_at);
        assert!(world.is_probe_admitted(), "with a delay of {delay} s");
    }
}

#[test]
fn a_prober_that_stops_while_its_check_is_out_has_failed() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober().timeout(seconds(2)));
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Hangs);
    world.run(&mut [&mut prober], 10_000);
    world.pass(12_000);
    assert_eq!(world.breaker.state(), State::Open, "time has failed it");
    assert_eq!(world.transitions().last(), Some(&(State::Open, Cause::ProbeTimeout)));
    world.pass(22_999);
    assert!(!world.is_probe_admitted(), "it may have lived on");
    world.pass(23_000);
    assert!(world.is_probe_admitted());
}

#[test]
fn a_prober_that_stops_between_two_checks_holds_users_back_for_its_grace() {
    let world = World::new(|builder| builder.half_open_successes(3));
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Well);
    world.run(&mut [&mut prober], 10_000);
    assert_eq!((world.breaker.state(), world.begun().len()), (State::HalfOpen, 1));
    world.pass(11_000);
    assert!(!world.is_probe_admitted());
    world.pass(11_001);
    assert!(world.is_probe_admitted());
}

#[test]
fn a_prober_that_is_dropped_frees_its_slot_and_wakes_those_that_wait() {
    let world = World::new(|builder| builder);
    let (mut gone, mut stays) = (Task::new(world.prober()), Task::new(world.prober()));
    world.run(&mut [&mut gone, &mut stays], 0);
    world.trip();
    world.service.set(Service::Hangs);
    world.run(&mut [&mut gone, &mut stays], 10_000);
    assert_eq!(world.begun(), [10_000], "one of them");
    world.service.set(Service::Well);
    drop(gone);
    assert_eq!(world.breaker.snapshot().probes_out, 0);
    assert!(!world.is_probe_admitted(), "there is another one");
    stays.turn();
    assert_eq!((world.begun(), world.breaker.state()), (vec![10_000, 10_000], State::Closed));
}

#[test]
fn a_prober_that_is_dropped_in_a_pause_wakes_those_that_may_come_sooner_now() {
    let world = World::new(|builder| builder);
    let (mut gone, mut stays) = (Task::new(world.prober()), Task::new(world.prober()));
    world.run(&mut [&mut gone, &mut stays], 0);
    world.trip();
    world.run(&mut [&mut gone, &mut stays], 1_000);
    let polls = stays.polls;
    drop(gone);
    stays.turn();
    assert_eq!(stays.polls, polls + 1);
}

#[test]
fn dropped_at_any_await_it_leaves_the_breaker_to_users() {
    // Closed, waiting; checking while closed; open, waiting; with a probe out; between two probes.
    for stop in [0, 5_000, 6_000, 15_000, 15_500, 16_500] {
        let world = World::new(|builder| builder.half_open_successes(2));
        let mut prober = Task::new(world.prober().while_closed(seconds(5)).grace(seconds(100)));
        world.service.set(Service::Takes(500));
        world.run(&mut [&mut prober], stop.min(5_700));
        world.trip();
        world.run(&mut [&mut prober], stop);
        let state = world.breaker.state();
        drop(prober);
        assert_eq!(world.breaker.state(), state, "dropping it decides nothing");
        world.pass(16_000);
        let admitted = world.breaker.try_acquire();
        assert!(admitted.is_ok(), "dropped at {stop} ms: {admitted:?}");
    }
}

#[test]
fn a_check_that_panics_as_a_probe_has_failed() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Panics);
    world.pass(10_000);
    assert!(prober.nudge(), "the panic goes through");
    assert_eq!(world.transitions().last(), Some(&(State::Open, Cause::ProbesFailed)));
    drop(prober);
    world.pass(20_000);
    assert!(world.is_probe_admitted());
}

#[test]
fn polled_again_after_a_panic_it_goes_on() {
    let world = World::new(|builder| builder);
    let mut prober = Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.service.set(Service::Panics);
    world.pass(10_000);
    assert!(prober.nudge());
    world.service.set(Service::Well);
    prober.nudge();
    world.run(&mut [&mut prober], 20_000);
    assert_eq!((world.begun(), world.breaker.state()), (vec![10_000, 20_000], State::Closed));
}

#[test]
fn of_two_probers_one_that_has_stopped_does_not_stop_the_other() {
    let world = World::new(|builder| builder);
    let mut dead = Task::new(world.prober());
    let mut alive = Task::new(world.prober().every([seconds(2)]));
    world.run(&mut [&mut dead, &mut alive], 0);
    world.trip();
    world.service.set(Service::Well);
    world.run(&mut [&mut alive], 2_000);
    assert_eq!(world.breaker.state(), State::Closed);
}

#[derive(Clone, Debug)]
enum Event {
    Spawn { every: Option<u64>, closed: bool, timeout: u64, grace: u64 },
    Turn(usize),
    Drop(usize),
    Pass(u64),
    Serve(Service),
    Call,
    End(bool),
    Reset,
    ForceClosed,
}

fn event() -> impl Strategy<Value = Event> {
    use Service::{Down, Hangs, Panics, Takes, Throttles, Unsure, Well};
    let service = prop::sample::select(vec![Well, Down, Takes(300), Hangs, Panics, Unsure, Throttles]);
    prop_oneof![
        1 => (prop::option::of(0..40u64), any::<bool>(), 0..8u64, 0..5u64)
            .prop_map(|(every, closed, timeout, grace)| Event::Spawn { every, closed, timeout, grace }),
        6 => (0..3usize).prop_map(Event::Turn),
        1 => (0..3usize).prop_map(Event::Drop),
        6 => prop_oneof![0..20u64, 0..12_000u64].prop_map(Event::Pass),
        4 => service.prop_map(Event::Serve),
        4 => Just(Event::Call),
        4 => any::<bool>().prop_map(Event::End),
        1 => Just(Event::Reset),
        1 => Just(Event::ForceClosed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn from_whatever_a_prober_leaves_time_alone_leads_to_an_admitted_call(
        permits in 1..3u32,
        (successes, spare) in (1..4u32, 0..3u32),
        events in prop::collection::vec(event(), 0..60),
    ) {
        let world = World::new(|builder| {
            builder.half_open_permits(permits).half_open_successes(successes).half_open_calls(successes + spare)
        });
        let mut tasks: Vec<Task> = Vec::new();
        let mut calls: Vec<Permit<Subject>> = Vec::new();
        for event in events {
            match event {
                Event::Spawn { every, closed, timeout, grace } => {
                    let prober = world.prober().every(every.map(seconds));
                    let prober = prober.timeout(seconds(timeout)).grace(seconds(grace));
                    let prober = if closed { prober.while_closed(seconds(3)) } else { prober };
                    tasks.push(Task::new(prober));
                }
                Event::Turn(task) => { tasks.get_mut(task).map(Task::turn); }
                Event::Drop(task) if task < tasks.len() => drop(tasks.swap_remove(task)),
                Event::Drop(_) => {}
                Event::Pass(by) => world.pass(world.time.now() + by),
                Event::Serve(service) => world.service.set(service),
                Event::Call => calls.extend(world.breaker.try_acquire_owned()),
                Event::End(well) => if let Some(call) = calls.pop() {
                    if well { call.success() } else { call.failure() }
                },
                Event::Reset => world.breaker.reset(),
                Event::ForceClosed => world.breaker.force_closed(),
            }
        }
        // Nobody is polled any more, and nobody answers.
        let begin = world.time.now();
        let mut admitted = false;
        for _ in 0..12 {
            let rejected = match world.breaker.try_acquire() {
                Ok(permit) => {
                    permit.release();
                    admitted = true;
                    break;
                }
                Err(rejected) => rejected,
            };
            let wait = rejected.retry_after().expect("it is not forced open");
            prop_assert!(wait > Duration::ZERO, "it says when");
            world.pass(world.time.now() + u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap());
        }
        prop_assert!(admitted, "{:?}", world.breaker.snapshot());
        // Own delays, a hint, open times, timeouts, graces.
        prop_assert!(world.time.now() - begin <= 150_000, "after {} ms", world.time.now() - begin);
        mem::forget(calls);
    }

    #[test]
    fn no_users_call_is_a_probe_while_a_prober_is_polled_in_time(
        permits in 1..3u32,
        successes in 1..4u32,
        every in prop::option::of(1..15u64),
        steps in prop::collection::vec((0..4_000u64, 0..6u8), 1..80),
    ) {
        let world = World::new(|builder| builder.half_open_permits(permits).half_open_successes(successes));
        let mut prober = Task::new(world.prober().every(every.map(seconds)).while_closed(seconds(7)));
        world.run(&mut [&mut prober], 0);
        for (by, service) in steps {
            world.run(&mut [&mut prober], world.time.now() + by);
            world.service.set(match service {
                0 => Service::Well,
                1 => Service::Takes(400),
                2 => Service::Hangs,
                3 => Service::Takes(2_500),
                4 => Service::Throttles,
                _ => Service::Down,
            });
            if let Ok(permit) = world.breaker.try_acquire() {
                prop_assert!(!permit.is_probe(), "at {} ms", world.time.now());
                permit.failure();
            }
        }
        prop_assert!(prober.polls < 3_000);
    }
}
