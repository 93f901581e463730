//! The stories of a hedge's timeline (gRFC A6), in a world whose time is moved by hand.
#![cfg(not(loom))]

mod support;

use std::{cell::RefCell, num::NonZeroU32, time::Duration};

use evenkeel_hedging::{AllFailed, AtOnce, Cause, Every, Hedge, NEVER, OnFailure, PolicyFor, Verdict};
use support::{
    World, ms,
    spies::{Event, Scribe, SpyBudget},
};

type Answer = Result<u32, (u32, Verdict)>;

const SUCCESS: Verdict = Verdict::success();
const TRANSIENT: Verdict = Verdict::transient();
const THROTTLED: Verdict = Verdict::throttled();
/// Longer than any of these stories.
const LATE: u64 = 5_000;

fn judge(answer: &Answer) -> Verdict {
    answer.map_or_else(|(_, verdict)| verdict, |_| SUCCESS)
}

/// When each attempt was sent, whose result was the answer, and when.
type Timeline<'a> = (&'a [u64], u32, u64);

/// Each attempt takes its time, in milliseconds, and comes to its verdict.
fn goes<P: PolicyFor<u32, (u32, Verdict)>>(
    world: &World,
    hedge: &P,
    attempts: &[(u64, Verdict)],
    expected: Timeline<'_>,
) {
    let begun = world.millis();
    let sent = RefCell::new(vec![]);
    let answer = world.run(hedge.run(|number| {
        sent.borrow_mut().push(world.millis() - begun);
        let (latency, verdict) = attempts[number as usize];
        let answer = if verdict == SUCCESS { Ok(number) } else { Err((number, verdict)) };
        world.answer(ms(latency), answer)
    }));
    let answered = answer.unwrap_or_else(|(number, _)| number);
    let sent = sent.take();
    assert_eq!((sent.as_slice(), answered, world.millis() - begun), expected);
}

fn attempts(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

#[test]
fn one_more_is_sent_each_time_that_a_delay_has_passed() {
    let world = World::new();
    let hedge = Hedge::new([ms(10), ms(20), ms(30)], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    goes(&world, &hedge, &[late, late, late, (5, SUCCESS)], (&[0, 10, 30, 60], 3, 65));
    goes(&world, &hedge, &[late, (25, SUCCESS), late], (&[0, 10, 30], 1, 35));
    goes(&world, &hedge, &[(9, SUCCESS)], (&[0], 0, 9));
    goes(&world, &hedge, &[(10, SUCCESS)], (&[0], 0, 10));
    assert_eq!(world.slept(), [10, 20, 30, 10, 20, 30, 10, 10].map(ms));
}

#[test]
fn a_transient_failure_sends_the_next_at_once_and_the_spacing_goes_on_from_there() {
    let world = World::new();
    let hedge = Hedge::new([ms(10), ms(20), ms(30)], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    goes(&world, &hedge, &[(4, TRANSIENT), late, late, (1, SUCCESS)], (&[0, 4, 24, 54], 3, 55));
    goes(&world, &hedge, &[(15, THROTTLED), late, late, (1, SUCCESS)], (&[0, 10, 15, 45], 3, 46));
    goes(&world, &hedge, &[(0, TRANSIENT), (0, TRANSIENT), (0, THROTTLED), (0, SUCCESS)], (&[0; 4], 3, 0));
}

#[test]
fn failures_of_one_moment_call_for_an_attempt_each() {
    let world = World::new();
    let hedge = Hedge::new([ms(10), ms(20), ms(30), ms(40)], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    let two_fail = [(15, TRANSIENT), (5, THROTTLED), late, late, (1, SUCCESS)];
    goes(&world, &hedge, &two_fail, (&[0, 10, 15, 15, 55], 4, 56));
    let only_one_is_left = hedge.max_attempts(attempts(3));
    goes(&world, &only_one_is_left, &two_fail, (&[0, 10, 15], 2, 15 + LATE));
}

#[test]
fn a_success_beside_a_failure_is_the_answer_and_nothing_is_sent_for_the_failure() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).when(judge);
    goes(&world, &hedge, &[(15, TRANSIENT), (5, SUCCESS)], (&[0, 10], 1, 15));
    goes(&world, &hedge, &[(20, TRANSIENT), (10, SUCCESS)], (&[0, 10], 1, 20));
}

#[test]
fn a_permanent_failure_is_the_answer() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).when(judge);
    goes(&world, &hedge, &[(3, Verdict::permanent())], (&[0], 0, 3));
    goes(&world, &hedge, &[(LATE, SUCCESS), (3, Verdict::permanent())], (&[0, 10], 1, 13));
    goes(&world, &hedge, &[(3, TRANSIENT), (4, Verdict::permanent())], (&[0, 3], 1, 7));
}

