//! Futures whose first attempt answers: at the first poll, where no timer is armed, and at the second.

use std::time::Instant;

use evenkeel_hedging::{Hedge, TokenBudget};
use tokio::time::{sleep, timeout};

use super::{
    DELAY, done,
    turn::{Turn, beside_a_timer, well},
    warm, warm_whose_clock_stands,
};
use crate::measure::{Bench, Candidate, drive};

pub(super) fn run(bench: &mut Bench) {
    ready_at_once(bench);
    pending_winner(bench);
}

fn ready_at_once(bench: &mut Bench) {
    let budget = TokenBudget::default();
    let fixed = || Hedge::after(DELAY, sleep);
    let owned = || fixed().budget(TokenBudget::default());
    let quantile = || Hedge::new(warm(), sleep);
    let still = || Hedge::new(warm_whose_clock_stands(), sleep);
    let (hedge, with_budget, by_reference) = (fixed(), owned(), fixed().budget(&budget));
    let (by_quantile, by_still) = (quantile(), still());
    bench.compare(
        "hedging",
        "future, ready at once",
        vec![
            Candidate::new("`Hedge::run`, a fixed delay", || done(drive(hedge.run(|_| well())))).keeps(fixed),
            Candidate::new("with a budget", || done(drive(with_budget.run(|_| well())))).keeps(owned),
            Candidate::new("with a budget by reference", || done(drive(by_reference.run(|_| well()))))
                .keeps(|| fixed().budget(&budget)),
            Candidate::new("`Hedge::run`, `Quantile`", || done(drive(by_quantile.run(|_| well())))).keeps(quantile),
            Candidate::new("`Hedge::run`, `Quantile`, its clock stands", || done(drive(by_still.run(|_| well()))))
                .keeps(still),
            Candidate::new("two readings of the clock", || (Instant::now(), Instant::now())),
            Candidate::new("by hand: a bare await", || done(drive(well()))),
        ],
    );
}

/// The timer of the runtime is what such a request costs in any case.
fn pending_winner(bench: &mut Bench) {
    let fixed = || Hedge::after(DELAY, sleep);
    let owned = || fixed().budget(TokenBudget::default());
    let quantile = || Hedge::new(warm(), sleep);
    let still = || Hedge::new(warm_whose_clock_stands(), sleep);
    let (hedge, with_budget, by_quantile, by_still) = (fixed(), owned(), quantile(), still());
    bench.compare(
        "hedging",
        "future, pending winner",
        vec![
            Candidate::new("`Hedge::run`, a fixed delay", || done(drive(hedge.run(|_| Turn::SECOND)))).keeps(fixed),
            Candidate::new("with a budget", || done(drive(with_budget.run(|_| Turn::SECOND)))).keeps(owned),
            Candidate::new("`Hedge::run`, `Quantile`", || done(drive(by_quantile.run(|_| Turn::SECOND))))
                .keeps(quantile),
            Candidate::new("`Hedge::run`, `Quantile`, its clock stands", || {
                done(drive(by_still.run(|_| Turn::SECOND)))
            })
            .keeps(still),
            Candidate::new("by hand: a call and a timer", || {
                done(drive(beside_a_timer(Turn::SECOND, || sleep(DELAY))))
            }),
            Candidate::new("`tokio::time::timeout`", || done(drive(timeout(DELAY, Turn::SECOND)))),
            Candidate::new("no timer", || done(drive(Turn::SECOND))),
        ],
    );
}
