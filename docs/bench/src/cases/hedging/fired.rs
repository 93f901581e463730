//! Futures: two attempts, of which the first never answers and the second does.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use evenkeel_hedging::{AtOnce, Costs, Hedge, TokenBudget};

use super::{
    DELAY, done,
    turn::{Turn, two},
    warm, warm_whose_clock_stands,
};
use crate::measure::{Bench, Candidate, drive};

/// A timer that has run out as soon as it is looked at.
pub(super) fn over(_: Duration) -> Ready<()> {
    ready(())
}

pub(super) fn run(bench: &mut Bench) {
    let answer = |attempt: u32| if attempt == 0 { Turn::NEVER } else { Turn::AT_ONCE };
    let fixed = || Hedge::after(DELAY, over);
    let budgeted = || fixed().budget(endless());
    let quantile = || Hedge::new(warm(), over);
    let still = || Hedge::new(warm_whose_clock_stands(), over);
    let at_once = || Hedge::new(AtOnce, over);
    let (hedge, with_budget, by_quantile, by_still, both) = (fixed(), budgeted(), quantile(), still(), at_once());
    bench.compare(
        "hedging",
        "future, fired",
        vec![
            Candidate::new("`Hedge::run`, a fixed delay", || done(drive(hedge.run(answer)))).keeps(fixed),
            Candidate::new("with a budget", || done(drive(with_budget.run(answer)))).keeps(budgeted),
            Candidate::new("`Hedge::run`, `Quantile`", || done(drive(by_quantile.run(answer)))).keeps(quantile),
            Candidate::new("`Hedge::run`, `Quantile`, its clock stands", || done(drive(by_still.run(answer))))
                .keeps(still),
            Candidate::new("`Hedge::run`, `AtOnce`", || done(drive(both.run(answer)))).keeps(at_once),
            Candidate::new("by hand", || {
                let mut attempt = 0;
                done(drive(two(
                    || {
                        attempt += 1;
                        answer(attempt - 1)
                    },
                    ready(()),
                )))
            }),
        ],
    );
}

/// Every hedge that is sent costs one, and so many never empty it.
pub(super) fn endless() -> TokenBudget {
    TokenBudget::new(u32::MAX, Costs { hedge: 1, ..Costs::REVISION_2026 })
}
