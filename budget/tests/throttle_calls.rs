//! The stories of a throttled call: when it asks, what it drops, and what it counts.
#![cfg(all(feature = "throttle", not(loom)))]

mod throttle_support;

use std::{
    cell::{Cell, RefCell},
    error::Error,
    future::{Future, Ready, pending, ready},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use evenkeel_budget::{AdaptiveThrottle, Classify, Priority, ThrottleError, Verdict};
use throttle_support::poll;

/// A throttle that rejects all sheddable requests.
fn rejecting() -> AdaptiveThrottle {
    let throttle = AdaptiveThrottle::default();
    while throttle.try_acquire(Priority::Normal).is_ok() {}
    assert_eq!(throttle.snapshot().rejection_probability_of(Priority::Sheddable), 1.0);
    throttle
}

fn counts(throttle: &AdaptiveThrottle) -> (u64, u64) {
    let snapshot = throttle.snapshot();
    (snapshot.requests, snapshot.accepts)
}

/// A future that writes down that it was polled and dropped.
struct Traced<'a, F>(&'a RefCell<Vec<&'static str>>, F);

impl<F: Future + Unpin> Future for Traced<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.borrow_mut().push("polled");
        Pin::new(&mut self.1).poll(cx)
    }
}

impl<F> Drop for Traced<'_, F> {
    fn drop(&mut self) {
        self.0.borrow_mut().push("dropped");
    }
}

fn ok() -> Ready<Result<u32, &'static str>> {
    ready(Ok(7))
}

fn never() -> std::future::Pending<Result<u32, &'static str>> {
    pending()
}

#[test]
fn a_rejected_call_drops_its_future_at_once_without_polling_it() {
    let (throttle, trace) = (rejecting(), RefCell::default());
    let mut call = pin!(throttle.call(Traced(&trace, ok())).priority(Priority::Sheddable));
    let Poll::Ready(Err(ThrottleError::Rejected(rejected))) = poll(call.as_mut()) else { panic!("it was sent") };
    assert_eq!(rejected.probability(), 1.0);
    assert_eq!(trace.take(), ["dropped"]);
}

#[test]
fn a_call_asks_at_its_first_poll_and_only_then() {
    let throttle = AdaptiveThrottle::default();
    let mut early = pin!(throttle.call(ok()).priority(Priority::Sheddable));
    drop(throttle.call(ok()));
    assert_eq!(counts(&throttle), (0, 0), "made, moved and dropped: nothing was asked");

    let mut waiting = Box::pin(throttle.call(never()));
    assert!(poll(waiting.as_mut()).is_pending());
    while throttle.try_acquire(Priority::Normal).is_ok() {}
    assert!(
        poll(early.as_mut()).map_err(|error| error.is_rejected()) == Poll::Ready(Err(true)),
        "made before the failures"
    );
    let rejected = counts(&throttle).0;
    (0..10).for_each(|_| assert!(poll(waiting.as_mut()).is_pending(), "it was admitted, and is not asked again"));
    assert_eq!(counts(&throttle).0, rejected);
}

#[test]
fn the_future_is_dropped_when_it_is_done_before_its_result_is_judged() {
    let (throttle, trace) = (AdaptiveThrottle::default(), RefCell::default());
    let mut call = pin!(throttle.call(Traced(&trace, ok())).when(|_: &Result<u32, &str>| {
        trace.borrow_mut().push("judged");
        Verdict::success()
    }));
    assert_eq!(poll(call.as_mut()), Poll::Ready(Ok(7)));
    assert_eq!(trace.take(), ["polled", "dropped", "judged"]);
    assert_eq!(counts(&throttle), (1, 1));
}

#[test]
fn results_come_back_as_they_are_and_count_as_they_are_judged() {
    let run = |result: Result<u16, &'static str>| {
        let throttle = AdaptiveThrottle::default();
        let judge = |result: &Result<u16, &str>| match result {
            Ok(503) => Verdict::transient(),
            Err("bad request") => Verdict::permanent(),
            Err(_) => Verdict::throttled(),
            Ok(_) => Verdict::success(),
        };
        let answer = poll(pin!(throttle.call(ready(result)).when(judge)));
        assert_eq!(answer, Poll::Ready(result.map_err(ThrottleError::Inner)));
        counts(&throttle)
    };
    assert_eq!(run(Ok(200)), (1, 1));
    assert_eq!(run(Ok(503)), (1, 0));
    assert_eq!(run(Err("bad request")), (1, 1));
    assert_eq!(run(Err("slow down")), (1, 0));
}

#[test]
fn unless_it_is_told_how_to_judge_an_error_is_a_failure_of_the_service() {
    let throttle = AdaptiveThrottle::default();
    assert!(poll(pin!(throttle.call(ok()))).is_ready());
    assert_eq!(counts(&throttle), (1, 1));
    assert!(poll(pin!(throttle.call(ready(Err::<(), _>("down"))))).is_ready());
    assert_eq!(counts(&throttle), (2, 1));
}

