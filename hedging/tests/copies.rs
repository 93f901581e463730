//! How often a request is copied, and which are not sent twice.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{
    cell::{Cell, RefCell},
    num::NonZeroU32,
    rc::Rc,
    time::Duration,
};

use evenkeel_hedging::{
    Alternates, AtOnce, Every, Hedge, HedgeLayer, NEVER, OnFailure, Repeat, Replay, Unlimited, Verdict,
};
use support::{World, ms};
use tower::{Layer, ServiceExt};
use tower_support::{Probe, Purse, Ready, Request, Told};

type Answers = Vec<(Duration, Result<u32, &'static str>)>;

const LATE: Duration = ms(100);

fn attempts(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// (calls, copies)
fn sent<D: evenkeel_hedging::Delays>(delays: D, max: Option<u32>, answers: Answers) -> (u32, u32) {
    let world = World::new();
    let (probe, log) = Probe::new(&world, answers);
    let (request, copies) = Request::new();
    let mut hedge = Hedge::new(delays, world.sleeper()).budget(Unlimited);
    if let Some(max) = max {
        hedge = hedge.max_attempts(attempts(max));
    }
    let _ = world.run(hedge.layer().layer(probe).oneshot(request));
    (log.calls.get(), copies.get())
}

#[test]
fn each_attempt_that_is_sent_costs_one_copy_and_the_last_is_moved() {
    let fails = |count| vec![(ms(0), Err("a")); count];
    assert_eq!(sent([ms(10); 2], None, fails(3)), (3, 2));
    assert_eq!(sent([ms(10); 5], Some(3), fails(9)), (3, 2));
    assert_eq!(sent(Every(ms(10)), None, fails(9)), (2, 1));
    assert_eq!(sent(Every(ms(10)), Some(4), fails(9)), (4, 3));
    assert_eq!(sent(AtOnce, Some(4), vec![(LATE, Ok(1)); 4]), (4, 3));
    assert_eq!(sent([ms(10), NEVER], None, vec![(LATE, Ok(1)); 3]), (2, 2), "a failure would have sent a third");
}

#[test]
fn a_request_that_is_answered_first_costs_the_copy_of_the_one_that_could_have_followed() {
    assert_eq!(sent(Every(ms(10)), None, vec![(ms(0), Ok(1))]), (1, 1));
    assert_eq!(sent([ms(10); 3], None, vec![(LATE, Ok(1)), (ms(0), Ok(2))]), (2, 2));
}

#[test]
fn where_none_can_follow_nothing_is_copied() {
    let fails = vec![(ms(0), Err("a")); 3];
    assert_eq!(sent(Every(ms(10)), Some(1), fails.clone()), (1, 0));
    assert_eq!(sent([Duration::ZERO; 0], None, fails.clone()), (1, 0));
    assert_eq!(sent(Vec::new(), None, fails), (1, 0));
}

#[test]
fn a_schedule_that_cannot_tell_its_length_costs_no_copy_too_many_either() {
    /// As long as the delays are short.
    #[derive(Clone)]
    struct Doubling(Duration);
    impl Iterator for Doubling {
        type Item = Duration;
        fn next(&mut self) -> Option<Duration> {
            self.0 *= 2;
            (self.0 < ms(5)).then_some(self.0)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (0, Some(99))
        }
    }
    let fails = vec![(ms(0), Err("a")); 9];
    assert_eq!(sent(Doubling(ms(1)), None, fails.clone()), (3, 2), "after 2 and 4 ms");
    assert_eq!(sent(Doubling(ms(4)), None, fails), (1, 0));
}

#[test]
fn one_service_alone_is_moved_its_request_and_the_last_alternate_as_well() {
    for count in 1..4_usize {
        let world = World::new();
        let (probe, log) = Probe::new(&world, []);
        let (request, copies) = Request::new();
        let _ = world.run(Alternates::new(vec![probe; count]).oneshot(request));
        assert_eq!((log.calls.get() as usize, copies.get() as usize), (count, count - 1));
    }
}

#[test]
fn delays_for_more_attempts_than_there_are_alternates_cost_neither_a_copy_nor_a_question_to_the_budget() {
    for count in 1..4_usize {
        for answer in [(LATE, Ok(1)), (ms(1), Err("a"))] {
            let world = World::new();
            let purse = Purse::of(9);
            let (probe, log) = Probe::new(&world, vec![answer; count]);
            let (request, copies) = Request::new();
            let race = Hedge::new([Duration::ZERO; 9], world.sleeper()).budget(purse.clone());
            let _ = world.run(Alternates::new(vec![probe; count]).policy(race).oneshot(request));
            assert_eq!((log.calls.get() as usize, copies.get() as usize), (count, count - 1));
            assert_eq!(purse.asked().len(), count - 1);
        }
    }
}

#[test]
fn alternates_of_which_few_may_be_asked_are_copied_for_those_alone() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, []);
    let (request, copies) = Request::new();
    let hedge = Hedge::new(OnFailure, world.sleeper()).max_attempts(attempts(2));
    let _ = world.run(Alternates::new(vec![probe; 4]).policy(hedge).oneshot(request));
    assert_eq!((log.calls.get(), copies.get()), (2, 1));
}

