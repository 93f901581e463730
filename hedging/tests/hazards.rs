//! What went wrong in libraries of this kind: the hazards of hedging, each with the story that rules it out.
#![cfg(not(loom))]

mod support;

use std::{
    cell::Cell,
    future::{pending, ready},
    num::NonZeroU32,
    pin::pin,
    rc::Rc,
};

use evenkeel_hedging::{Hedge, InFlightBudget, OnFailure, Quantile, RatioBudget, TokenBudget, Unlimited, Verdict};
use support::{
    Flag, World, ms,
    spies::{Event, Scribe, SpyBudget},
};

const LATE: u64 = 5_000;

fn status(answer: &Result<u16, ()>) -> Verdict {
    match answer {
        Ok(429) => Verdict::throttled(),
        Ok(500..) | Err(()) => Verdict::transient(),
        Ok(400..) => Verdict::permanent(),
        Ok(_) => Verdict::success(),
    }
}

// 45
#[test]
fn a_failure_that_comes_first_does_not_beat_a_success_that_is_pending() {
    let world = World::new();
    let hedge = Hedge::after(ms(10), world.sleeper());
    let answers = [(LATE, Ok("late")), (1, Err("fast"))];
    let run = hedge.run(|attempt| {
        let (latency, answer) = answers[attempt as usize];
        world.answer(ms(latency), answer)
    });
    assert_eq!(world.run(run), Ok("late"));
    assert_eq!(world.millis(), LATE);
}

// 46
#[test]
fn an_ok_that_is_a_failure_does_not_win() {
    let world = World::new();
    let hedge = Hedge::after(ms(10), world.sleeper()).when(status);
    let answers = [(LATE, Ok(200)), (1, Ok(503))];
    let run = hedge.run(|attempt| {
        let (latency, answer) = answers[attempt as usize];
        world.answer(ms(latency), answer)
    });
    assert_eq!(world.run(run), Ok(200));
    assert_eq!(world.run(hedge.run(|_| ready(Ok(503)))), Ok(503), "it comes back as it was when all have failed");
}

// 47
#[test]
fn a_permanent_failure_is_not_sent_again() {
    let world = World::new();
    let sent = Cell::new(0);
    for hedge in [Hedge::after(ms(10), world.sleeper()), Hedge::after(ms(0), world.sleeper())] {
        let hedge = hedge.when(status).max_attempts(NonZeroU32::new(5).unwrap());
        sent.set(0);
        let answer = world.run(hedge.run(|_| {
            sent.set(sent.get() + 1);
            ready(Ok(404))
        }));
        assert_eq!((answer, sent.get()), (Ok(404), 1));
    }
}

// 48
#[test]
fn a_brown_out_does_not_double_the_load() {
    const REQUESTS: u32 = 1_000;
    let load = |hedges: &dyn Fn(&World, &Cell<u32>)| {
        let (world, sent) = (World::new(), Cell::new(0));
        for _ in 0..REQUESTS {
            hedges(&world, &sent);
        }
        sent.get()
    };
    // Every call takes longer than the delay of the hedge, and succeeds.
    let slow = |world: &World, sent: &Cell<u32>| {
        sent.set(sent.get() + 1);
        world.answer(ms(100), Ok::<_, ()>(()))
    };
    let unlimited = load(&|world, sent| {
        let hedge = Hedge::after(ms(10), world.sleeper()).budget(Unlimited);
        world.run(hedge.run(|_| slow(world, sent))).unwrap();
    });
    assert_eq!(unlimited, 2 * REQUESTS);
    let budget = TokenBudget::default();
    let tokens = load(&|world, sent| {
        let hedge = Hedge::after(ms(10), world.sleeper()).budget(&budget);
        world.run(hedge.run(|_| slow(world, sent))).unwrap();
    });
    // What the bucket held, and one token of 14 for each success since.
    assert_eq!(tokens, REQUESTS + (500 + REQUESTS) / 14);
    let clock = World::new();
    let budget = RatioBudget::builder().ratio(0.1).min_per_second(0).clock(clock.clock()).build().unwrap();
    let ratio = load(&|world, sent| {
        let hedge = Hedge::after(ms(10), world.sleeper()).budget(&budget);
        world.run(hedge.run(|_| slow(world, sent))).unwrap();
    });
    assert_eq!(ratio, REQUESTS + REQUESTS / 10);
}

