//! What an observer hears, in which order, and that all is settled by then.
#![cfg(not(loom))]

mod support;

use std::{cell::RefCell, future::ready, num::NonZeroU32, pin::pin};

use evenkeel_hedging::{
    Answer, Attempt, Cause, Costs, Hedge, InFlightBudget, Observer, OnFailure, Quantile, TokenBudget, Verdict,
};
use support::{Woken, World, ms};

/// Writes down what it hears, and what the budgets then hold: tokens, extra attempts in flight.
struct Story<'a> {
    lines: RefCell<Vec<String>>,
    tokens: &'a TokenBudget,
    places: &'a InFlightBudget,
}

impl Story<'_> {
    fn line(&self, line: &str) {
        let (tokens, extras) = (self.tokens.balance(), self.places.snapshot().extras);
        self.lines.borrow_mut().push(format!("{line}, {tokens} left, {extras} in flight"));
    }
}

impl Observer for Story<'_> {
    fn on_attempt(&self, attempt: Attempt) {
        let Attempt { number, cause, .. } = attempt;
        self.line(&cause.map_or(format!("{number} is sent"), |cause| format!("{number} is sent: {cause:?}")));
    }

    fn on_verdict(&self, attempt: Attempt, verdict: Verdict) {
        self.line(&format!("{} was {:?}", attempt.number, verdict.outcome()));
    }

    fn on_refused(&self, cause: Cause) {
        self.line(&format!("{cause:?} is refused"));
    }

    fn on_answer(&self, answer: Answer) {
        let Answer { attempt, outcome, sent, hedges, .. } = answer;
        let useless = answer.useless();
        self.line(&format!("{outcome:?} of {}: {sent} sent, {hedges} hedges, {useless} useless", attempt.number));
    }
}

type Judged = Result<(), Verdict>;

fn judge(answer: &Judged) -> Verdict {
    answer.map_or_else(|verdict| verdict, |()| Verdict::success())
}

/// What is heard of a request whose attempts take so many milliseconds, hedged twice, each 10 ms after the one before.
fn heard(capacity: u32, attempts: &[(u64, Judged)]) -> Vec<String> {
    let world = World::new();
    let (tokens, places) = (TokenBudget::new(capacity, Costs::REVISION_2026), InFlightBudget::default());
    let story = Story { lines: RefCell::default(), tokens: &tokens, places: &places };
    let hedge = Hedge::new([ms(10); 2], world.sleeper()).when(judge).budget((&tokens, &places)).observe(&story);
    let _ = world.run(hedge.run(|number| {
        let (latency, answer) = attempts[number as usize];
        world.answer(ms(latency), answer)
    }));
    story.lines.into_inner()
}

const TRANSIENT: Judged = Err(Verdict::transient());
const THROTTLED: Judged = Err(Verdict::throttled());

#[test]
fn a_request_that_is_answered_in_time() {
    let expected = [
        "0 is sent, 100 left, 0 in flight",
        "0 was Success, 100 left, 0 in flight",
        "Success of 0: 1 sent, 0 hedges, 0 useless, 100 left, 0 in flight",
    ];
    assert_eq!(heard(100, &[(5, Ok(()))]), expected);
}

#[test]
fn a_hedge_that_wins() {
    let expected = [
        "0 is sent, 100 left, 0 in flight",
        "1 is sent: Hedge, 86 left, 1 in flight",
        // It has earned a token, and the first is dropped.
        "1 was Success, 87 left, 0 in flight",
        "Success of 1: 2 sent, 1 hedges, 0 useless, 87 left, 0 in flight",
    ];
    assert_eq!(heard(100, &[(500, Ok(())), (3, Ok(()))]), expected);
}

