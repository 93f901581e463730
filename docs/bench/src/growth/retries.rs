//! A request by the number of its attempts that fail.

use std::{
    cell::Cell,
    future::{Ready, ready},
    hint::black_box,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use backon::Retryable;
use evenkeel_backoff::{Costs, Exponential, Retry, TokenBudget};
use tower::{
    Layer,
    retry::{
        Policy,
        backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    service_fn,
    util::rng::HasherRng,
};

use super::{
    grower::{At, Grower},
    schedules::{CAP, FIRST},
};
use crate::measure::{drive, request};

pub(super) fn run(grower: &mut Grower) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let mut points = Vec::new();
    for failures in grower.sizes(&[1, 3, 10, 30, 100]) {
        let schedule = Exponential::new(FIRST).cap(CAP).take(failures as usize);
        // Rich enough for every failure here: what is compared is the work, not the generosity.
        let rich = || TokenBudget::new(u32::MAX, Costs { transient: 1, ..Costs::REVISION_2026 });
        let unwell = Unwell::new(failures);
        let retry = Retry::new(schedule, made).budget(rich());
        points.push(each("Retry::run", failures, move || drive(retry.run(|_| unwell.answer()))));

        let unwell = Unwell::new(failures);
        let layer = Retry::new(schedule, made).budget(rich()).layer();
        let mut service = layer.layer(service_fn(move |_: u64| unwell.answer()));
        points.push(each("RetryLayer", failures, move || request(&mut service, 1)));

        let unwell = Unwell::new(failures);
        let drawn = backon::ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(CAP);
        let drawn = drawn.with_max_times(failures as usize).with_jitter();
        points.push(each("backon, no budget", failures, move || drive((|| unwell.answer()).retry(drawn).sleep(made))));

        let unwell = Unwell::new(failures);
        let service = service_fn(move |_: u64| unwell.answer());
        let mut service = tower::retry::Retry::new(ByTower::new(failures), service);
        points.push(each("tower::retry, with the clock", failures, move || request(&mut service, 1)));
    }
    grower.time("retry-attempts", points);
}

/// As with tower's schedule, which makes one: the sleep is made, and not slept.
fn made(delay: Duration) -> Ready<()> {
    drop(tokio::time::sleep(delay));
    ready(())
}

/// In the end each succeeds.
fn each(line: &'static str, failures: u64, mut op: impl FnMut() -> Result<u64, u64> + 'static) -> At<'static> {
    At::new(line, failures, move || assert!(op().is_ok(), "it was to be tried more often")).per(failures + 1)
}

/// A service that fails so many times, and then succeeds.
#[derive(Clone)]
pub(super) struct Unwell {
    calls: Rc<Cell<u64>>,
    of: u64,
}

impl Unwell {
    pub(super) fn new(failures: u64) -> Self {
        Self { calls: Rc::default(), of: failures + 1 }
    }

    pub(super) fn answer(&self) -> Ready<Result<u64, u64>> {
        let calls = self.calls.get() + 1;
        self.calls.set(calls % self.of);
        ready(black_box(if calls == self.of { Ok(calls) } else { Err(calls) }))
    }
}

/// The policy that one writes for tower's layer: a limit, its budget, its schedule.
#[derive(Clone)]
pub(super) struct ByTower {
    left: u64,
    budget: Arc<TpsBudget>,
    backoff: ExponentialBackoff<HasherRng>,
}

impl ByTower {
    pub(super) fn new(retries: u64) -> Self {
        let backoff = ExponentialBackoffMaker::new(FIRST, CAP, 0.5, HasherRng::default()).expect("in its ranges");
        let budget = Arc::new(TpsBudget::new(Duration::from_secs(10), 1_000, 1_000.0));
        Self { left: retries, budget, backoff: { backoff }.make_backoff() }
    }
}

impl Policy<u64, u64, u64> for ByTower {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, u64>) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                self.budget.deposit();
                None
            }
            Err(_) if self.left > 0 && self.budget.withdraw() => {
                self.left -= 1;
                drop(self.backoff.next_backoff());
                Some(ready(()))
            }
            Err(_) => None,
        }
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}
