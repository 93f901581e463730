//! `AdaptiveThrottle`: by itself, around a future, and as a layer.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
    time::Instant,
};

use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority, ThrottleLayer};
use tower_layer::Layer;
use tower_service::Service;

use super::AREA;
use crate::measure::{Bench, Candidate, drive, request};

pub(super) fn run(bench: &mut Bench) {
    let start = Instant::now();
    let timed = AdaptiveThrottle::default();
    let still = AdaptiveThrottle::builder().clock(move || start).build().expect("valid");
    // Nearly everything is rejected.
    let shut = AdaptiveThrottle::builder().clock(move || start).build().expect("valid");
    (0..100_000).for_each(|_| drop(shut.try_acquire(Priority::Normal)));
    let (mut timed_layer, mut still_layer, mut shut_layer) = (
        ThrottleLayer::new(timed.clone()).layer(Echo),
        ThrottleLayer::new(still.clone()).layer(Echo),
        ThrottleLayer::new(shut.clone()).layer(Echo),
    );
    let mut lent = ThrottleLayer::new(&still).layer(Echo);
    let mut bare = Echo;
    bench.compare(
        AREA,
        "`AdaptiveThrottle`, accepted",
        vec![
            Candidate::new("by itself, with the clock", || {
                let admission = timed.try_acquire(Priority::Normal);
                assert!(admission.map(|admission| admission.record(Outcome::Success)).is_ok());
            }),
            Candidate::new("by itself, its clock stands", || {
                let admission = still.try_acquire(Priority::Normal);
                assert!(admission.map(|admission| admission.record(Outcome::Success)).is_ok());
            }),
            Candidate::new("`call`, with the clock", || assert!(drive(timed.call(answer())).is_ok())),
            Candidate::new("`call`, its clock stands", || assert!(drive(still.call(answer())).is_ok())),
            Candidate::new("`ThrottleLayer`, with the clock", || assert!(request(&mut timed_layer, ()).is_ok())),
            Candidate::new("`ThrottleLayer`, its clock stands", || assert!(request(&mut still_layer, ()).is_ok())),
            Candidate::new("`ThrottleLayer`, its clock stands, by reference", || {
                assert!(request(&mut lent, ()).is_ok());
            }),
            Candidate::new("no throttle: the service alone", || assert!(request(&mut bare, ()).is_ok())),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    // One of so many is let through, to see whether the service is back: it is not.
    bench.compare(
        AREA,
        "`AdaptiveThrottle`, rejected, its clock stands",
        vec![
            Candidate::new("by itself", || shut.try_acquire(Priority::Normal).is_err()),
            Candidate::new("`call`", || drive(shut.call(failure())).is_err()),
            Candidate::new("`ThrottleLayer`", || request(&mut shut_layer, ()).is_err()),
        ],
    );
    assert!(shut.snapshot().rejection_probability > 0.99, "{:?}", shut.snapshot());
}

fn answer() -> Ready<Result<u64, Infallible>> {
    ready(Ok(black_box(1)))
}

fn failure() -> Ready<Result<u64, u64>> {
    ready(Err(black_box(1)))
}

/// A service that is always ready, and answers.
#[derive(Clone, Copy)]
struct Echo;

impl Service<()> for Echo {
    type Response = u64;
    type Error = Infallible;
    type Future = Ready<Result<u64, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        answer()
    }
}
