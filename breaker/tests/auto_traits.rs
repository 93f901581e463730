//! Which threads a public type may go to is part of its promise.
#![cfg(not(loom))]

use std::{
    future::{Pending, Ready},
    rc::Rc,
    time::Duration,
};

use evenkeel_breaker::{
    Abandoned, Acquire, Breaker, BreakerBuilder, BreakerMap, Call, CallEnd, Cause, CheckEnd, Drawn, ErrIsFailure,
    Error, Invalid, MapBuilder, MapSnapshot, OpenTimes, Outcome, Permit, Prober, Rejected, Snapshot, State, Transition,
    Transitions, Verdict,
};

fn is<T: Send + Sync + Unpin + 'static>() {}
fn is_copy<T: Copy>() {}

type Sleeper = fn(Duration) -> Ready<()>;

#[test]
fn everything_goes_to_any_thread() {
    is::<Breaker>();
    is::<BreakerBuilder>();
    is::<Permit<Breaker>>();
    is::<Permit<&'static Breaker>>();
    is::<Transitions>();
    is::<Snapshot>();
    is::<Transition>();
    is::<State>();
    is::<Cause>();
    is::<CallEnd>();
    is::<CheckEnd>();
    is::<OpenTimes>();
    is::<Drawn>();
    is::<Outcome>();
    is::<Verdict>();
    is::<ErrIsFailure>();
    is::<Abandoned>();
    is::<Rejected>();
    is::<Error<()>>();
    is::<Invalid>();
    is::<Call<Ready<Result<(), ()>>>>();
    is::<Acquire<Sleeper, Ready<()>>>();
    is::<BreakerMap<String>>();
    is::<MapBuilder<String>>();
    is::<MapSnapshot>();
    is::<Prober<Sleeper, Ready<()>, fn() -> Ready<Result<(), ()>>, Ready<Result<(), ()>>>>();
    // A key is what it is; one that is only for one thread is not refused.
    fn is_unpin<T: Unpin>() {}
    is_unpin::<BreakerMap<Rc<str>>>();
}

#[cfg(feature = "serde")]
#[test]
fn what_is_read_from_a_file_goes_to_any_thread() {
    is::<evenkeel_breaker::BreakerConfig>();
    is::<evenkeel_breaker::BreakerMapConfig>();
}

#[cfg(feature = "metrics")]
#[test]
fn what_counts_goes_to_any_thread() {
    is::<evenkeel_breaker::BreakerMetrics>();
    is::<evenkeel_breaker::BreakerMapMetrics>();
    is::<evenkeel_breaker::KeyMetrics>();
}

#[test]
fn values_are_copies() {
    is_copy::<Snapshot>();
    is_copy::<Transition>();
    is_copy::<State>();
    is_copy::<Cause>();
    is_copy::<CallEnd>();
    is_copy::<CheckEnd>();
    is_copy::<OpenTimes>();
    is_copy::<Outcome>();
    is_copy::<Verdict>();
    is_copy::<ErrIsFailure>();
    is_copy::<Abandoned>();
    is_copy::<Rejected>();
    is_copy::<Error<()>>();
    is_copy::<Invalid>();
    is_copy::<MapSnapshot>();
}

#[cfg(feature = "tower")]
#[test]
fn a_stack_goes_wherever_its_parts_go() {
    use evenkeel_breaker::{
        BreakerFuture, BreakerLayer, BreakerMapLayer, BreakerMapService, BreakerService, HoldLayer, HoldService,
    };

    is::<BreakerLayer>();
    is::<BreakerService<()>>();
    is::<BreakerFuture<Ready<Result<(), ()>>>>();
    is::<BreakerLayer<ErrIsFailure, &'static Breaker>>();
    is::<BreakerService<(), ErrIsFailure, &'static Breaker>>();
    is::<BreakerFuture<Ready<Result<(), ()>>, ErrIsFailure, &'static Breaker>>();
    is::<BreakerMapLayer<fn(&()) -> String, String>>();
    is::<BreakerMapService<(), fn(&()) -> String, String>>();
    is::<HoldLayer<Sleeper>>();
    is::<HoldService<(), Sleeper, Ready<()>>>();
    // Where a sleep stays in its place, the service that waits by it need not.
    fn is_unpin<T: Unpin>() {}
    is_unpin::<HoldService<(), Sleeper, (Ready<()>, std::marker::PhantomPinned)>>();
}

/// What is only for one thread is for that one, and borrows what it likes.
#[test]
fn what_is_local_may_be_part_of_it() {
    #[allow(clippy::disallowed_methods)]
    let (local, start) = (Rc::new(()), std::time::Instant::now());
    let clock = || {
        let _ = &local;
        start
    };
    let breaker = Breaker::builder().clock(clock).build().unwrap();
    let sleep = |_| {
        let _ = &local;
        std::future::pending::<Rc<()>>()
    };
    fn is_local<C: Fn() -> std::time::Instant, W>(_: &Acquire<W, Pending<Rc<()>>, C>) {}
    is_local(&breaker.acquire(sleep));
}