#[test]
fn a_hint_sets_the_next_one_exactly_and_the_spacing_goes_on_from_there() {
    let world = World::new();
    let hedge = Hedge::new([ms(10), ms(20), ms(30)], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    for hinted in [THROTTLED.not_before(ms(7)), TRANSIENT.exactly(ms(7))] {
        goes(&world, &hedge, &[(4, hinted), late, (1, SUCCESS)], (&[0, 11, 31], 2, 32));
        goes(&world, &hedge, &[late, (15, hinted), (1, SUCCESS)], (&[0, 10, 32], 2, 33));
    }
    let later_than_the_spacing = THROTTLED.exactly(ms(500));
    goes(&world, &hedge, &[late, (1, later_than_the_spacing), late, (1, SUCCESS)], (&[0, 10, 511, 541], 3, 542));
}

#[test]
fn a_failure_does_not_cut_a_hint_short_and_another_hint_takes_its_place() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).when(judge);
    let hint = |delay| THROTTLED.not_before(ms(delay));
    goes(&world, &hedge, &[(14, hint(100)), (6, TRANSIENT), (1, SUCCESS)], (&[0, 10, 114], 2, 115));
    goes(&world, &hedge, &[(14, hint(100)), (6, hint(200)), (1, SUCCESS)], (&[0, 10, 216], 2, 217));
    goes(&world, &hedge, &[(14, hint(100)), (6, hint(2)), (1, SUCCESS)], (&[0, 10, 18], 2, 19));
    goes(&world, &hedge, &[(14, hint(100)), (6, hint(0)), (1, SUCCESS)], (&[0, 10, 16], 2, 17));
    goes(&world, &hedge, &[(14, hint(100)), (4, TRANSIENT), (1, SUCCESS)], (&[0, 10, 114], 2, 115));
    goes(&world, &hedge, &[(14, TRANSIENT), (4, hint(100)), (1, SUCCESS)], (&[0, 10, 114], 2, 115));
}

#[test]
fn a_hint_takes_the_place_of_all_that_failures_of_the_same_moment_call_for() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 5], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    let all_fail = [(25, TRANSIENT), (15, TRANSIENT), (5, THROTTLED.exactly(ms(20))), late, (1, SUCCESS)];
    goes(&world, &hedge, &all_fail, (&[0, 10, 20, 45, 55], 4, 56));
}

#[test]
fn a_hint_of_zero_sends_the_next_at_once_without_a_timer() {
    let world = World::new();
    let hedge = Hedge::new(OnFailure, world.sleeper()).when(judge);
    goes(&world, &hedge, &[(4, THROTTLED.exactly(ms(0))), (1, SUCCESS)], (&[0, 4], 1, 5));
    assert_eq!(world.slept(), []);
}

#[test]
fn a_server_that_wants_no_more_is_sent_no_more_and_those_in_flight_go_on() {
    let world = World::new();
    let hedge =
        Hedge::new([ms(10); 4], world.sleeper()).when(judge).max_server_delay(ms(60)).all_failed(AllFailed::Last);
    for no_more in [TRANSIENT.never(), THROTTLED.not_before(ms(61)), THROTTLED.exactly(Duration::MAX)] {
        goes(&world, &hedge, &[(14, no_more), (300, SUCCESS)], (&[0, 10], 1, 310));
        goes(&world, &hedge, &[(14, no_more), (6, TRANSIENT)], (&[0, 10], 1, 16));
        // Nor when another one has allowed it.
        goes(&world, &hedge, &[(14, THROTTLED.exactly(ms(20))), (6, no_more)], (&[0, 10], 1, 16));
        goes(&world, &hedge, &[(14, no_more), (6, THROTTLED.exactly(ms(20)))], (&[0, 10], 1, 16));
        goes(&world, &hedge, &[(0, no_more)], (&[0], 0, 0));
    }
    goes(&world, &hedge, &[(0, THROTTLED.not_before(ms(60))), (1, SUCCESS)], (&[0, 60], 1, 61));
}

