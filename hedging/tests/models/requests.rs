//! Requests through the real combinator, each polled by hand in a thread of its own.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use evenkeel_hedging::{Delays, Hedge, Spend, Unlimited, Verdict};

use super::{half, in_thread, median, model};

/// Pending for so many polls.
pub(crate) struct After(pub(crate) u32);

impl Future for After {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(()) };
        self.0 = left;
        Poll::Pending
    }
}

/// Polls it so often.
pub(crate) fn poll<F: Future>(mut future: Pin<&mut F>, times: u32) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// The further attempts that are in flight, of all threads. Not loom's atomics: it only watches.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<AtomicU32>);

pub(crate) struct Counted(InFlight);

impl InFlight {
    /// One more, of at most so many.
    pub(crate) fn enter(&self, at_most: u32) -> Counted {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        assert!(before < at_most, "more are in flight than were granted");
        Counted(self.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a request goes: of how many polls each thing takes.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) timer: u32,
    pub(crate) first: u32,
    pub(crate) second: u32,
    /// How often it is polled; then it is dropped.
    pub(crate) polls: u32,
    /// Whether its results are successes, or failures that nothing follows.
    pub(crate) succeeds: bool,
}

/// One request. How many further attempts it sent.
pub(crate) fn request<B: Spend>(delays: impl Delays, budget: B, in_flight: &InFlight, plan: Plan) -> u32 {
    let verdict = if plan.succeeds { Verdict::success() } else { Verdict::permanent() };
    let hedge = Hedge::new(delays, |_| After(plan.timer)).budget(budget).when(move |_: &Result<u32, ()>| verdict);
    let mut sent = 0;
    let operation = |attempt: u32| {
        sent += u32::from(attempt > 0);
        let counted = (attempt > 0).then(|| in_flight.enter(1));
        let takes = After(if attempt == 0 { plan.first } else { plan.second });
        async move {
            let _counted = counted;
            takes.await;
            Ok(attempt)
        }
    };
    poll(pin!(hedge.run(operation)), plan.polls);
    sent
}

/// One second attempt, when the timer says so.
pub(crate) const HEDGED: [Duration; 1] = [Duration::from_millis(1)];

#[test]
fn of_each_request_the_estimate_hears_once() {
    model(|| {
        let estimate = median(2);
        // Warm, so that the next ones are hedged.
        (0..2).for_each(|_| estimate.record_at(super::FAST, half(0)));
        let loses = Plan { timer: 0, first: 9, second: 1, polls: 9, succeeds: true };
        let other =
            in_thread(&estimate, move |estimate| request(estimate.clone(), Unlimited, &InFlight::default(), loses));
        let wins = Plan { timer: 9, first: 1, ..loses };
        assert_eq!(request(estimate.clone(), Unlimited, &InFlight::default(), wins), 0);
        assert_eq!(other.join().unwrap(), 1);
        let snapshot = estimate.snapshot();
        assert_eq!((snapshot.count, snapshot.longer), (3, 1));
    });
}
