//! The stories of a hedge that is dropped: what is released, and what the budget and the estimate then know.
#![cfg(not(loom))]

mod support;

use std::{
    cell::{Cell, RefCell},
    future::{pending, poll_fn},
    num::NonZeroU32,
    pin::pin,
    rc::Rc,
    task::Poll,
};

use evenkeel_hedging::{
    AtOnce, Delays, End, Every, Hedge, InFlightBudget, Outcome, Quantile, RatioBudget, TokenBudget, Verdict,
};
use support::{
    Flag, Woken, World, ms,
    spies::{Event, Scribe, SpyBudget},
};

const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();

// 56
#[test]
fn dropped_at_any_await_it_leaves_the_budgets_as_if_the_rest_had_not_been_meant() {
    let mut most_sent = 0;
    for polls in 0..10 {
        let world = World::new();
        let tokens = TokenBudget::default();
        let places = InFlightBudget::default();
        let ratio = RatioBudget::builder().ratio(2.0).min_per_second(0).clock(world.clock()).build().unwrap();
        let sent = Cell::new(0);
        // By time, after a failure, and after a hint.
        let hedge = Hedge::new([ms(10); 5], world.sleeper())
            .budget((&tokens, (&places, &ratio)))
            .when(|answer: &Result<(), Verdict>| answer.map_or_else(|verdict| verdict, |()| Verdict::success()));
        let mut run = Box::pin(hedge.run(|attempt| {
            sent.set(sent.get() + 1);
            let answers =
                [(45, Verdict::transient()), (5, Verdict::transient()), (7, Verdict::throttled().exactly(ms(20)))];
            let (latency, answer) = answers.get(attempt as usize).copied().unwrap_or((1_000, Verdict::transient()));
            world.answer(ms(latency), Err::<(), _>(answer))
        }));
        let woken = Woken::new();
        for _ in 0..polls {
            assert!(woken.poll(run.as_mut()).is_pending());
            world.advance(ms(5));
        }
        drop(run);
        let extra = sent.get().max(1) - 1;
        most_sent = most_sent.max(sent.get());
        let paid = tokens.capacity() - tokens.balance();
        assert!(paid <= 14 * extra && paid >= 5 * extra, "dropped after {polls} polls: {paid} for {extra}");
        assert_eq!((places.snapshot().originals, places.snapshot().extras), (0, 0), "dropped after {polls} polls");
        let ratio = ratio.snapshot();
        assert_eq!((ratio.deposits, ratio.withdrawals), (u64::from(polls > 0), u64::from(extra).min(2)));
    }
    assert_eq!(most_sent, 3, "as many as the ratio pays for");
}

#[test]
fn a_request_that_is_never_polled_has_no_account() {
    let world = World::new();
    let scribe = Scribe::new(&world);
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(SpyBudget::new(&scribe, &[]));
    drop(hedge.run(|attempt| {
        scribe.note(Event::Sent(attempt));
        pending::<Result<(), ()>>()
    }));
    assert_eq!(scribe.take(), []);
}

#[test]
fn a_hedge_that_only_waits_has_asked_the_budget_for_nothing() {
    let world = World::new();
    let budget = TokenBudget::default();
    let hedge = Hedge::after(ms(10), world.sleeper()).budget(&budget);
    {
        let mut run = pin!(hedge.run(|_| pending::<Result<(), ()>>()));
        let woken = Woken::new();
        assert!(woken.poll(run.as_mut()).is_pending());
        assert_eq!(budget.balance(), budget.capacity());
        world.advance(ms(10));
        assert!(woken.poll(run.as_mut()).is_pending());
        assert_eq!(budget.balance(), budget.capacity() - 14);
    }
    assert_eq!(budget.balance(), budget.capacity() - 14, "the service had the load");
}

#[test]
fn all_in_flight_are_dropped_with_it() {
    let world = World::new();
    let flags: [Rc<Cell<bool>>; 3] = Default::default();
    let hedge = Hedge::new([ms(0); 2], world.sleeper());
    {
        let mut run = pin!(hedge.run(|attempt| {
            let flag = Flag(Rc::clone(&flags[attempt as usize]));
            async move {
                let _flag = flag;
                pending::<Result<(), ()>>().await
            }
        }));
        assert!(Woken::new().poll(run.as_mut()).is_pending());
        assert!(flags.iter().all(|flag| !flag.get()));
    }
    assert!(flags.iter().all(|flag| flag.get()));
}

/// One more that is dropped in flight, as the log has it.
struct InFlight(Scribe, u32);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.note(Event::Lost(self.1));
    }
}

