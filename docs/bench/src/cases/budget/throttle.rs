//! `AdaptiveThrottle`: by itself, around a future, and as a layer.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    time::Instant,
};

use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority, ThrottleLayer};
use tower::{Layer, service_fn};

use super::AREA;
use crate::{
    cases::forever,
    measure::{Bench, Candidate, drive, request},
};

pub(super) fn run(bench: &mut Bench) {
    let start = Instant::now();
    let service = service_fn(|()| answer());
    let clocked = AdaptiveThrottle::<fn() -> Instant>::default;
    let standing = || AdaptiveThrottle::builder().clock(move || start).build().expect("valid");
    // Nearly everything is rejected.
    let rejecting = || {
        let throttle = standing();
        (0..100_000).for_each(|_| drop(throttle.try_acquire(Priority::Normal)));
        throttle
    };
    let timed_layers = || ThrottleLayer::new(clocked()).layer(service);
    let still_layers = || ThrottleLayer::new(standing()).layer(service);
    let lent = || ThrottleLayer::new(forever(standing())).layer(service);
    let (timed, still, shut) = (clocked(), standing(), rejecting());
    let (mut timed_layer, mut still_layer, mut lent_1) = (timed_layers(), still_layers(), lent());
    let mut shut_layer = ThrottleLayer::new(shut.clone()).layer(service);
    let mut bare = service;
    bench.compare(
        AREA,
        "`AdaptiveThrottle`, accepted",
        vec![
            Candidate::new("by itself, with the clock", || {
                let admission = timed.try_acquire(Priority::Normal);
                assert!(admission.map(|admission| admission.record(Outcome::Success)).is_ok());
            })
            .keeps(clocked),
            Candidate::new("by itself, its clock stands", || {
                let admission = still.try_acquire(Priority::Normal);
                assert!(admission.map(|admission| admission.record(Outcome::Success)).is_ok());
            })
            .keeps(standing),
            Candidate::new("`call`, with the clock", || assert!(drive(timed.call(answer())).is_ok())).keeps(clocked),
            Candidate::new("`call`, its clock stands", || assert!(drive(still.call(answer())).is_ok())).keeps(standing),
            Candidate::new("`ThrottleLayer`, with the clock", || assert!(request(&mut timed_layer, ()).is_ok()))
                .keeps(timed_layers),
            Candidate::new("`ThrottleLayer`, its clock stands", || assert!(request(&mut still_layer, ()).is_ok()))
                .keeps(still_layers),
            Candidate::new("`ThrottleLayer`, its clock stands, by reference", || {
                assert!(request(&mut lent_1, ()).is_ok());
            })
            .keeps(lent),
            Candidate::new("no throttle: the service alone", || assert!(request(&mut bare, ()).is_ok())),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
    // One of so many is let through, to see whether the service is back: it is not.
    bench.compare(
        AREA,
        "`AdaptiveThrottle`, rejected, its clock stands",
        vec![
            Candidate::new("by itself", || shut.try_acquire(Priority::Normal).is_err()).keeps(rejecting),
            Candidate::new("`call`", || drive(shut.call(failure())).is_err()).keeps(rejecting),
            Candidate::new("`ThrottleLayer`", || request(&mut shut_layer, ()).is_err())
                .keeps(|| ThrottleLayer::new(rejecting()).layer(service)),
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
