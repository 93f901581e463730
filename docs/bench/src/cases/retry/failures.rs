//! Futures: three failures and a success, with sleepers that do not sleep: what is left is the machinery.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use backon::Retryable;
use evenkeel_backoff::Retry;

use super::{
    super::schedules::{SCHEDULE, peers},
    Unwell, done, rich,
};
use crate::measure::{Bench, Candidate, drive};

pub(super) fn run(bench: &mut Bench) {
    let unwell = Unwell::new();
    let awake = |_: Duration| -> Ready<()> { ready(()) };
    let yielding = Retry::new([Duration::ZERO; 3], awake);
    let sleeping = Retry::new([Duration::from_nanos(1); 3], awake);
    let drawing = Retry::new(SCHEDULE.take(3), awake);
    let budgeted = || drawing.budget(rich());
    let with_budget = budgeted();
    let nothing = || backon::ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(3);
    let drawn = || peers::backon().with_jitter();
    // `tokio-retry`, `tokio-retry2` and `backoff` have tokio's sleep alone: they are beside the others in tokio.
    bench.compare(
        "retry",
        "future, three failures, no sleep",
        vec![
            Candidate::new("`Retry::run`, zero delays: three yields", || {
                done(drive(yielding.run(|_| unwell.answer())))
            })
            .keeps(|| yielding),
            Candidate::new("`Retry::run`, delays from an array", || done(drive(sleeping.run(|_| unwell.answer()))))
                .keeps(|| sleeping),
            Candidate::new("`Retry::run`, delays drawn", || done(drive(drawing.run(|_| unwell.answer()))))
                .keeps(|| drawing),
            Candidate::new("delays drawn, with a budget", || done(drive(with_budget.run(|_| unwell.answer()))))
                .keeps(budgeted),
            Candidate::new("by hand: a loop", || {
                done(drive(async {
                    for _ in 0..3 {
                        if let Ok(answer) = unwell.answer().await {
                            return Ok(answer);
                        }
                    }
                    unwell.answer().await
                }))
            }),
            Candidate::new("backon, zero delays", || done(drive((|| unwell.answer()).retry(nothing()).sleep(awake))))
                .keeps(nothing),
            Candidate::new("backon, delays drawn", || done(drive((|| unwell.answer()).retry(drawn()).sleep(awake))))
                .keeps(drawn),
        ],
    );
}
