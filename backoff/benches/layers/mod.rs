//! `RetryLayer` beside `tower::retry::Retry`, each with a budget and a schedule, around a service that is always ready.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use evenkeel_backoff::{Costs, Retry, TokenBudget};
use tower::{
    Layer, Service,
    retry::{
        Policy,
        backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    service_fn,
    util::rng::HasherRng,
};

use crate::{
    CAP, FIRST, SCHEDULE, Unwell,
    harness::{Candidate, compare, drive},
    well,
};

pub(crate) fn compare_layers() {
    // Rich enough for every failure here: what is compared is the work, not the generosity.
    let rich = TokenBudget::new(u32::MAX, Costs { transient: 1, ..Costs::REVISION_2026 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    // As with tower's schedule, which makes one: the sleep is made, and not slept.
    let sleep = |delay| {
        drop(tokio::time::sleep(delay));
        ready(())
    };
    let layer = Retry::new(SCHEDULE.take(3), sleep).budget(rich).layer();

    let service = service_fn(|_: u64| well::<u64>());
    let (mut ours, mut towers, mut bare) =
        (layer.layer(service), tower::retry::Retry::new(Tower::new(), service), service);
    compare(
        "A layer: a success at the first attempt",
        vec![
            Candidate::new("`RetryLayer`", || request(&mut ours)),
            Candidate::new("tower::retry", || request(&mut towers)),
            Candidate::new("no layer", || request(&mut bare)),
        ],
    );

    let unwell = Unwell::default();
    let service = service_fn(|_: u64| unwell.answer());
    let (mut ours, mut towers) = (layer.layer(service), tower::retry::Retry::new(Tower::new(), service));
    compare(
        "A layer: three failures and a success, no sleep",
        vec![
            Candidate::new("`RetryLayer`", || request(&mut ours)),
            Candidate::new("tower::retry", || request(&mut towers)),
        ],
    );
}

fn request<S: Service<u64>>(service: &mut S) -> Result<S::Response, S::Error> {
    let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))), "it is always ready");
    drive(service.call(1))
}

/// The policy that one writes for tower's layer: a limit, its budget, its schedule.
#[derive(Clone)]
struct Tower {
    left: u32,
    budget: Arc<TpsBudget>,
    backoff: ExponentialBackoff<HasherRng>,
}

impl Tower {
    fn new() -> Self {
        let backoff = ExponentialBackoffMaker::new(FIRST, CAP, 0.5, HasherRng::default()).unwrap().make_backoff();
        let budget = Arc::new(TpsBudget::new(Duration::from_secs(10), 10, 1_000.0));
        Self { left: 3, budget, backoff }
    }
}

impl Policy<u64, u64, u64> for Tower {
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
