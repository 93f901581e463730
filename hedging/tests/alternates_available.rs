//! Alternates of which some are known to be no use: by a predicate, by their breakers.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{
    cell::{Cell, RefCell},
    future::ready,
    rc::Rc,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerLayer, Error, State};
use evenkeel_hedging::{
    Alternates, Answered, AtOnce, Available, EachAvailable, Hedge, OnFailure, Repeat, Unlimited, Verdict,
};
use support::{World, ms};
use tower::{Layer, ServiceExt, service_fn};
use tower_support::{Purse, Told, probes};

const NOW: Duration = ms(0);

fn from(alternate: usize, response: u32) -> Result<Answered<u32>, &'static str> {
    Ok(Answered { alternate, response })
}

/// Those whose bit is set.
fn those(available: u32) -> impl Fn(usize) -> bool + Clone {
    move |place| available & 1 << place != 0
}

#[test]
fn those_that_are_not_available_are_passed_over() {
    for (available, answer, asked) in [
        (0b111, Err("c"), [1, 1, 1]),
        (0b110, Err("c"), [0, 1, 1]),
        (0b101, Err("c"), [1, 0, 1]),
        (0b010, Err("b"), [0, 1, 0]),
        (0b001, Err("a"), [1, 0, 0]),
        // That all are no use is not heeded.
        (0b000, Err("c"), [1, 1, 1]),
    ] {
        let world = World::new();
        let (services, logs) = probes(&world, [(NOW, Err("a")), (NOW, Err("b")), (NOW, Err("c"))]);
        let service = Alternates::new(services).available(those(available));
        assert_eq!(world.run(service.oneshot(())), answer, "{available:b}");
        assert_eq!(logs.map(|log| log.calls.get()), asked, "{available:b}");
    }
}

#[test]
fn the_answer_and_the_observer_name_the_alternate_by_its_place_and_not_by_its_turn() {
    let world = World::new();
    let told = Told::default();
    let (services, _) = probes(&world, [(NOW, Ok(1)), (NOW, Err("b")), (NOW, Ok(3))]);
    let race = Hedge::on_failure(world.sleeper()).observe(told.clone());
    let service = Alternates::new(services).policy(race).available(those(0b110));
    assert_eq!(world.run(service.oneshot(())), from(2, 3));
    assert_eq!(told.sent(), [(0, 1), (1, 2)]);
    assert_eq!(told.answers()[0].attempt.alternate, 2);
}

#[test]
fn it_is_asked_anew_before_each_attempt() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(10), Err("a")), (NOW, Ok(2)), (NOW, Ok(3))]);
    let asked = Rc::new(RefCell::new(vec![]));
    // The second is available when the request begins, and no longer when it is its turn.
    let is_available = {
        let (world, asked) = (world.clone(), asked.clone());
        move |place: usize| {
            asked.borrow_mut().push((place, world.elapsed()));
            place != 1 || world.elapsed().is_zero()
        }
    };
    assert_eq!(world.run(Alternates::new(services).available(is_available).oneshot(())), from(2, 3));
    assert_eq!(logs[1].ready_polls.get(), 0);
    let asked = asked.borrow();
    assert_eq!(asked[0], (0, NOW));
    assert!(asked[1..].iter().all(|(_, at)| *at == ms(10)), "{asked:?}");
    assert!([1, 2].iter().all(|place| asked[1..].contains(&(*place, ms(10)))), "{asked:?}");
}

#[test]
fn a_hedge_for_which_nobody_is_available_is_given_back_and_those_in_flight_go_on() {
    let world = World::new();
    let purse = Purse::of(5);
    let (services, logs) = probes(&world, [(ms(50), Ok(1)), (NOW, Ok(2))]);
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(purse.clone());
    let service = Alternates::new(services).policy(hedge).available(those(0b01));
    assert_eq!(world.run(service.oneshot(())), from(0, 1));
    assert_eq!((logs[1].ready_polls.get(), purse.coins()), (0, 5));
}

#[test]
fn racing_asks_those_that_are_available() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(50), Ok(1)), (ms(10), Ok(2)), (ms(20), Ok(3))]);
    let race = Hedge::new(AtOnce, world.sleeper()).budget(Unlimited);
    let service = Alternates::new(services).policy(race).available(those(0b101));
    assert_eq!(world.run(service.oneshot(())), from(2, 3));
    assert_eq!(logs.map(|log| log.calls.get()), [1, 0, 1]);
}

#[test]
fn a_type_that_knows_and_a_reference_do_as_well_as_a_function() {
    #[derive(Clone)]
    struct Last;
    impl Available for Last {
        fn is_available(&self, place: usize) -> bool {
            place == 1
        }
    }
    let world = World::new();
    let answers = [(NOW, Ok(1)), (NOW, Ok(2))];
    let (services, _) = probes(&world, answers);
    assert_eq!(world.run(Alternates::new(services).health(Last).oneshot(())), from(1, 2));
    let (services, _) = probes(&world, answers);
    assert_eq!(world.run(Alternates::new(services).health(EachAvailable).oneshot(())), from(0, 1));
    let only = Cell::new(1);
    let is_available = |place| place == only.get();
    let (services, _) = probes(&world, answers);
    assert_eq!(world.run(Alternates::new(services).available(&is_available).oneshot(())), from(1, 2));
}

