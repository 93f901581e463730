//! Code of others that panics in a hedge: what it leaves, and what follows when the future is polled again.
#![cfg(not(loom))]

mod support;

use std::{
    cell::Cell,
    future::{Future, ready},
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::Poll,
};

use evenkeel_hedging::{
    Answer, Attempt, Cause, Hedge, InFlightBudget, Observer, OnFailure, Quantile, TokenBudget, Verdict,
};
use support::{Woken, World, ms};

/// Panics the first time that it is asked at this count.
struct Bug {
    at: u32,
    count: Cell<u32>,
}

impl Bug {
    fn at(at: u32) -> Self {
        Self { at, count: Cell::new(0) }
    }

    fn bites(&self) {
        let count = self.count.replace(self.count.get() + 1);
        assert!(count != self.at, "a bug in code that is not ours");
    }
}

fn bug() -> Result<(), ()> {
    panic!("the attempt's own bug")
}

fn panics<F: Future>(world: &World, run: Pin<&mut F>) {
    assert!(catch_unwind(AssertUnwindSafe(|| drop(world.run(run)))).is_err());
}

fn five_fail(attempt: u32) -> Result<u32, u32> {
    if attempt < 5 { Err(attempt) } else { Ok(attempt) }
}

#[test]
fn an_operation_that_panics_is_called_again_with_the_same_number() {
    let world = World::new();
    let budget = TokenBudget::default();
    for at in 0..6 {
        let bug = Bug::at(at);
        let hedge = Hedge::new([ms(10); 5], world.sleeper()).budget(TokenBudget::clone(&budget));
        let before = budget.balance();
        let mut run = pin!(hedge.run(|attempt| {
            bug.bites();
            ready(five_fail(attempt))
        }));
        panics(&world, run.as_mut());
        assert_eq!(world.run(run.as_mut()), Ok(5), "and none was lost");
        assert_eq!(bug.count.get(), 7);
        assert_eq!(budget.balance(), before - 4 * 14, "five were paid for, once each, and the last is given back");
    }
}

#[test]
fn an_operation_that_panics_and_is_dropped_has_cost_what_was_sent() {
    let world = World::new();
    let (budget, places) = (TokenBudget::default(), InFlightBudget::default());
    for at in 0..4_u32 {
        let (bug, before) = (Bug::at(at), budget.balance());
        {
            let hedge = Hedge::new([ms(10); 5], world.sleeper()).budget((&budget, &places));
            let mut run = pin!(hedge.run(|attempt| {
                bug.bites();
                ready(five_fail(attempt))
            }));
            panics(&world, run.as_mut());
        }
        assert_eq!(budget.balance(), before - 14 * at.saturating_sub(1), "the one that was not sent is given back");
        assert_eq!((places.snapshot().originals, places.snapshot().extras), (0, 0));
    }
}

#[test]
fn an_attempt_that_panics_in_flight_holds_nothing_when_it_is_dropped() {
    let world = World::new();
    let (budget, places) = (TokenBudget::default(), InFlightBudget::default());
    let hedge = Hedge::new([ms(10); 2], world.sleeper()).budget((&budget, &places));
    {
        let mut run = pin!(hedge.run(|_| {
            let world = world.clone();
            async move {
                world.after(ms(100)).await;
                bug()
            }
        }));
        panics(&world, run.as_mut());
        assert_eq!(places.snapshot().extras, 2, "those beside it are still in flight");
    }
    assert_eq!((places.snapshot().originals, places.snapshot().extras), (0, 0));
    assert_eq!(budget.balance(), budget.capacity() - 2 * 14, "two were sent");
}

#[test]
fn a_classifier_that_panics_loses_that_result_alone() {
    let world = World::new();
    for at in 0..6 {
        let bug = Bug::at(at);
        let places = InFlightBudget::default();
        let hedge = Hedge::new([ms(10); 5], world.sleeper()).budget(&places).when(|answer: &Result<u32, u32>| {
            bug.bites();
            if answer.is_ok() { Verdict::success() } else { Verdict::transient() }
        });
        {
            let mut run = pin!(hedge.run(|attempt| ready(five_fail(attempt))));
            panics(&world, run.as_mut());
            assert_eq!(places.snapshot().extras, 0, "that attempt has ended");
            let again = catch_unwind(AssertUnwindSafe(|| world.run(run.as_mut())));
            match at {
                0 => assert!(again.is_err(), "there is nothing to answer with"),
                _ => assert_eq!(again.unwrap(), Err(at - 1), "the best of those before"),
            }
        }
        assert_eq!(places.snapshot().originals, 0);
        assert_eq!(world.run(hedge.run(|attempt| ready(five_fail(attempt)))), Ok(5), "and the policy works on");
    }
}

#[test]
fn a_sleeper_that_panics_loses_no_result() {
    let world = World::new();
    let budget = TokenBudget::default();
    for at in 0..3 {
        let (bug, sleep) = (Bug::at(at), world.sleeper());
        let sleeper = |delay| {
            bug.bites();
            sleep(delay)
        };
        let hedge = Hedge::new([ms(10); 3], sleeper).budget(&budget);
        let mut run =
            pin!(hedge.run(|attempt| world.answer(ms(if attempt == 3 { 1 } else { 100 }), Ok::<_, ()>(attempt))));
        panics(&world, run.as_mut());
        assert_eq!(world.run(run.as_mut()), Ok(3), "it is asked for the same delay again");
    }
    let (bug, sleep) = (Bug::at(0), world.sleeper());
    let sleeper = |delay| {
        bug.bites();
        sleep(delay)
    };
    let hedge = Hedge::new(OnFailure, sleeper).when(|_: &Result<(), u32>| Verdict::throttled().exactly(ms(10)));
    let mut run = pin!(hedge.run(|attempt| ready(Err(attempt))));
    panics(&world, run.as_mut());
    assert_eq!(world.run(run.as_mut()), Err(0), "the failure that it was asked for is kept");
}

