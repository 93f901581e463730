//! What a call through a closed breaker costs: nothing on the heap, and no look at the clock that no rule asks for.
#![cfg(not(loom))]

use std::{
    future::{Ready, ready},
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use evenkeel_breaker::{Abandoned, Breaker, BreakerBuilder, BreakerObserver, Error, State};

/// How often a clock was read.
#[derive(Default)]
struct Reads(AtomicU32);

impl Reads {
    /// The clock of a breaker. It stands still.
    fn clock(&self) -> impl Fn() -> Instant + Clone {
        #[allow(clippy::disallowed_methods)]
        let start = Instant::now();
        move || {
            self.0.fetch_add(1, Ordering::Relaxed);
            start
        }
    }

    /// Since this was asked last.
    fn take(&self) -> u32 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

fn consecutive() -> BreakerBuilder {
    Breaker::builder().consecutive_failures(10)
}

fn count() -> BreakerBuilder {
    Breaker::builder().failure_rate(0.5).count_window(100)
}

fn time() -> BreakerBuilder {
    Breaker::builder().failure_rate(0.5).time_window(Duration::from_secs(10))
}

fn slow() -> BreakerBuilder {
    Breaker::builder().slow_calls(Duration::from_secs(1), 0.5)
}

fn done<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn sleep(_: Duration) -> Ready<()> {
    ready(())
}

/// Successful calls, by every way that is there.
fn calls<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>) {
    for _ in 0..200 {
        breaker.try_acquire().unwrap().success();
        breaker.try_acquire_owned().unwrap().success();
        done(breaker.acquire(sleep)).success();
        done(breaker.call(ready(Ok::<_, ()>(())))).unwrap();
        #[cfg(feature = "tower")]
        {
            use evenkeel_breaker::BreakerLayer;
            use tower::{Layer, Service, service_fn};

            fn request<S: Service<()>>(mut service: S) {
                assert!(service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
                assert!(done(service.call(())).is_ok());
            }
            let inner = service_fn(|()| ready(Ok::<_, ()>(())));
            let layer = BreakerLayer::new(breaker.clone());
            request(layer.layer(inner));
            request(layer.hold(sleep).layer(inner));
            request(BreakerLayer::of(breaker).layer(inner));
        }
    }
}

#[test]
fn a_call_that_succeeds_allocates_nothing() {
    for builder in [consecutive(), count(), time(), slow(), Breaker::builder()] {
        let breaker = builder.build().unwrap();
        calls(&breaker);
        let measured = allocation_counter::measure(|| calls(&breaker));
        assert_eq!(measured.count_total, 0);
    }
}

#[test]
fn a_rejection_allocates_nothing() {
    let breaker = consecutive().build().unwrap();
    let reject = || {
        assert!(breaker.try_acquire().is_err());
        assert!(done(breaker.call(ready(Ok::<_, ()>(())))).is_err());
    };
    breaker.force_open();
    reject();
    assert_eq!(allocation_counter::measure(reject).count_total, 0);
    breaker.reset();
    (0..10).for_each(|_| breaker.try_acquire().unwrap().failure());
    reject();
    assert_eq!(allocation_counter::measure(reject).count_total, 0);
}

#[test]
fn rules_that_count_do_not_look_at_the_clock_while_calls_succeed() {
    let reads = Reads::default();
    for builder in [consecutive(), count(), Breaker::builder(), consecutive().abandoned(Abandoned::Failure)] {
        let breaker = builder.clock(reads.clock()).build().unwrap();
        assert_eq!(reads.take(), 1, "when it is built");
        calls(&breaker);
        drop(breaker.try_acquire());
        assert_eq!(reads.take(), 0);
    }
}

#[test]
fn a_permit_that_is_released_costs_no_look_at_the_clock() {
    let reads = Reads::default();
    let breaker = count().clock(reads.clock()).build().unwrap();
    reads.take();
    breaker.try_acquire().unwrap().release();
    assert_eq!(reads.take(), 0);
}

#[test]
fn a_slow_rule_looks_when_a_call_begins_and_when_it_ends() {
    let reads = Reads::default();
    let breaker = slow().clock(reads.clock()).build().unwrap();
    reads.take();
    let permit = breaker.try_acquire().unwrap();
    assert_eq!(reads.take(), 1);
    permit.success();
    assert_eq!(reads.take(), 1);
    done(breaker.call(ready(Ok::<_, ()>(())))).unwrap();
    assert_eq!(reads.take(), 2);
}

#[test]
fn a_time_window_looks_once_for_a_call() {
    let reads = Reads::default();
    let breaker = time().clock(reads.clock()).build().unwrap();
    reads.take();
    let permit = breaker.try_acquire().unwrap();
    assert_eq!(reads.take(), 0, "closed, it needs no time to let it through");
    permit.success();
    assert_eq!(reads.take(), 1);
}

#[test]
fn a_rejection_looks_once() {
    let reads = Reads::default();
    let breaker = consecutive().clock(reads.clock()).build().unwrap();
    (0..10).for_each(|_| breaker.try_acquire().unwrap().failure());
    reads.take();
    assert!(breaker.try_acquire().is_err());
    assert_eq!(reads.take(), 1);
}

#[test]
fn a_rejection_that_no_time_ends_looks_at_no_clock() {
    let reads = Reads::default();
    let breaker = slow().clock(reads.clock()).build().unwrap();
    breaker.force_open();
    reads.take();
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!((rejected.state(), rejected.ready_at(), rejected.retry_after()), (State::ForcedOpen, None, None));
    assert_eq!((breaker.ready_at(), breaker.check()), (None, Err(rejected)));
    assert_eq!(breaker.try_acquire_owned().unwrap_err(), rejected);
    assert_eq!(done(breaker.call(ready(Ok::<_, ()>(())))), Err(Error::Open(rejected)));
    assert_eq!(reads.take(), 0);
}
