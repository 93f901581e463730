//! The stories of alternates: who is asked, when, for how much, and who answers.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{cell::Cell, num::NonZeroU32, pin::pin, rc::Rc, time::Duration};

use evenkeel_hedging::{Alternates, Answered, AtOnce, Hedge, OnFailure, Unlimited};
use support::{Woken, World, ms};
use tower::{Service, ServiceExt, service_fn};
use tower_support::{Log, Ready, Request, Told, poll_ready, probes};

const NOW: Duration = ms(0);
/// So late that it is not answered in a test.
const HANGS: Duration = ms(1_000_000);

fn from(alternate: usize, response: u32) -> Result<Answered<u32>, &'static str> {
    Ok(Answered { alternate, response })
}

fn calls(logs: &[Rc<Log>]) -> Vec<u32> {
    logs.iter().map(|log| log.calls.get()).collect()
}

#[test]
fn without_a_policy_the_next_is_asked_when_one_has_failed() {
    let (world, ok) = (World::new(), |answer| (ms(300), Ok(answer)));
    for (answers, answer, asked) in [
        ([ok(1), ok(2), ok(3)], from(0, 1), [1, 0, 0]),
        ([(ms(5), Err("a")), ok(2), ok(3)], from(1, 2), [1, 1, 0]),
        ([(NOW, Err("a")), (ms(5), Err("b")), ok(3)], from(2, 3), [1, 1, 1]),
        ([(NOW, Err("a")), (NOW, Err("b")), (ms(5), Err("c"))], Err("c"), [1, 1, 1]),
    ] {
        let (services, logs) = probes(&world, answers);
        assert_eq!(world.run(Alternates::new(services).oneshot(())), answer);
        assert_eq!(calls(&logs), asked);
        assert!(logs.iter().all(|log| log.is_idle()));
    }
}

#[test]
fn a_slow_one_is_waited_for_without_a_policy() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(500_000), Ok(1)), (NOW, Ok(2))]);
    assert_eq!(world.run(Alternates::new(services).oneshot(())), from(0, 1));
    assert_eq!((calls(&logs), world.elapsed()), (vec![1, 0], ms(500_000)));
}

#[test]
fn staggered_each_is_asked_a_delay_after_the_one_before_or_when_that_has_failed() {
    let world = World::new();
    let (services, logs) = probes(&world, [(HANGS, Ok(1)), (ms(5), Err("b")), (ms(100), Ok(3)), (NOW, Ok(4))]);
    let service = Alternates::new(services).policy(Hedge::after(ms(200), world.sleeper()));
    assert_eq!(world.run(service.oneshot(())), from(2, 3));
    let called_at: Vec<_> = logs.iter().flat_map(|log| log.called_at.take()).collect();
    assert_eq!(called_at, [ms(0), ms(200), ms(205)], "and the last one is not");
    assert!(logs.iter().all(|log| log.is_idle()), "the first one is dropped");
}

#[test]
fn a_primary_that_hangs_is_covered_by_a_delay() {
    let world = World::new();
    let (services, logs) = probes(&world, [(HANGS, Ok(1)), (ms(20), Ok(2))]);
    let service = Alternates::new(services).policy(Hedge::after(ms(200), world.sleeper()));
    assert_eq!(world.run(service.oneshot(())), from(1, 2));
    assert_eq!((world.elapsed(), logs[0].in_flight.get()), (ms(220), 0));
}

#[test]
fn racing_all_are_asked_at_once_and_the_first_success_is_the_answer() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(30), Ok(1)), (ms(10), Err("b")), (ms(20), Ok(3))]);
    let told = Told::default();
    let race = Hedge::new(AtOnce, world.sleeper()).observe(told.clone());
    assert_eq!(world.run(Alternates::new(services).policy(race).oneshot(())), from(2, 3));
    assert!(logs.iter().all(|log| *log.called_at.borrow() == [ms(0)] && log.is_idle()));
    assert_eq!(told.sent(), [(0, 0), (1, 1), (2, 2)]);
    let answer = told.answers()[0];
    assert_eq!((answer.attempt.alternate, answer.sent, answer.hedges, answer.useless()), (2, 3, 2, 1));
}

