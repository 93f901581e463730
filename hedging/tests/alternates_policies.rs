//! What a policy says to alternates: payment, verdicts and hints, whose result it is, the estimate.
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{rc::Rc, time::Duration};

use evenkeel_hedging::{
    AllFailed, Alternates, Answered, AtOnce, Cause, Every, Hedge, OnFailure, Quantile, Repeat, TokenBudget, Verdict,
};
use support::{World, ms};
use tower::ServiceExt;
use tower_support::{Log, Purse, Ready, probes};

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
fn what_one_asks_for_does_not_delay_the_next_nor_forbid_it() {
    for verdict in [Verdict::throttled().not_before(ms(900)), Verdict::transient().never()] {
        let world = World::new();
        let (services, _) = probes(&world, [(NOW, Err("a")), (ms(5), Ok(2))]);
        let judge = move |result: &Result<u32, &str>| if result.is_ok() { Verdict::success() } else { verdict };
        let hedge = Hedge::new(OnFailure, world.sleeper()).when(judge);
        assert_eq!(world.run(Alternates::new(services).policy(hedge).oneshot(())), from(1, 2));
        assert_eq!(world.elapsed(), ms(5));
    }
}

#[test]
fn a_permanent_failure_is_the_answer_of_the_one_who_gave_it() {
    let world = World::new();
    let (services, logs) = probes(&world, [(NOW, Ok(500)), (NOW, Ok(400)), (NOW, Ok(200))]);
    let judge = |result: &Result<u32, &str>| match result {
        Ok(500) | Err(_) => Verdict::transient(),
        Ok(400) => Verdict::permanent(),
        Ok(_) => Verdict::success(),
    };
    let hedge = Hedge::new(OnFailure, world.sleeper()).when(judge);
    assert_eq!(world.run(Alternates::new(services).policy(hedge).oneshot(())), from(1, 400));
    assert_eq!(calls(&logs), [1, 1, 0]);
}

#[test]
fn when_all_have_failed_the_policy_says_whose_response_it_is() {
    for (rule, alternate, response) in
        [(AllFailed::Best, 1, 429), (AllFailed::Last, 2, 503), (AllFailed::First, 0, 500)]
    {
        let world = World::new();
        let (services, _) = probes(&world, [(NOW, Ok(500)), (NOW, Ok(429)), (NOW, Ok(503))]);
        let judge = |result: &Result<u32, &str>| match result {
            Ok(429) => Verdict::throttled(),
            Ok(_) | Err(_) => Verdict::transient(),
        };
        let hedge = Hedge::new(OnFailure, world.sleeper()).when(judge).all_failed(rule);
        assert_eq!(world.run(Alternates::new(services).policy(hedge).oneshot(())), from(alternate, response));
    }
}

#[test]
fn failures_are_free_and_hedges_are_paid_for() {
    let world = World::new();
    let purse = Purse::of(1);
    let run = |answers| {
        let (services, logs) = probes(&world, answers);
        let hedge = Hedge::after(ms(10), world.sleeper()).budget(purse.clone());
        let _ = world.run(Alternates::new(services).policy(hedge).oneshot(()));
        calls(&logs)
    };
    assert_eq!(run([(NOW, Err("a")), (NOW, Err("b")), (NOW, Ok(3))]), [1, 1, 1]);
    assert_eq!((purse.coins(), purse.asked()), (1, vec![]));
    assert_eq!(run([(ms(100), Ok(1)), (ms(100), Ok(2)), (NOW, Ok(3))]), [1, 1, 0], "the second hedge is refused");
    assert_eq!((purse.coins(), purse.asked()), (0, vec![Cause::Hedge; 2]));
    assert_eq!(run([(NOW, Err("a")), (NOW, Err("b")), (NOW, Ok(3))]), [1, 1, 1], "an empty budget stops no failover");
    assert!(purse.is_idle());
}

