//! One budget of several requests: winners, losers and timers in different threads.

use evenkeel_hedging::{Costs, InFlightBudget, TokenBudget};

use super::{
    model,
    requests::{HEDGED, InFlight, Plan, request},
    thread,
};

/// Late, hedged at once, and answered by the first attempt while the second is in flight.
const LATE: Plan = Plan { timer: 0, first: 1, second: 9, polls: 2, succeeds: true };
const FAILED: Plan = Plan { succeeds: false, ..LATE };
/// Dropped while both are in flight.
const LEFT: Plan = Plan { polls: 1, ..LATE };
/// The second attempt wins, and the first is dropped.
const RESCUED: Plan = Plan { first: 9, second: 1, ..LATE };

fn one_token() -> TokenBudget {
    TokenBudget::new(1, Costs { hedge: 1, ..Costs::REVISION_2026 })
}

fn one_place() -> InFlightBudget {
    InFlightBudget::builder().share(0.0).min_concurrency(1).build().unwrap()
}

/// How many further attempts two requests send in two threads.
fn both<B>(budget: &B, here: Plan, there: Plan) -> (u32, u32)
where
    B: evenkeel_hedging::Spend + Clone + Send + 'static,
{
    let in_flight = InFlight::default();
    let other = thread::spawn({
        let (budget, in_flight) = (budget.clone(), in_flight.clone());
        move || request(HEDGED, budget, &in_flight, there)
    });
    let here = request(HEDGED, budget.clone(), &in_flight, here);
    (here, other.join().unwrap())
}

#[test]
fn two_late_requests_with_one_token_send_one_more() {
    model(|| {
        let budget = one_token();
        let (here, there) = both(&budget, FAILED, FAILED);
        assert_eq!(here + there, 1);
        assert_eq!(budget.balance(), 0, "nothing comes back for a failure");
    });
}

#[test]
fn what_a_success_pays_back_is_there_for_the_other_and_no_more() {
    model(|| {
        let budget = one_token();
        let (here, there) = both(&budget, LATE, RESCUED);
        assert!((1..=2).contains(&(here + there)), "one at a time");
        assert!(budget.balance() <= 1);
    });
}

#[test]
fn no_more_losers_are_in_flight_than_there_are_places() {
    model(|| {
        let budget = one_place();
        // `in_flight` counts that there is one at a time: a place is left when its attempt is gone, not sooner.
        let (here, there) = both(&budget, LATE, LATE);
        assert!((1..=2).contains(&(here + there)));
        assert_free(&budget);
    });
}

#[test]
fn the_place_of_a_loser_is_there_for_the_timer_of_another() {
    model(|| {
        let budget = one_place();
        // Here one wins while there a timer fires, once or twice later.
        let (here, there) = both(&budget, LATE, Plan { timer: 1, first: 2, polls: 3, ..LATE });
        assert!((1..=2).contains(&(here + there)));
        assert_free(&budget);
    });
}

#[test]
fn the_place_of_a_second_attempt_that_wins_is_left() {
    model(|| {
        let budget = one_place();
        let (here, there) = both(&budget, RESCUED, LATE);
        assert!((1..=2).contains(&(here + there)));
        assert_free(&budget);
    });
}

#[test]
fn a_request_that_is_dropped_leaves_its_place() {
    model(|| {
        let budget = one_place();
        let (here, there) = both(&budget, LEFT, RESCUED);
        assert!((1..=2).contains(&(here + there)));
        assert_free(&budget);
    });
}

#[test]
fn a_request_that_is_answered_in_time_takes_no_place_from_another() {
    model(|| {
        let budget = one_place();
        // Its first attempt and its timer are both over at the second poll: the answer comes first.
        let (here, there) = both(&budget, Plan { timer: 1, ..LATE }, LATE);
        assert_eq!((here, there), (0, 1));
        assert_free(&budget);
    });
}

#[track_caller]
pub(super) fn assert_free(budget: &InFlightBudget) {
    let snapshot = budget.snapshot();
    assert_eq!((snapshot.originals, snapshot.extras), (0, 0));
    assert_eq!(request(HEDGED, budget.clone(), &InFlight::default(), LATE), 1, "there is a place");
}