#[test]
fn the_budget_is_asked_when_one_is_due_and_not_before() {
    let world = World::new();
    let scribe = Scribe::new(&world);
    let hedge = Hedge::new([ms(10); 2], world.sleeper()).when(judge).budget(SpyBudget::new(&scribe, &[]));
    goes(&world, &hedge, &[(14, THROTTLED.exactly(ms(6))), (LATE, SUCCESS), (1, SUCCESS)], (&[0, 10, 20], 2, 21));
    let mut log = scribe.take();
    log.retain(|(_, event)| matches!(event, Event::Asked(..) | Event::Paid(_)));
    let expected = [
        (Event::Asked(Cause::Hedge, true), 10),
        (Event::Paid(0), 10),
        (Event::Asked(Cause::Throttled, true), 20),
        (Event::Paid(1), 20),
    ];
    assert_eq!(log, expected.map(|(event, time)| (time, event)));
}

#[test]
fn a_refusal_ends_the_hedging_by_time_and_a_later_failure_asks_again() {
    let world = World::new();
    let scribe = Scribe::new(&world);
    let hedge = Hedge::new([ms(10); 4], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    let refuse = |grants: &[bool]| hedge.clone().budget(SpyBudget::new(&scribe, grants));
    goes(&world, &refuse(&[false]), &[(300, SUCCESS)], (&[0], 0, 300));
    goes(&world, &refuse(&[false]), &[(300, TRANSIENT), (400, TRANSIENT), (1, SUCCESS)], (&[0, 300, 700], 2, 701));
    goes(&world, &refuse(&[true, false]), &[late, (50, SUCCESS)], (&[0, 10], 1, 60));
    goes(&world, &refuse(&[true, false, true]), &[late, (50, TRANSIENT), late], (&[0, 10, 60], 0, LATE));
    // The delay of the refused one is not lost: there are two further attempts all the same.
    let two_more = Hedge::new([ms(10); 2], world.sleeper()).when(judge).budget(SpyBudget::new(&scribe, &[false]));
    goes(&world, &two_more, &[(300, TRANSIENT), (1, TRANSIENT), (1, SUCCESS)], (&[0, 300, 301], 2, 302));
    // Of two failures of one moment as well: it is asked once, and nothing is owed for the other.
    let two_fail = [(25, TRANSIENT), (15, TRANSIENT), (25, TRANSIENT), (1, SUCCESS)];
    goes(&world, &refuse(&[true, true, false]), &two_fail, (&[0, 10, 20, 45], 3, 46));
    goes(&world, &refuse(&[false; 9]), &[(300, TRANSIENT)], (&[0], 0, 300));
    goes(&world, &refuse(&[false; 9]), &[(5, THROTTLED.exactly(ms(4)))], (&[0], 0, 9));
}

#[test]
fn never_is_a_delay_that_only_a_failure_ends() {
    let world = World::new();
    let hedge = Hedge::new([ms(10), NEVER, ms(30)], world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    goes(&world, &hedge, &[late, (700, SUCCESS)], (&[0, 10], 1, 710));
    goes(&world, &hedge, &[late, (700, TRANSIENT), late, (1, SUCCESS)], (&[0, 10, 710, 740], 3, 741));
    assert!(!world.slept().contains(&NEVER));
}

#[test]
fn on_failure_asks_one_after_the_other() {
    let world = World::new();
    let hedge = Hedge::on_failure(world.sleeper()).when(judge).max_attempts(attempts(3));
    goes(&world, &hedge, &[(LATE, SUCCESS)], (&[0], 0, LATE));
    goes(&world, &hedge, &[(70, TRANSIENT), (80, TRANSIENT), (90, SUCCESS)], (&[0, 70, 150], 2, 240));
    assert_eq!(world.slept(), []);
}

#[test]
fn at_once_asks_all_at_once() {
    let world = World::new();
    let hedge = Hedge::new(AtOnce, world.sleeper()).when(judge).max_attempts(attempts(3));
    goes(&world, &hedge, &[(30, SUCCESS), (20, SUCCESS), (40, SUCCESS)], (&[0; 3], 1, 20));
    goes(&world, &hedge, &[(0, SUCCESS)], (&[0], 0, 0));
    assert_eq!(world.slept(), []);
}

#[test]
fn delays_without_end_are_for_two_attempts_unless_told_otherwise() {
    let world = World::new();
    let three = [(LATE, SUCCESS), (LATE, SUCCESS), (1, SUCCESS)];
    let hedge = Hedge::after(ms(10), world.sleeper()).when(judge);
    goes(&world, &hedge, &three, (&[0, 10], 0, LATE));
    goes(&world, &hedge, &[(1, TRANSIENT), (1, TRANSIENT)], (&[0, 1], 1, 2));
    goes(&world, &hedge.max_attempts(attempts(3)), &three, (&[0, 10, 20], 2, 21));
}

#[test]
fn a_schedule_says_how_many_unless_there_are_to_be_fewer() {
    let world = World::new();
    let four = [(LATE, SUCCESS); 4];
    let hedge = Hedge::new([ms(10); 3], world.sleeper()).when(judge);
    goes(&world, &hedge, &four, (&[0, 10, 20, 30], 0, LATE));
    goes(&world, &hedge.clone().max_attempts(attempts(2)), &four, (&[0, 10], 0, LATE));
    goes(&world, &hedge.max_attempts(attempts(9)), &four, (&[0, 10, 20, 30], 0, LATE));
    let taken = Hedge::new(Every(ms(10)).into_iter().take(2), world.sleeper()).when(judge);
    goes(&world, &taken, &four, (&[0, 10, 20], 0, LATE));
    let none: [Duration; 0] = [];
    goes(&world, &Hedge::new(none, world.sleeper()).when(judge), &[(7, TRANSIENT)], (&[0], 0, 7));
}

/// Says that it has another delay, always.
#[derive(Clone)]
struct Lies(u32);

impl Iterator for Lies {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 = self.0.checked_sub(1)?;
        Some(ms(10))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (1, Some(1))
    }
}

#[test]
fn a_schedule_that_lies_about_its_length_ends_with_its_delays() {
    let world = World::new();
    let hedge = Hedge::new(Lies(2), world.sleeper()).when(judge);
    let late = (LATE, SUCCESS);
    goes(&world, &hedge, &[late, late, (100, SUCCESS)], (&[0, 10, 20], 2, 120));
    goes(&world, &hedge, &[(1, TRANSIENT); 3], (&[0, 1, 2], 2, 3));
    // Where nothing waits for a delay it is believed once.
    goes(&world, &hedge, &[(0, TRANSIENT); 4], (&[0, 0, 0, 0], 3, 0));
}

#[test]
fn elsewhere_a_hint_is_of_no_concern_and_failures_are_free() {
    let world = World::new();
    let scribe = Scribe::new(&world);
    let elsewhere = Hedge::new([ms(10); 3], world.sleeper()).when(judge).elsewhere();
    let hedge = elsewhere.clone().budget(SpyBudget::new(&scribe, &[false; 9]));
    for hinted in [THROTTLED.exactly(ms(70)), TRANSIENT.never(), THROTTLED.not_before(Duration::MAX)] {
        goes(&world, &hedge, &[(4, hinted), (3, hinted), (2, hinted), (1, SUCCESS)], (&[0, 4, 7, 9], 3, 10));
    }
    // A hedge is paid for, and here refused; after a failure the next one is free all the same.
    goes(&world, &hedge, &[(50, TRANSIENT), (LATE, SUCCESS)], (&[0, 50], 1, 50 + LATE));
    let hedge = hedge.charge_failures(true);
    goes(&world, &hedge, &[(4, TRANSIENT)], (&[0], 0, 4));
    let free = Hedge::new([ms(10); 3], world.sleeper()).when(judge).charge_failures(false);
    let free = free.budget(SpyBudget::new(&scribe, &[false; 9]));
    goes(&world, &free, &[(4, THROTTLED.exactly(ms(20))), (3, SUCCESS)], (&[0, 24], 1, 27));
}

#[test]
fn when_all_have_failed_the_policy_says_whose_result_it_is() {
    let world = World::new();
    let hedge = Hedge::new([ms(10); 2], world.sleeper()).when(judge);
    // The first is the last to fail, the second throttles.
    let all = [(90, TRANSIENT), (30, THROTTLED), (40, TRANSIENT)];
    for (all_failed, answered) in [(AllFailed::Best, 1), (AllFailed::Last, 0), (AllFailed::First, 0)] {
        goes(&world, &hedge.clone().all_failed(all_failed), &all, (&[0, 10, 20], answered, 90));
    }
    // The last to be sent is the last to fail, and as good as the others.
    let all = [(30, TRANSIENT), (30, TRANSIENT), (40, TRANSIENT)];
    for (all_failed, answered) in [(AllFailed::Best, 2), (AllFailed::Last, 2), (AllFailed::First, 0)] {
        goes(&world, &hedge.clone().all_failed(all_failed), &all, (&[0, 10, 20], answered, 60));
    }
}