#[test]
fn a_request_that_must_not_be_sent_twice_is_sent_once_and_not_copied() {
    for (delays, answer) in [([ms(10); 2], (LATE, Ok(1))), ([Duration::ZERO; 2], (ms(0), Err("a")))] {
        let world = World::new();
        let (probe, log) = Probe::new(&world, [answer]);
        let (request, copies) = Request::new();
        let (purse, told) = (Purse::of(5), Told::default());
        let hedge = Hedge::new(delays, world.sleeper()).budget(purse.clone()).observe(told.clone());
        let service = hedge.layer().replay(|_: &Request| Repeat::Never).layer(probe);
        assert_eq!(world.run(service.oneshot(request)), answer.1);
        assert_eq!((log.calls.get(), log.ready_polls.get(), copies.get()), (1, 1, 0));
        assert!(world.slept().len() <= 1 && purse.asked().is_empty() && told.refused().is_empty());
    }
}

#[test]
fn alternates_send_a_request_that_must_not_be_sent_twice_once() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, []);
    let (request, copies) = Request::new();
    let service = Alternates::new([probe.clone(), probe]).replay(|_: &Request| Repeat::Never);
    assert_eq!(world.run(service.oneshot(request)), Err("no more"));
    assert_eq!((log.calls.get(), copies.get()), (1, 0));
}

#[test]
fn a_request_that_is_not_idempotent_is_not_hedged_by_time() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(LATE, Ok(1))]);
    let purse = Purse::of(5);
    let hedge = Hedge::new([ms(10), Duration::ZERO], world.sleeper()).budget(purse.clone());
    let service = hedge.layer().replay(|_: &()| Repeat::IfUnprocessed).layer(probe);
    assert_eq!(world.run(service.oneshot(())), Ok(1));
    assert_eq!((log.calls.get(), purse.asked().len()), (1, 0));
    assert_eq!(world.slept(), [LATE], "that of the probe; the layer's own timer is not armed");
}

#[test]
fn a_request_that_is_not_idempotent_is_sent_again_only_if_it_was_not_processed() {
    let calls = |verdicts: [Verdict; 2], alternates: bool| {
        let world = World::new();
        let (probe, log) = Probe::new(&world, [(ms(0), Ok(0)), (ms(0), Ok(1)), (ms(0), Ok(2))]);
        let judge = move |result: &Result<u32, &str>| match result {
            Ok(number @ 0..=1) => verdicts[*number as usize],
            Ok(_) | Err(_) => Verdict::success(),
        };
        let hedge = Hedge::new(AtOnce, world.sleeper()).when(judge).max_attempts(attempts(3)).budget(Unlimited);
        let once = |_: &()| Repeat::IfUnprocessed;
        if alternates {
            let service = Alternates::new(vec![probe; 3]).policy(hedge).replay(once);
            let _ = world.run(service.oneshot(()));
        } else {
            let _ = world.run(hedge.layer().replay(once).layer(probe).oneshot(()));
        }
        log.calls.get()
    };
    let [lost, throttled] = [Verdict::transient(), Verdict::throttled()];
    for alternates in [false, true] {
        assert_eq!(calls([lost, lost], alternates), 1);
        assert_eq!(calls([lost.unprocessed(), lost], alternates), 2);
        assert_eq!(calls([throttled, lost], alternates), 2);
        assert_eq!(calls([throttled, throttled], alternates), 3);
    }
}

