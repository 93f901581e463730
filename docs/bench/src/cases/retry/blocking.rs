//! Threads: a success at the first attempt, and three failures with no sleep between them.

use std::{hint::black_box, thread, time::Duration};

use backon::BlockingRetryable;
use evenkeel_backoff::{Retry, TokenBudget};

use super::{
    super::schedules::{SCHEDULE, peers},
    Unwell, done, rich,
};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    at_once(bench);
    failures(bench);
}

fn at_once(bench: &mut Bench) {
    let now = std::time::Instant::now();
    let retry = Retry::new(SCHEDULE.take(3), thread::sleep);
    let budgeted = || retry.budget(TokenBudget::default());
    let with_budget = budgeted();
    let well = || black_box(Ok::<u64, u64>(1));
    let well_for_backoff = || black_box(Ok::<u64, backoff::Error<u64>>(1));
    bench.compare(
        "retry",
        "blocking, success at once",
        vec![
            Candidate::new("`Retry::run_blocking`", || done(retry.run_blocking(|_| well()))).keeps(|| retry),
            Candidate::new("with a budget", || done(with_budget.run_blocking(|_| well()))).keeps(budgeted),
            Candidate::new("by hand: a bare call", || done(well())),
            Candidate::new("backon", || {
                done(well.retry(black_box(peers::backon()).with_jitter()).sleep(thread::sleep).call())
            })
            .keeps(peers::backon),
            Candidate::new("backoff", || done(backoff::retry(peers::backoff(black_box(1.0)), well_for_backoff)))
                .keeps(|| peers::backoff(1.0)),
            Candidate::new("backoff, its clock stands", || {
                done(backoff::retry(peers::backoff_whose_clock_stands(black_box(1.0), now), well_for_backoff))
            })
            .keeps(|| peers::backoff_whose_clock_stands(1.0, now)),
        ],
    );
}

/// To sleep for no time is not to sleep. Ours lets other threads run instead, which takes as long as they do.
fn failures(bench: &mut Bench) {
    let unwell = Unwell::new();
    let retry = Retry::new([Duration::ZERO; 3], thread::sleep);
    let sleeping = Retry::new([Duration::from_nanos(1); 3], |_| ());
    let drawing = Retry::new(SCHEDULE.take(3), |_| ());
    let budgeted = || drawing.budget(rich());
    let with_budget = budgeted();
    let nothing = || backon::ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(3);
    let drawn = || peers::backon().with_jitter();
    bench.compare(
        "retry",
        "blocking, three failures",
        vec![
            Candidate::new("`Retry::run_blocking`, zero delays: three yields", || {
                done(retry.run_blocking(|_| unwell.next()))
            })
            .keeps(|| retry),
            Candidate::new("`Retry::run_blocking`, delays from an array", || {
                done(sleeping.run_blocking(|_| unwell.next()))
            })
            .keeps(|| sleeping),
            Candidate::new("`Retry::run_blocking`, delays drawn", || done(drawing.run_blocking(|_| unwell.next())))
                .keeps(|| drawing),
            Candidate::new("delays drawn, with a budget", || done(with_budget.run_blocking(|_| unwell.next())))
                .keeps(budgeted),
            Candidate::new("by hand: a loop", || {
                done((0..3).find_map(|_| unwell.next().ok()).map_or_else(|| unwell.next(), Ok))
            }),
            Candidate::new("backon, zero delays", || {
                done((|| unwell.next()).retry(nothing()).sleep(thread::sleep).call())
            })
            .keeps(nothing),
            Candidate::new("backon, delays drawn", || done((|| unwell.next()).retry(drawn()).sleep(|_| ()).call()))
                .keeps(drawn),
            Candidate::new("backoff, zero delays", || {
                let action = || unwell.next().map_err(backoff::Error::transient);
                done(backoff::retry(backoff::backoff::Zero {}, action))
            })
            .keeps(|| backoff::backoff::Zero {}),
        ],
    );
}