#[test]
fn failures_are_paid_for_where_the_policy_says_so() {
    let world = World::new();
    let purse = Purse::of(1);
    let (services, logs) = probes(&world, [(NOW, Err("a")), (NOW, Err("b")), (NOW, Ok(3))]);
    let hedge = Hedge::new(OnFailure, world.sleeper()).budget(purse.clone()).charge_failures(true);
    assert_eq!(world.run(Alternates::new(services).policy(hedge).oneshot(())), Err("b"));
    assert_eq!((calls(&logs), purse.coins()), (vec![1, 1, 0], 0));
}

#[test]
fn a_policy_without_a_budget_gets_one_that_clones_share() {
    let world = World::new();
    let (services, logs) = probes(&world, [(ms(100), Err("late")); 2]);
    for log in &logs {
        log.answers.borrow_mut().extend([(ms(100), Err("late")); 99]);
    }
    let service = Alternates::new(services).policy(Hedge::new(AtOnce, world.sleeper()));
    for _ in 0..50 {
        let _ = world.run(service.clone().oneshot(()));
    }
    // What is refused as a hedge is sent as a failover.
    assert_eq!(calls(&logs), [50, 50]);
    let at_once = logs[0].called_at.borrow().iter().filter(|at| logs[1].called_at.borrow().contains(at)).count();
    assert_eq!(at_once, 35, "500 tokens at 14");
}

#[test]
fn a_policy_can_be_chosen_for_each_request() {
    let world = World::new();
    let budget = TokenBudget::default();
    let sleeper = world.sleeper();
    let policy = move |urgent: &bool| {
        let delay = if *urgent { ms(10) } else { ms(10_000) };
        Hedge::new(Every(delay), sleeper.clone()).budget(budget.clone())
    };
    for (urgent, answer) in [(true, from(1, 2)), (false, from(0, 1))] {
        let (services, _) = probes(&world, [(ms(500), Ok(1)), (ms(50), Ok(2))]);
        assert_eq!(world.run(Alternates::new(services).choose(policy.clone()).oneshot(urgent)), answer);
    }
}

#[test]
fn an_estimate_learns_of_the_first_that_is_asked() {
    let world = World::new();
    let p95 = Quantile::builder(0.95).clock(world.clock()).until_warm(ms(10)).build().unwrap();
    for answers in [[(ms(3), Ok(1)), (NOW, Ok(2))], [(HANGS, Ok(1)), (ms(1), Ok(2))], [(NOW, Err("a")), (NOW, Ok(2))]] {
        let (services, _) = probes(&world, answers);
        let service = Alternates::new(services).policy(Hedge::new(p95.clone(), world.sleeper()));
        assert!(world.run(service.oneshot(())).is_ok());
    }
    let known = p95.snapshot();
    assert_eq!((known.count, known.longer), (1, 1), "a success, and one that was given up; the failure was quick");
}

#[test]
fn one_that_could_not_be_made_ready_has_not_processed_the_request_and_the_next_is_asked() {
    // The second cannot be asked, or fails and may have worked on it: the classifier cannot know which.
    for (readiness, asked) in [(Ready::Fails("gone"), [1, 0, 1]), (Ready::Now, [1, 1, 0])] {
        let world = World::new();
        let (services, logs) = probes(&world, [(ms(5), Err("refused")), (NOW, Err("gone")), (NOW, Ok(3))]);
        *logs[1].readiness.borrow_mut() = [readiness].into();
        let hedge = Hedge::new(OnFailure, world.sleeper()).when(|result: &Result<u32, &str>| match result {
            Ok(_) => Verdict::success(),
            Err("refused") => Verdict::transient().unprocessed(),
            Err(_) => Verdict::transient(),
        });
        let service = Alternates::new(services).policy(hedge).replay(|(): &()| Repeat::IfUnprocessed);
        assert_eq!(world.run(service.oneshot(())).is_ok(), asked[2] == 1);
        assert_eq!(calls(&logs), asked);
    }
}