// 52
#[test]
fn the_winner_does_not_wait_for_the_losers() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 3], world.sleeper());
    let lost = Rc::new(Cell::new(0));
    let answer = world.run(hedge.run(|attempt| {
        let (world, lost) = (world.clone(), OnDrop(Rc::clone(&lost)));
        async move {
            let _lost = lost;
            if attempt < 3 {
                pending::<()>().await;
            }
            world.answer(ms(1), Ok::<_, ()>(attempt)).await
        }
    }));
    assert_eq!((answer, world.millis(), lost.get()), (Ok(3), 31, 4));
}

struct OnDrop(Rc<Cell<u32>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

// 53
#[test]
fn a_refused_hedge_does_not_kill_the_attempts_in_flight() {
    let world = World::new();
    let scribe = Scribe::new(&world);
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(SpyBudget::new(&scribe, &[true, false]));
    let latencies = [LATE, 300];
    let answer = world.run(hedge.run(|attempt| world.answer(ms(latencies[attempt as usize]), Ok::<_, ()>(attempt))));
    assert_eq!((answer, world.millis()), (Ok(1), 310));
    assert!(scribe.take().contains(&(20, Event::Asked(evenkeel_hedging::Cause::Hedge, false))));
}

// 54
#[test]
fn losers_leak_no_permits() {
    let world = World::new();
    let budget = InFlightBudget::builder().share(0.0).min_concurrency(3).build().unwrap();
    let connections = Rc::new(());
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(budget.clone());
    for _ in 0..10 {
        let mut run = pin!(hedge.run(|attempt| {
            let (world, connection) = (world.clone(), Rc::clone(&connections));
            async move {
                world.after(ms(if attempt == 3 { 1 } else { LATE })).await;
                drop(connection);
                Ok::<_, ()>(attempt)
            }
        }));
        assert_eq!(world.run(run.as_mut()), Ok(3));
        assert_eq!(budget.snapshot().extras, 0, "though the future is still there");
        assert_eq!(Rc::strong_count(&connections), 1);
    }
    assert_eq!((budget.snapshot().originals, budget.snapshot().extras), (0, 0));
}

// 54
#[test]
fn a_failed_result_that_was_kept_is_dropped_when_another_wins() {
    let world = World::new();
    let hedge = Hedge::new(OnFailure, world.sleeper());
    let dropped = Rc::new(Cell::new(false));
    let mut run = pin!(hedge.run(|attempt| {
        let response = (attempt == 0).then(|| Flag(Rc::clone(&dropped)));
        ready(response.map_or(Ok(attempt), Err))
    }));
    assert!(matches!(world.run(run.as_mut()), Ok(1)));
    assert!(dropped.get(), "it, and its connection");
}

// A cache in front of the service must not have every other request sent twice.
#[test]
fn answers_at_once_are_not_recorded_and_make_no_other_late() {
    let world = World::new();
    let p95 = Quantile::builder(0.95).clock(world.clock()).build().unwrap();
    let hedge = Hedge::new(p95.clone(), world.sleeper());
    for request in 0..4_000_u32 {
        // One in twenty is not in the cache, and takes 100 to 109 ms.
        let latency = ms(u64::from(request / 20 % 10) + 100);
        let answer = hedge.run(async |attempt| {
            if request % 20 == 0 {
                world.after(latency).await;
            }
            Ok::<_, ()>(attempt)
        });
        assert_eq!(world.run(answer), Ok(0));
    }
    assert_eq!(p95.snapshot().count, 200);
    assert!(p95.threshold().is_some_and(|threshold| threshold > ms(100)));
}