/// A breaker that opens with one failure, for a second.
fn breaker<C: Fn() -> Instant>(clock: C) -> Breaker<C> {
    Breaker::builder().consecutive_failures(1).open_for([ms(1000)]).clock(clock).build().unwrap()
}

#[test]
fn a_rejection_by_a_breaker_asks_the_next_at_once() {
    let world = World::new();
    let breakers = [breaker(world.clock()), breaker(world.clock())];
    let (services, logs) = probes(&world, [(ms(10), Err("down")), (NOW, Ok(2))]);
    logs[1].answers.borrow_mut().push_back((NOW, Ok(3)));
    let [primary, secondary] = services;
    let layer = |breaker: &Breaker<_>| BreakerLayer::new(breaker.clone());
    let service = Alternates::new([layer(&breakers[0]).layer(primary), layer(&breakers[1]).layer(secondary)]);
    for (response, elapsed) in [(2, ms(10)), (3, ms(10))] {
        assert_eq!(world.run(service.clone().oneshot(())), Ok(Answered { alternate: 1, response }));
        assert_eq!(world.elapsed(), elapsed);
    }
    assert_eq!(logs.map(|log| log.calls.get()), [1, 2]);
    assert_eq!(breakers.map(|breaker| breaker.state()), [State::Open, State::Closed]);
}

#[test]
fn a_rejection_that_is_called_unprocessed_asks_the_next_for_a_request_that_must_not_be_processed_twice() {
    for (unprocessed, asked) in [(true, 1), (false, 0)] {
        let world = World::new();
        let breakers = [breaker(world.clock()), breaker(world.clock())];
        breakers[0].force_open();
        let (services, logs) = probes(&world, [(NOW, Ok(1)), (NOW, Ok(2))]);
        let [primary, secondary] = services;
        let layer = |breaker: &Breaker<_>| BreakerLayer::new(breaker.clone());
        let stack = [layer(&breakers[0]).layer(primary), layer(&breakers[1]).layer(secondary)];
        let judge = move |result: &Result<u32, Error<&str>>| match result {
            Ok(_) => Verdict::success(),
            Err(Error::Open(_)) if unprocessed => Verdict::transient().unprocessed(),
            Err(_) => Verdict::transient(),
        };
        let hedge = Hedge::new(OnFailure, world.sleeper()).when(judge);
        let service = Alternates::new(stack).policy(hedge).replay(|(): &()| Repeat::IfUnprocessed);
        let answer = world.run(service.oneshot(()));
        assert_eq!((answer.is_ok(), logs[1].calls.get()), (unprocessed, asked));
    }
}

#[test]
fn when_all_breakers_are_open_the_answer_is_their_rejection() {
    let open = Breaker::new();
    open.force_open();
    let world = World::new();
    let service = |_| BreakerLayer::new(open.clone()).layer(service_fn(|()| ready(Ok::<(), &str>(()))));
    let alternates = Alternates::new([0, 1].map(service)).available(|_| false);
    assert!(matches!(world.run(alternates.oneshot(())), Err(Error::Open(_))));
}

#[test]
fn one_whose_breaker_is_open_is_skipped_until_it_would_be_probed_and_is_used_again_when_it_has_recovered() {
    let world = World::new();
    let breakers = [breaker(world.clock()), breaker(world.clock())];
    let (services, logs) = probes(&world, [(NOW, Err("down")), (NOW, Ok(2))]);
    logs[0].answers.borrow_mut().extend([(ms(500), Ok(1)), (NOW, Ok(1))]);
    logs[1].answers.borrow_mut().extend([(NOW, Ok(2)); 9]);
    let [primary, secondary] = services;
    let layer = |breaker: &Breaker<_>| BreakerLayer::new(breaker.clone());
    let stack = [layer(&breakers[0]).layer(primary), layer(&breakers[1]).layer(secondary)];
    let is_available = {
        let (breakers, clock) = (breakers.clone(), world.clock());
        move |place: usize| breakers[place].ready_at().is_some_and(|at| at <= clock())
    };
    let hedge = Hedge::after(ms(100), world.sleeper()).budget(Unlimited);
    let service = Alternates::new(stack).policy(hedge).available(is_available);
    let answer = || world.run(service.clone().oneshot(())).unwrap().alternate;
    assert_eq!((answer(), logs[0].calls.get()), (1, 1), "it fails, and its breaker opens");
    assert_eq!((answer(), logs[0].ready_polls.get()), (1, 1), "it is skipped");
    world.advance(ms(1000));
    assert_eq!((answer(), logs[0].calls.get()), (1, 2), "the probe is slow, and covered by the second");
    assert_eq!(world.elapsed(), ms(1100));
    // It was dropped, and said nothing.
    assert_eq!((answer(), logs[0].calls.get()), (0, 3));
    assert_eq!(breakers[0].state(), State::Closed);
}