#[test]
fn hedges_that_lose() {
    let expected = [
        "0 is sent, 99 left, 0 in flight",
        "1 is sent: Hedge, 85 left, 1 in flight",
        "2 is sent: Hedge, 71 left, 2 in flight",
        "0 was Success, 72 left, 0 in flight",
        "Success of 0: 3 sent, 2 hedges, 2 useless, 72 left, 0 in flight",
    ];
    assert_eq!(heard(99, &[(25, Ok(())), (500, Ok(())), (500, Ok(()))]), expected);
}

#[test]
fn failures_that_are_followed_by_a_success() {
    let expected = [
        "0 is sent, 99 left, 0 in flight",
        "0 was Throttled, 99 left, 0 in flight",
        "1 is sent: Throttled, 94 left, 1 in flight",
        "1 was Transient, 94 left, 0 in flight",
        "2 is sent: Transient, 80 left, 1 in flight",
        // What it cost is given back.
        "2 was Success, 94 left, 0 in flight",
        "Success of 2: 3 sent, 0 hedges, 0 useless, 94 left, 0 in flight",
    ];
    assert_eq!(heard(99, &[(5, THROTTLED), (5, TRANSIENT), (5, Ok(()))]), expected);
}

#[test]
fn all_have_failed() {
    let expected = [
        "0 is sent, 99 left, 0 in flight",
        "1 is sent: Hedge, 85 left, 1 in flight",
        "0 was Throttled, 85 left, 1 in flight",
        "2 is sent: Throttled, 80 left, 2 in flight",
        "1 was Transient, 80 left, 1 in flight",
        "2 was Transient, 80 left, 0 in flight",
        "Throttled of 0: 3 sent, 1 hedges, 1 useless, 80 left, 0 in flight",
    ];
    assert_eq!(heard(99, &[(15, THROTTLED), (40, TRANSIENT), (90, TRANSIENT)]), expected);
}

#[test]
fn a_hedge_that_fails_for_good_is_the_answer_and_useless() {
    let expected = [
        "0 is sent, 99 left, 0 in flight",
        "1 is sent: Hedge, 85 left, 1 in flight",
        "1 was Permanent, 85 left, 0 in flight",
        "Permanent of 1: 2 sent, 1 hedges, 1 useless, 85 left, 0 in flight",
    ];
    assert_eq!(heard(99, &[(500, Ok(())), (5, Err(Verdict::permanent()))]), expected);
}

#[test]
fn what_the_budget_refuses() {
    let expected = [
        "0 is sent, 20 left, 0 in flight",
        "1 is sent: Hedge, 6 left, 1 in flight",
        "Hedge is refused, 6 left, 1 in flight",
        "1 was Transient, 6 left, 0 in flight",
        "Transient is refused, 6 left, 0 in flight",
        "0 was Success, 7 left, 0 in flight",
        "Success of 0: 2 sent, 1 hedges, 1 useless, 7 left, 0 in flight",
    ];
    assert_eq!(heard(20, &[(90, Ok(())), (30, TRANSIENT)]), expected);
    let expected = [
        "0 is sent, 0 left, 0 in flight",
        "0 was Transient, 0 left, 0 in flight",
        "Transient is refused, 0 left, 0 in flight",
        "Transient of 0: 1 sent, 0 hedges, 0 useless, 0 left, 0 in flight",
    ];
    assert_eq!(heard(0, &[(5, TRANSIENT)]), expected);
}