#[test]
fn dropped_or_answered_the_latest_goes_first_each_with_its_token_and_the_account_is_closed_after_them() {
    for is_answered in [true, false] {
        let world = World::new();
        let scribe = Scribe::new(&world);
        let hedge = Hedge::new([ms(0); 3], world.sleeper()).budget(SpyBudget::new(&scribe, &[]));
        let answers = Cell::new(false);
        {
            let mut run = pin!(hedge.run(|attempt| {
                let (flight, answers) = (InFlight(scribe.clone(), attempt), &answers);
                poll_fn(move |_| {
                    let InFlight(_, attempt) = &flight;
                    if *attempt == 0 && answers.get() { Poll::Ready(Ok::<_, ()>(())) } else { Poll::Pending }
                })
            }));
            let woken = Woken::new();
            assert!(woken.poll(run.as_mut()).is_pending());
            scribe.take();
            answers.set(is_answered);
            assert_eq!(woken.poll(run.as_mut()).is_ready(), is_answered);
        }
        let log = scribe.take().into_iter().map(|(_, event)| event);
        let others =
            [Event::Lost(3), Event::Freed(2), Event::Lost(2), Event::Freed(1), Event::Lost(1), Event::Freed(0)];
        // The first has none, and goes when it has answered, or as the last.
        if is_answered {
            let heard = [Event::Lost(0), Event::Recorded(Outcome::Success)];
            assert!(log.eq(heard.into_iter().chain(others).chain([Event::Closed])));
        } else {
            assert!(log.eq(others.into_iter().chain([Event::Lost(0), Event::Closed])));
        }
    }
}

#[test]
fn dropped_it_shows_no_extras_of_no_original() {
    /// Looks at the budget when it is dropped.
    struct Looks<'a>(&'a InFlightBudget, &'a RefCell<Vec<(u32, u32)>>);

    impl Drop for Looks<'_> {
        fn drop(&mut self) {
            let snapshot = self.0.snapshot();
            self.1.borrow_mut().push((snapshot.originals, snapshot.extras));
        }
    }

    let world = World::new();
    let budget = InFlightBudget::builder().share(0.0).min_concurrency(2).build().unwrap();
    let seen = RefCell::new(vec![]);
    let hedge = Hedge::new(AtOnce, world.sleeper()).budget(&budget).max_attempts(THREE);
    {
        let mut run = pin!(hedge.run(|_| {
            let looks = Looks(&budget, &seen);
            async move {
                let _looks = looks;
                pending::<Result<(), ()>>().await
            }
        }));
        assert!(Woken::new().poll(run.as_mut()).is_pending());
        assert_eq!((budget.snapshot().originals, budget.snapshot().extras), (1, 2));
    }
    assert_eq!(seen.take(), [(1, 2), (1, 1), (1, 0)]);
    assert_eq!((budget.snapshot().originals, budget.snapshot().extras), (0, 0));
}

/// Remembers how first attempts ended, and after how many milliseconds.
#[derive(Clone)]
struct Ends(World, Rc<RefCell<Vec<(u64, End)>>>);

impl Delays for Ends {
    type Session = std::iter::Repeat<std::time::Duration>;
    type Started = u64;

    fn session(&self) -> Self::Session {
        Every(ms(10)).into_iter()
    }

    fn start(&self) -> u64 {
        self.0.millis()
    }

    fn end(&self, started: u64, end: End) {
        self.1.borrow_mut().push((self.0.millis() - started, end));
    }
}

#[test]
fn the_end_of_the_first_attempt_is_told_once_however_it_comes() {
    let world = World::new();
    let ends = Ends(world.clone(), Rc::default());
    let hedge = Hedge::new(ends.clone(), world.sleeper()).when(|answer: &Result<u16, ()>| match answer {
        Ok(503) => Verdict::transient(),
        Ok(404) => Verdict::permanent(),
        _ => Verdict::success(),
    });
    let told = |answers: [(u64, u16); 2]| {
        let answer = world.run(hedge.run(|attempt| {
            let (latency, answer) = answers[attempt as usize];
            world.answer(ms(latency), Ok(answer))
        }));
        assert!(answer.is_ok());
        ends.1.take()
    };
    assert_eq!(told([(30, 200), (90, 200)]), [(30, End::Succeeded)]);
    assert_eq!(told([(30, 200), (5, 200)]), [(15, End::Dropped)], "a loser took at least so long");
    assert_eq!(told([(30, 404), (90, 200)]), [(30, End::Failed)]);
    assert_eq!(told([(3, 503), (90, 200)]), [(3, End::Failed)], "and the other's time is not the first one's");
    assert_eq!(told([(30, 503), (5, 503)]), [(30, End::Failed)]);
    {
        let mut run = pin!(hedge.run(|_| pending()));
        assert!(Woken::new().poll(run.as_mut()).is_pending());
        world.advance(ms(7));
    }
    assert_eq!(ends.1.take(), [(7, End::Dropped)]);
    drop(hedge.run(|_| pending()));
    assert_eq!(ends.1.take(), [], "it was not sent");
}

// 49
#[test]
fn a_loser_is_in_the_estimate_as_one_that_took_longer() {
    let world = World::new();
    let quantile = Quantile::builder(0.95).until_warm(ms(10)).clock(world.clock()).build().unwrap();
    let hedge = Hedge::new(quantile.clone(), world.sleeper());
    let run = hedge.run(|attempt| world.answer(ms(if attempt == 0 { 500 } else { 1 }), Ok::<_, ()>(attempt)));
    assert_eq!(world.run(run), Ok(1));
    let seen = quantile.snapshot();
    assert_eq!((seen.count, seen.longer, seen.p99), (0, 1, None));
}