#[test]
fn a_classifier_may_be_a_type() {
    struct AllWell;
    impl<T, E> Classify<Result<T, E>> for AllWell {
        fn classify(&self, _: &Result<T, E>) -> Verdict {
            Verdict::success()
        }
    }
    let throttle = AdaptiveThrottle::default();
    let answer = poll(pin!(throttle.call(ready(Err::<(), _>("as ever"))).when(AllWell)));
    assert_eq!((answer, counts(&throttle)), (Poll::Ready(Err(ThrottleError::Inner("as ever"))), (1, 1)));
}

// Hazard 56.
#[test]
fn dropped_in_flight_it_drops_the_future_and_counts_as_not_accepted() {
    let (throttle, trace) = (AdaptiveThrottle::default(), RefCell::default());
    let mut call = Box::pin(throttle.call(Traced(&trace, never())));
    assert!(poll(call.as_mut()).is_pending());
    assert_eq!(counts(&throttle), (0, 0), "in flight");
    drop(call);
    assert_eq!(trace.take(), ["polled", "dropped"]);
    assert_eq!(counts(&throttle), (1, 0));
}

// Hazard 58.
#[test]
fn a_classifier_that_panics_leaves_the_request_counted_once() {
    let throttle = AdaptiveThrottle::default();
    let mut call = Box::pin(throttle.call(ok()).when(|_: &Result<u32, &str>| -> Verdict { panic!("the classifier") }));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(call.as_mut()))).is_err());
    assert_eq!(counts(&throttle), (1, 0));
    drop(call);
    assert_eq!(counts(&throttle), (1, 0));
}

#[test]
fn a_future_that_panics_leaves_the_request_counted_once() {
    let throttle = AdaptiveThrottle::default();
    let mut call = Box::pin(throttle.call(async { if true { panic!("the call") } else { Ok::<_, ()>(()) } }));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(call.as_mut()))).is_err());
    assert_eq!(counts(&throttle), (1, 0));
    drop(call);
    assert_eq!(counts(&throttle), (1, 0));
}

#[test]
fn a_classifier_may_ask_the_throttle_itself() {
    let (throttle, seen) = (AdaptiveThrottle::default(), Cell::new(9));
    let mut call = pin!(throttle.call(ok()).when(|_: &Result<u32, &str>| {
        drop(throttle.try_acquire(Priority::Normal));
        seen.set(throttle.snapshot().requests);
        Verdict::success()
    }));
    assert!(poll(call.as_mut()).is_ready());
    assert_eq!((seen.get(), counts(&throttle)), (1, (2, 1)));
}

#[test]
#[should_panic(expected = "`Call` polled after it has answered")]
fn a_call_that_has_answered_is_not_polled_again() {
    let throttle = AdaptiveThrottle::default();
    let mut call = pin!(throttle.call(ok()));
    assert!(poll(call.as_mut()).is_ready());
    let _ = poll(call.as_mut());
}

#[test]
fn a_call_allocates_nothing() {
    let throttle = AdaptiveThrottle::default();
    let allocated = allocation_counter::measure(|| {
        (0..100).for_each(|_| assert!(poll(pin!(throttle.call(ok()).priority(Priority::Critical))).is_ready()));
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn a_future_need_not_be_send_nor_static_nor_unpin() {
    let (throttle, local) = (AdaptiveThrottle::default(), std::rc::Rc::new(Cell::new(0)));
    let borrowed = &local;
    let call = throttle.call(async move {
        ready(()).await;
        borrowed.set(1);
        Ok::<_, ()>(())
    });
    assert!(poll(pin!(call)).is_ready());
    assert_eq!(local.get(), 1);
}

#[test]
fn an_error_says_what_happened_and_leaves_its_source_to_itself() {
    let throttle = rejecting();
    let rejected = throttle.try_acquire(Priority::Sheddable).unwrap_err();
    let text = "not sent: the service accepts too few of the requests (100.0 % are rejected before they are sent)";
    assert_eq!(rejected.to_string(), text);

    let error = ThrottleError::<io::Error>::from(rejected);
    assert_eq!((error.to_string().as_str(), error.source().is_none()), (text, true));
    assert!(error.is_rejected() && error.into_inner().is_none());

    let error = ThrottleError::Inner(io::Error::other("the socket"));
    assert_eq!(error.to_string(), "the throttled call failed");
    assert_eq!(error.source().map(ToString::to_string), Some("the socket".to_owned()));
    assert!(!error.is_rejected());
    assert_eq!(error.into_inner().map(|error| error.to_string()), Some("the socket".to_owned()));
}
