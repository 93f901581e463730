//! The throttle: each request counts once, in its tick, and a service that is well is never rejected.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_budget::{AdaptiveThrottle, Outcome, Priority, ThrottleBuilder, ThrottleObserver};

use super::{model, thread};

/// Ticks in a window, as the crate has them: few in a model, so that it ends.
const SPAN: u32 = if cfg!(loom) { 2 } else { 20 };
const TICK: Duration = Duration::from_secs(1);

type Clock = Box<dyn Fn() -> Instant + Send + Sync>;
type Throttle<O = ()> = AdaptiveThrottle<Clock, O>;

/// Counts the requests that could not have been rejected. Not with loom's atomics: it is no part of what is modelled.
#[derive(Clone, Default)]
struct Certain(Arc<AtomicU32>);

impl ThrottleObserver for Certain {
    fn on_admit(&self, _: Priority, probability: f64) {
        self.0.fetch_add(u32::from(probability <= 0.0), Ordering::Relaxed);
    }
}

#[test]
fn requests_of_two_threads_both_count() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        let other = in_thread(&throttle, move |throttle| send(throttle, start, Outcome::Success));
        send(&throttle, start, Outcome::Transient);
        other.join().unwrap();
        assert_eq!(held(&throttle, start), (2, 1));
    });
}

#[test]
fn rejected_and_admitted_requests_together_are_all_requests() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        send(&throttle, start, Outcome::Transient);
        send(&throttle, start, Outcome::Transient);
        let other = in_thread(&throttle, move |throttle| send(throttle, start, Outcome::Transient));
        send(&throttle, start, Outcome::Transient);
        other.join().unwrap();
        assert_eq!(held(&throttle, start), (4, 0));
    });
}

#[test]
fn an_accept_that_meets_the_turn_of_a_tick_is_not_lost() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        let admission = throttle.try_acquire_at(Priority::Critical, start).unwrap();
        let other =
            in_thread(&throttle, move |throttle| drop(throttle.try_acquire_at(Priority::Critical, start + TICK)));
        admission.record(Outcome::Success);
        other.join().unwrap();
        assert_eq!(held(&throttle, start + TICK), (2, 1));
    });
}

#[test]
fn a_tick_that_two_threads_begin_begins_once() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        send(&throttle, start, Outcome::Success);
        let other = in_thread(&throttle, move |throttle| send(throttle, start + TICK, Outcome::Success));
        send(&throttle, start + TICK, Outcome::Success);
        other.join().unwrap();
        assert_eq!(held(&throttle, start + TICK), (3, 3));
        assert_eq!(held(&throttle, start + TICK * SPAN), (2, 2), "the first is forgotten, and nothing else");
    });
}

#[test]
fn a_service_that_is_well_is_rejected_at_no_moment() {
    model(|| {
        let (throttle, start) = throttle(1.0);
        let other = in_thread(&throttle, move |throttle| {
            send(throttle, start, Outcome::Success) && send(throttle, start + TICK, Outcome::Success)
        });
        let here = throttle.try_acquire_at(Priority::Critical, start + TICK * SPAN);
        assert_eq!(throttle.snapshot_at(start).rejection_probability, 0.0);
        assert!(here.is_ok() && other.join().unwrap());
    });
}

#[test]
fn nobody_sees_more_requests_than_there_were_or_more_accepts_than_requests() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        send(&throttle, start, Outcome::Success);
        let other = in_thread(&throttle, move |throttle| held(throttle, start));
        drop(throttle.try_acquire_at(Priority::Critical, start + TICK));
        send(&throttle, start + TICK * SPAN, Outcome::Success);
        let (requests, accepts) = other.join().unwrap();
        assert!(requests <= 3 && accepts <= requests, "{accepts} of {requests}");
        assert_eq!(held(&throttle, start + TICK * SPAN), (2, 1));
    });
}

#[test]
fn a_ring_that_turns_under_a_reader_shows_it_nothing_old() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        send(&throttle, start, Outcome::Success);
        send(&throttle, start + TICK, Outcome::Success);
        // So much later that the slots of before are used again.
        let later = start + TICK * SPAN * 4;
        let other = in_thread(&throttle, move |throttle| held(throttle, start + TICK * SPAN));
        assert!(send(&throttle, later, Outcome::Success));
        let (requests, accepts) = other.join().unwrap();
        assert!(requests <= 2 && accepts == requests, "the first is forgotten in any case: {accepts} of {requests}");
        assert_eq!(held(&throttle, start), (1, 1), "at the head");
    });
}

#[test]
fn a_ring_that_turns_under_one_who_asks_shows_no_service_that_is_well() {
    model(|| {
        let certain = Certain::default();
        let (builder, start) = builder(1.0);
        let throttle = builder.observe(certain.clone()).build().unwrap();
        // Half a window apart: from the first on there is one of them in the window at every moment.
        let at = move |half: u32| start + TICK * SPAN + TICK * (SPAN / 2) * half;
        send(&throttle, at(0), Outcome::Transient);
        // So far that the slot is used again with which the window of the first begins.
        let other = in_thread(&throttle, move |throttle| {
            for half in 1..4 {
                send(throttle, at(half), Outcome::Transient);
            }
        });
        send(&throttle, at(0), Outcome::Transient);
        other.join().unwrap();
        assert_eq!(certain.0.load(Ordering::Relaxed), 1, "the first alone had no failure before it");
    });
}

#[test]
fn an_admission_dropped_by_another_thread_counts_once() {
    model(|| {
        let (throttle, start) = throttle(2.0);
        let admission = throttle.try_acquire_owned_at(Priority::Critical, start).unwrap();
        let other = thread::spawn(move || drop(admission));
        let (requests, accepts) = held(&throttle, start);
        assert!(requests <= 1 && accepts == 0);
        other.join().unwrap();
        assert_eq!(held(&throttle, start), (1, 0));
    });
}

/// A throttle with ticks of a known length, and the moment at which its time began.
fn throttle(k: f64) -> (Throttle, Instant) {
    let (builder, start) = builder(k);
    (builder.build().unwrap(), start)
}

/// [`throttle`] that is still to be built.
fn builder(k: f64) -> (ThrottleBuilder<Clock>, Instant) {
    // For an `Instant` to count from; nothing reads it later.
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let clock: Clock = Box::new(move || start);
    (AdaptiveThrottle::builder().k(k).window(TICK * SPAN).seed(1).clock(clock), start)
}

/// Sends one request if it may be; whether it was.
fn send<O: ThrottleObserver>(throttle: &Throttle<O>, at: Instant, outcome: Outcome) -> bool {
    throttle.try_acquire_at(Priority::Critical, at).map(|admission| admission.record(outcome)).is_ok()
}

/// Requests and accepts in the window.
fn held(throttle: &Throttle, at: Instant) -> (u64, u64) {
    let snapshot = throttle.snapshot_at(at);
    (snapshot.requests, snapshot.accepts)
}

fn in_thread<T: Send + 'static, O: ThrottleObserver + Send + Sync + 'static>(
    throttle: &Throttle<O>,
    request: impl FnOnce(&Throttle<O>) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let throttle = throttle.clone();
    thread::spawn(move || request(&throttle))
}