/// Copies so many times.
struct Times {
    left: Cell<u32>,
    asked: RefCell<Vec<&'static str>>,
}

impl Times {
    fn new(left: u32) -> Rc<Self> {
        Rc::new(Self { left: Cell::new(left), asked: RefCell::default() })
    }
}

#[derive(Clone)]
struct By(Rc<Times>);

impl Replay<u8> for By {
    fn repeat(&self, _: &u8) -> Repeat {
        self.0.asked.borrow_mut().push("repeat");
        Repeat::Always
    }

    fn copy(&self, request: &u8) -> Option<u8> {
        self.0.asked.borrow_mut().push("copy");
        self.0.left.set(self.0.left.get().checked_sub(1)?);
        Some(*request)
    }
}

#[test]
fn whether_it_may_be_repeated_is_asked_once_and_for_a_copy_before_each_attempt_but_the_last() {
    let world = World::new();
    let (probe, _) = Probe::new(&world, []);
    let times = Times::new(9);
    let hedge = Hedge::new([Duration::ZERO; 2], world.sleeper()).budget(Unlimited);
    let _ = world.run(hedge.layer().replay(By(times.clone())).layer(probe).oneshot(1_u8));
    assert_eq!(*times.asked.borrow(), ["repeat", "copy", "copy"]);
}

#[test]
fn without_a_copy_no_further_attempt_is_sent_or_paid_for_or_waited_for() {
    for copies in 0..3_u32 {
        let world = World::new();
        let (purse, told) = (Purse::of(9), Told::default());
        let (probe, log) = Probe::new(&world, [(LATE, Ok(1)), (LATE, Ok(2)), (LATE, Ok(3))]);
        let hedge = Hedge::new([ms(10); 9], world.sleeper()).budget(purse.clone()).observe(told.clone());
        let service = hedge.layer().replay(By(Times::new(copies))).layer(probe);
        assert_eq!(world.run(service.oneshot(1_u8)), Ok(1));
        assert_eq!((log.calls.get(), log.ready_polls.get()), (copies + 1, copies + 1));
        assert_eq!((purse.asked().len(), purse.coins()), (copies as usize, 9 - copies));
        assert!(told.refused().is_empty());
    }
}

#[test]
fn readiness_is_not_reserved_for_an_attempt_of_which_there_is_no_copy() {
    let world = World::new();
    // The first fails while the second waits for its readiness, and calls for a third: of that there is no copy.
    let (probe, log) = Probe::new(&world, [(ms(20), Err("a")), (LATE, Ok(2))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::After(ms(30)), Ready::Never].into();
    let service = |replay| Hedge::new([ms(10); 9], world.sleeper()).budget(Unlimited).layer().replay(replay);
    let mut response = Box::pin(service(By(Times::new(1))).layer(probe).oneshot(1_u8));
    assert!(support::Woken::new().poll(response.as_mut()).is_pending());
    for _ in 0..5 {
        world.advance(ms(10));
        assert!(support::Woken::new().poll(response.as_mut()).is_pending());
        assert_eq!(log.reserved.get(), 0);
    }
    assert_eq!(log.counts(), (2, 0, 0, 1), "and no queue is joined");
    assert_eq!(world.run(response), Ok(2));
}

#[test]
fn a_short_layer_over_an_endless_schedule_sends_two() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, []);
    let (request, copies) = Request::new();
    let service = HedgeLayer::new(AtOnce, world.sleeper()).layer(probe);
    assert_eq!(world.run(service.oneshot(request)), Err("no more"));
    assert_eq!((log.calls.get(), copies.get()), (2, 1));
}