#[test]
fn causes_of_failures_of_one_moment_are_told_each_in_its_order() {
    let expected = [
        "0 is sent, 99 left, 0 in flight",
        "1 is sent: Hedge, 85 left, 1 in flight",
        "2 is sent: Hedge, 71 left, 2 in flight",
        "0 was Transient, 71 left, 2 in flight",
        "1 was Throttled, 71 left, 1 in flight",
        "2 was Transient, 71 left, 0 in flight",
        "3 is sent: Transient, 57 left, 1 in flight",
        "4 is sent: Throttled, 52 left, 2 in flight",
        "5 is sent: Transient, 38 left, 3 in flight",
        // The bucket gives back what the last one after a failure has cost.
        "3 was Success, 52 left, 0 in flight",
        "Success of 3: 6 sent, 2 hedges, 2 useless, 52 left, 0 in flight",
    ];
    let world = World::new();
    let (tokens, places) = (TokenBudget::new(99, Costs::REVISION_2026), InFlightBudget::default());
    let story = Story { lines: RefCell::default(), tokens: &tokens, places: &places };
    let hedge = Hedge::new([ms(10); 5], world.sleeper()).when(judge).budget((&tokens, &places)).observe(&story);
    let attempts = [(25, TRANSIENT), (15, THROTTLED), (5, TRANSIENT), (1, Ok(())), (500, Ok(())), (500, Ok(()))];
    let run = hedge.run(|number| world.answer(ms(attempts[number as usize].0), attempts[number as usize].1));
    assert_eq!(world.run(run), Ok(()));
    assert_eq!(*story.lines.borrow(), expected);
}

#[test]
fn a_request_that_is_dropped_ends_without_an_answer() {
    let world = World::new();
    let (tokens, places) = (TokenBudget::default(), InFlightBudget::default());
    let story = Story { lines: RefCell::default(), tokens: &tokens, places: &places };
    let hedge = Hedge::after(ms(10), world.sleeper()).observe(&story);
    {
        let mut run = pin!(hedge.run(|_| world.answer(ms(500), Ok::<_, ()>(()))));
        assert!(Woken::new().poll(run.as_mut()).is_pending());
    }
    assert_eq!(*story.lines.borrow(), ["0 is sent, 500 left, 0 in flight"]);
}

#[test]
fn the_estimate_knows_of_an_attempt_before_its_verdict_is_told() {
    struct Looks<'a, C>(&'a Quantile<C>, RefCell<Vec<(u64, u64)>>);
    impl<C> Observer for Looks<'_, C> {
        fn on_verdict(&self, _: Attempt, _: Verdict) {
            let seen = self.0.snapshot();
            self.1.borrow_mut().push((seen.count, seen.longer));
        }
    }
    let world = World::new();
    let quantile = Quantile::builder(0.95).until_warm(ms(10)).clock(world.clock()).build().unwrap();
    let looks = Looks(&quantile, RefCell::default());
    let hedge = Hedge::new(quantile.clone(), world.sleeper()).observe(&looks);
    let soon = hedge.run(|attempt| world.answer(ms(5), Ok::<_, ()>(attempt)));
    assert_eq!(world.run(soon), Ok(0));
    let late = hedge.run(|attempt| world.answer(ms(if attempt == 0 { 90 } else { 1 }), Ok::<_, ()>(attempt)));
    assert_eq!(world.run(late), Ok(1));
    assert_eq!(looks.1.take(), [(1, 0), (1, 1)]);
}

#[test]
fn two_observers_both_hear_all_the_first_one_first() {
    struct Says<'a>(char, &'a RefCell<String>);
    impl Says<'_> {
        fn say(&self, what: char) {
            self.1.borrow_mut().extend([self.0, what]);
        }
    }
    impl Observer for Says<'_> {
        fn on_attempt(&self, _: Attempt) {
            self.say('s');
        }
        fn on_verdict(&self, _: Attempt, _: Verdict) {
            self.say('v');
        }
        fn on_refused(&self, _: Cause) {
            self.say('r');
        }
        fn on_answer(&self, _: Answer) {
            self.say('a');
        }
    }
    let world = World::new();
    let said = RefCell::default();
    let hedge = Hedge::new(OnFailure, world.sleeper())
        .max_attempts(NonZeroU32::new(5).unwrap())
        .budget(TokenBudget::new(14, Costs::REVISION_2026))
        .observe((Says('1', &said), Box::new(Says('2', &said))));
    assert_eq!(world.run(hedge.run(|attempt| ready(Err::<(), _>(attempt)))), Err(1));
    assert_eq!(*said.borrow(), "1s2s1v2v1s2s1v2v1r2r1a2a");
}
