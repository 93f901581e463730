//! What a budget is when it is made: its own size and what it has on the heap, which does not grow.

use std::time::Instant;

use evenkeel_budget::{AdaptiveThrottle, AnyBudget, InFlightBudget, RatioBudget, TokenBudget, Unlimited};

use super::{AREA, tower};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    bench.compare(
        AREA,
        "made and dropped",
        vec![
            made("`TokenBudget`", TokenBudget::default),
            made("`RatioBudget`", RatioBudget::<fn() -> Instant>::default),
            made("`InFlightBudget`", InFlightBudget::default),
            made("`Unlimited`", || Unlimited),
            made("`AnyBudget` of a `TokenBudget`", || AnyBudget::from(TokenBudget::default())),
            made("`(TokenBudget, RatioBudget)`", || (TokenBudget::default(), RatioBudget::default())),
            made("`AdaptiveThrottle`", AdaptiveThrottle::<fn() -> Instant>::default),
            made("tower `TpsBudget`", tower),
        ],
    );
}

fn made<'a, T>(name: &'static str, make: impl Fn() -> T + Clone + 'a) -> Candidate<'a> {
    Candidate::new(name, make.clone()).keeps(make)
}
