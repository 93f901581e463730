//! Futures: a success at the first attempt.

use std::hint::black_box;

use backon::Retryable;
use evenkeel_backoff::{Retry, TokenBudget};
use tokio_retry2::RetryError;

use super::{
    super::schedules::{CAP, SCHEDULE, peers},
    done, well,
};
use crate::measure::{Bench, Candidate, drive};

pub(super) fn run(bench: &mut Bench) {
    let now = std::time::Instant::now();
    let retry = Retry::new(SCHEDULE.take(3), tokio::time::sleep);
    let budgeted = || retry.budget(TokenBudget::default());
    let timeout = || retry.attempt_timeout(CAP, || 0_u64);
    let (with_budget, with_timeout, with_deadline) = (budgeted(), timeout(), retry.deadline(CAP));
    let still = retry.deadline(CAP).clock(move || now);
    bench.compare(
        "retry",
        "future, success at once",
        vec![
            Candidate::new("`Retry::run`", || done(drive(retry.run(|_| well::<u64>())))).keeps(|| retry),
            Candidate::new("with a budget", || done(drive(with_budget.run(|_| well::<u64>())))).keeps(budgeted),
            Candidate::new("with an attempt timeout", || done(drive(with_timeout.run(|_| well())))).keeps(timeout),
            Candidate::new("with a deadline, and so a clock", || done(drive(with_deadline.run(|_| well::<u64>()))))
                .keeps(|| with_deadline),
            Candidate::new("with a deadline, its clock stands", || done(drive(still.run(|_| well::<u64>()))))
                .keeps(|| still),
            Candidate::new("by hand: a bare await", || done(drive(well::<u64>()))),
            Candidate::new("backon", || {
                let schedule = black_box(peers::backon()).with_jitter();
                done(drive(well::<u64>.retry(schedule).sleep(tokio::time::sleep)))
            })
            .keeps(peers::backon),
            Candidate::new("tokio-retry2", || {
                let schedule = black_box(peers::tokio_retry2()).map(tokio_retry2::strategy::jitter).take(3);
                done(drive(tokio_retry2::Retry::spawn(schedule, well::<RetryError<u64>>)))
            })
            .keeps(peers::tokio_retry2),
            Candidate::new("tokio-retry", || {
                let schedule = black_box(peers::tokio_retry()).map(tokio_retry::strategy::jitter).take(3);
                done(drive(tokio_retry::Retry::start(schedule, well::<u64>)))
            })
            .keeps(peers::tokio_retry),
            Candidate::new("backoff", || {
                done(drive(backoff::future::retry(peers::backoff(black_box(1.0)), well::<backoff::Error<u64>>)))
            })
            .keeps(|| peers::backoff(1.0)),
            Candidate::new("backoff, its clock stands", || {
                let schedule = peers::backoff_whose_clock_stands(black_box(1.0), now);
                done(drive(backoff::future::retry(schedule, well::<backoff::Error<u64>>)))
            })
            .keeps(|| peers::backoff_whose_clock_stands(1.0, now)),
        ],
    );
}