#[test]
fn each_is_asked_once_at_most_whatever_the_policy_allows() {
    for limit in [None, NonZeroU32::new(50)] {
        let world = World::new();
        let (services, logs) = probes(&world, [(NOW, Err("a")), (NOW, Err("b"))]);
        let mut hedge = Hedge::new([Duration::ZERO; 9], world.sleeper()).budget(Unlimited);
        if let Some(limit) = limit {
            hedge = hedge.max_attempts(limit);
        }
        assert_eq!(world.run(Alternates::new(services).policy(hedge).oneshot(())), Err("b"));
        assert_eq!(calls(&logs), [1, 1]);
    }
}

#[test]
fn a_limit_on_attempts_and_a_schedule_that_ends_hold_for_alternates_too() {
    let world = World::new();
    let fail = || probes(&world, [(NOW, Err("a")); 4]);
    let (services, logs) = fail();
    let limited = Hedge::new(OnFailure, world.sleeper()).max_attempts(NonZeroU32::new(3).unwrap());
    let _ = world.run(Alternates::new(services).policy(limited).oneshot(()));
    assert_eq!(calls(&logs), [1, 1, 1, 0]);
    let (services, logs) = fail();
    let _ = world.run(Alternates::new(services).policy(Hedge::new([ms(1)], world.sleeper())).oneshot(()));
    assert_eq!(calls(&logs), [1, 1, 0, 0]);
}

#[test]
fn no_alternate_is_polled_or_sent_to_after_the_answer() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(20), Ok(1)), (ms(30), Ok(2)), (NOW, Ok(3))]);
    *logs[2].readiness.borrow_mut() = [Ready::After(ms(15))].into();
    let mut service = Alternates::new(services).policy(Hedge::after(ms(10), world.sleeper()));
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    assert_eq!(world.run(response.as_mut()), from(0, 1));
    let polls: Vec<_> = logs.iter().map(|log| log.polls.get()).collect();
    world.advance(ms(500));
    assert_eq!(polls, logs.iter().map(|log| log.polls.get()).collect::<Vec<_>>());
    assert_eq!(calls(&logs), [1, 1, 0]);
    assert!(logs.iter().all(|log| log.is_idle()), "nobody waits in a queue, though the response is still there");
}

#[test]
fn a_vector_does_as_well_as_an_array() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Err("a")), (NOW, Ok(2))]);
    assert_eq!(world.run(Alternates::new(Vec::from(services)).oneshot(())), from(1, 2));
    assert_eq!(calls(&logs), [1, 1]);
}

#[test]
fn sixty_four_are_asked_in_their_order() {
    let asked = Rc::new(Cell::new(0));
    let service = |place: usize| {
        let asked = asked.clone();
        service_fn(move |()| {
            assert_eq!(asked.replace(asked.get() + 1), place);
            std::future::ready(if place == 63 { Ok(place) } else { Err("down") })
        })
    };
    let services: Vec<_> = (0..64).map(service).collect();
    let world = World::new();
    let answer = world.run(Alternates::new(services).oneshot(())).unwrap();
    assert_eq!((answer.alternate, answer.into_inner(), asked.get()), (63, 63, 64));
}

#[test]
#[should_panic(expected = "0 services are not from 1 to 64")]
fn none_are_refused() {
    let _ = Alternates::new([(); 0]);
}

#[test]
#[should_panic(expected = "65 services are not from 1 to 64")]
fn sixty_five_are_refused() {
    let _ = Alternates::new(vec![(); 65]);
}

#[test]
fn one_alone_is_as_it_is() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Err("a"))]);
    let (request, copies) = Request::new();
    assert_eq!(world.run(Alternates::new(services).oneshot(request)), Err("a"));
    assert_eq!((calls(&logs), copies.get()), (vec![1], 0));
}

#[test]
fn a_pending_response_says_what_it_does() {
    let world = World::new();
    let (services, _) = probes(&world, [(ms(5), Ok(1)), (NOW, Ok(2))]);
    let mut service = Alternates::new(services);
    assert!(poll_ready(&mut service).is_ready());
    let mut response = pin!(service.call(()));
    assert!(Woken::new().poll(response.as_mut()).is_pending());
    assert!(format!("{response:?}").contains("waiting"));
    assert_eq!(world.run(response.as_mut()), from(0, 1));
    assert!(format!("{response:?}").contains("answered"));
}

#[test]
fn an_answer_can_be_made_into_another_of_the_same_alternate() {
    let answered = Answered { alternate: 2, response: "42" }.map(str::parse::<u32>);
    assert_eq!(answered, Answered { alternate: 2, response: Ok(42) });
}
