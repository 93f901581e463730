//! The other schedules and jitters, which the peers do not all have.

use std::{hint::black_box, time::Duration};

use evenkeel_backoff::{
    AnySchedule, Constant, Decorrelated, Exponential, Fibonacci, Jitter, Linear, Ratio, Schedule, curve::Curve,
};

use super::{CAP, FIRST, SCHEDULE, ten};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    let steep = Exponential::builder(FIRST).factor(1.5).cap(CAP).build().expect("1.5 is a factor");
    let any = || black_box(AnySchedule::from(SCHEDULE)).into_iter();
    bench.compare(
        "schedules",
        "ten delays of the others",
        vec![
            ours("`Exponential`, full jitter", SCHEDULE),
            ours("equal jitter", SCHEDULE.jitter(Jitter::Equal)),
            ours("around", SCHEDULE.jitter(Jitter::Around(Ratio::HALF))),
            ours("no jitter", SCHEDULE.jitter(Jitter::None)),
            ours("a factor of 1.5", steep),
            ours("within a total", SCHEDULE.within(Duration::from_secs(3600))),
            ours("`Constant`", Constant::new(FIRST)),
            ours("`Linear`", Linear::new(FIRST, FIRST).cap(CAP)),
            ours("`Fibonacci`", Fibonacci::new(FIRST).cap(CAP)),
            ours("`Decorrelated`", Decorrelated::new(FIRST).cap(CAP)),
            Candidate::new("`AnySchedule`", move || ten(any().take(10))).keeps(any),
        ],
    );
}

fn ours<C: Curve + 'static>(name: &'static str, schedule: Schedule<C>) -> Candidate<'static> {
    let delays = move || black_box(schedule).take(10).into_iter();
    Candidate::new(name, move || ten(delays())).keeps(delays)
}