#[test]
fn a_sleeper_that_panics_at_the_first_delay_leaves_the_estimate_unasked() {
    let world = World::new();
    let quantile = Quantile::builder(0.5).warm_up(NonZeroU32::MIN).clock(world.clock()).build().unwrap();
    quantile.record(ms(5));
    let (reads, told) = (world.clock_reads(), || (quantile.snapshot().count, quantile.snapshot().longer));
    let (bug, sleep, calls) = (Bug::at(0), world.sleeper(), Cell::new(0));
    let sleeper = |delay| {
        bug.bites();
        sleep(delay)
    };
    let hedge = Hedge::new(quantile.clone(), sleeper).budget(TokenBudget::default());
    {
        let mut run = pin!(hedge.run(|attempt| {
            calls.set(calls.get() + 1);
            world.answer(ms(if attempt == 0 { 100 } else { 1 }), Ok::<_, ()>(attempt))
        }));
        let woken = Woken::new();
        assert!(catch_unwind(AssertUnwindSafe(|| woken.poll(run.as_mut()).is_ready())).is_err());
        assert_eq!((world.clock_reads(), calls.get()), (reads, 1), "the clock is not read before there is a sleep");
        assert_eq!(told(), (1, 0), "nor is anything told");
        assert!(woken.poll(run.as_mut()).is_pending());
        assert_eq!((world.clock_reads(), calls.get()), (reads + 1, 1));
        world.advance(ms(6));
        assert!(woken.poll(run.as_mut()).is_pending());
        assert_eq!(calls.get(), 2, "the delay goes on as if nothing had been");
        world.advance(ms(2));
        assert_eq!(woken.poll(run.as_mut()), Poll::Ready(Ok(1)));
    }
    assert_eq!(told(), (1, 1), "the one that lost took longer than it was given, and is told once");
}

/// Panics at one of the four.
struct Buggy<'a>(&'a str, &'a Bug);

impl Observer for Buggy<'_> {
    fn on_attempt(&self, _: Attempt) {
        self.hears("attempt");
    }

    fn on_verdict(&self, _: Attempt, _: Verdict) {
        self.hears("verdict");
    }

    fn on_refused(&self, _: Cause) {
        self.hears("refused");
    }

    fn on_answer(&self, _: Answer) {
        self.hears("answer");
    }
}

impl Buggy<'_> {
    fn hears(&self, what: &str) {
        if what == self.0 {
            self.1.bites();
        }
    }
}

#[test]
fn an_observer_that_panics_finds_all_settled_and_the_race_goes_on() {
    let world = World::new();
    let one_retry = || TokenBudget::new(20, evenkeel_hedging::Costs::REVISION_2026);
    for (what, at) in [("attempt", 0), ("attempt", 1), ("verdict", 0), ("verdict", 1), ("refused", 0)] {
        let (bug, budget) = (Bug::at(at), one_retry());
        let buggy = Buggy(what, &bug);
        let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(&budget).observe(&buggy);
        let mut run = pin!(hedge.run(|attempt| ready(Err::<(), _>(attempt))));
        panics(&world, run.as_mut());
        assert_eq!(world.run(run.as_mut()), Err(1), "{what} {at}");
        assert_eq!(budget.balance(), 6);
    }
    for what in ["verdict", "answer"] {
        let (bug, places) = (Bug::at(0), InFlightBudget::default());
        let buggy = Buggy(what, &bug);
        let hedge = Hedge::new([ms(10); 2], world.sleeper()).budget(&places).observe(&buggy);
        let latency = |attempt| ms(if attempt == 2 { 1 } else { 100 });
        let mut run = pin!(hedge.run(|attempt| world.answer(latency(attempt), Ok::<_, ()>(attempt))));
        panics(&world, run.as_mut());
        assert_eq!(places.snapshot().extras, 0, "the losers are dropped");
        let again = catch_unwind(AssertUnwindSafe(|| Woken::new().poll(run.as_mut())));
        let message = again.unwrap_err();
        assert_eq!(message.downcast_ref(), Some(&"polled after it has answered"));
    }
}

#[test]
fn a_request_that_panics_is_in_the_estimate_as_one_that_was_dropped() {
    let world = World::new();
    let quantile = Quantile::builder(0.95).clock(world.clock()).build().unwrap();
    let hedge = Hedge::new(quantile.clone(), world.sleeper());
    let count = || quantile.snapshot().longer;
    for counted in 1..3 {
        let mut run = Box::pin(hedge.run(|_| {
            let world = world.clone();
            async move {
                world.after(ms(100)).await;
                bug()
            }
        }));
        panics(&world, run.as_mut());
        drop(run);
        assert_eq!(count(), counted);
    }
    assert_eq!(world.run(hedge.run(|_| world.answer(ms(5), Ok::<_, ()>(1)))), Ok(1));
    assert_eq!((count(), quantile.snapshot().count), (2, 1));
}

#[test]
#[should_panic(expected = "polled after it has answered")]
fn polled_after_it_has_answered_it_panics() {
    let world = World::new();
    let hedge = Hedge::after(ms(1), world.sleeper());
    let mut run = pin!(hedge.run(|_| ready(Ok::<_, ()>(()))));
    assert_eq!(Woken::new().poll(run.as_mut()), Poll::Ready(Ok(())));
    let _ = Woken::new().poll(run.as_mut());
}
