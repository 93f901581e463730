//! Measures the points of lines, all points of a chart in turn.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use super::{Growth, Point, Size, breakers, budgets, hedges, keys, memory, quantiles, retries, schedules};
use crate::measure::{Candidate, Count, timing};

/// How far it goes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often each point has its turn. One only shows that everything runs.
    pub rounds: usize,
    /// No more of anything than this; at least 1,000, so that a line has two points.
    pub most: u64,
    /// Who counts what is allocated.
    pub count: Count,
}

/// Measures everything; `machine` is what it says of where that was.
#[must_use]
pub fn measured(plan: Plan, machine: String) -> Growth {
    let mut grower = Grower { plan, growth: Growth { machine, ..Growth::default() } };
    breakers::run(&mut grower);
    keys::run(&mut grower);
    budgets::run(&mut grower);
    quantiles::run(&mut grower);
    schedules::run(&mut grower);
    retries::run(&mut grower);
    hedges::run(&mut grower);
    memory::run(&mut grower);
    grower.growth
}

/// What the modules tell of their points.
pub(super) struct Grower {
    plan: Plan,
    growth: Growth,
}

/// One point that is to be measured.
pub(super) struct At<'a> {
    x: u64,
    /// A call does so many things, of which the cost of one is told.
    per: u64,
    candidate: Candidate<'a>,
}

impl<'a> At<'a> {
    /// The line is called as the candidate is.
    pub(super) fn new<T>(line: &'static str, x: u64, op: impl FnMut() -> T + 'a) -> Self {
        Self { x, per: 1, candidate: Candidate::new(line, op) }
    }

    /// The cost is that of one of so many.
    pub(super) fn per(self, per: u64) -> Self {
        Self { per, ..self }
    }
}

impl Grower {
    /// Those that are not too many.
    pub(super) fn sizes(&self, all: &[u64]) -> Vec<u64> {
        all.iter().copied().filter(|size| *size <= self.plan.most).collect()
    }

    /// The tens up to there.
    pub(super) fn tens(&self, from: u64, to: u64) -> Vec<u64> {
        std::iter::successors(Some(from), |size| Some(size * 10))
            .take_while(|size| *size <= to.min(self.plan.most))
            .collect()
    }

    /// The time of each point's call, and what it allocates.
    pub(super) fn time(&mut self, chart: &str, points: Vec<At<'_>>) {
        let (places, mut candidates): (Vec<_>, Vec<_>) =
            points.into_iter().map(|point| ((point.x, point.per), point.candidate)).unzip();
        let allocs: Vec<f64> = candidates.iter_mut().map(|candidate| candidate.count(self.plan.count).allocs).collect();
        let rounds = timing::in_turn(&mut candidates, self.plan.rounds);
        for (((x, per), candidate), (nanos, allocs)) in places.iter().zip(&candidates).zip(rounds.iter().zip(allocs)) {
            let of_one = |value: f64| value / *per as f64;
            let ns = Some(rounded(of_one(middle(nanos))));
            self.push(Point { ns, allocs: Some(rounded(of_one(allocs))), ..point(chart, candidate.name, *x) });
        }
    }

    /// How long one call takes on what `before` makes, which is not measured: the middle of some.
    pub(super) fn once<S, T>(
        &mut self,
        (chart, line, x): (&str, &str, u64),
        mut before: impl FnMut() -> S,
        mut op: impl FnMut(&mut S) -> T,
    ) {
        let nanos = || {
            let mut made = before();
            let start = Instant::now();
            black_box(op(&mut made));
            nanos(start.elapsed())
        };
        let times = self.plan.rounds.min(ONCE);
        let nanos: Vec<f64> = std::iter::repeat_with(nanos).take(times).collect();
        self.push(Point { ns: Some(rounded(middle(&nanos))), ..point(chart, line, x) });
    }

    /// So many bytes.
    pub(super) fn bytes(&mut self, (chart, line, x): (&str, &str, u64), bytes: f64) {
        self.push(Point { bytes: Some(rounded(bytes)), ..point(chart, line, x) });
    }

    /// What a thing takes when it is made, and when it was used.
    pub(super) fn thing<T>(&mut self, thing: &str, make: impl FnOnce() -> T, used: impl FnOnce(&T)) {
        let (made, used) = self.weighed(make, used);
        self.size(thing, made, used);
    }

    /// The same, and it is told to nobody.
    pub(super) fn weighed<T>(&self, make: impl FnOnce() -> T, used: impl FnOnce(&T)) -> (u64, u64) {
        let (mut make, mut used, mut thing) = (Some(make), Some(used), None);
        let heap = |run: &mut dyn FnMut()| (self.plan.count)(run).bytes_current;
        let made = heap(&mut || thing = make.take().map(|make| make()));
        let more = heap(&mut || {
            if let (Some(used), Some(thing)) = (used.take(), &thing) {
                used(thing);
            }
        });
        let total = |heap: i64| size_of::<T>() as u64 + u64::try_from(heap).unwrap_or(0);
        (total(made), total(made + more))
    }

    pub(super) fn size(&mut self, thing: &str, made: u64, used: u64) {
        self.growth.memory.push(Size { thing: thing.to_owned(), made, used });
    }

    fn push(&mut self, point: Point) {
        self.growth.points.push(point);
    }
}

/// Repetitions of what takes long.
const ONCE: usize = 7;

fn point(chart: &str, line: &str, x: u64) -> Point {
    Point { chart: chart.to_owned(), line: line.to_owned(), x: x as f64, ns: None, bytes: None, allocs: None }
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

fn middle(of: &[f64]) -> f64 {
    let mut of = of.to_vec();
    of.sort_unstable_by(f64::total_cmp);
    of[of.len() / 2]
}

/// To three digits, so that what is kept can be read, and so can the difference of two.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
