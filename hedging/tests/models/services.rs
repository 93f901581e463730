//! One budget under a layer: the service may not be ready for an attempt that is paid for.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
};

use evenkeel_hedging::{Costs, Hedge, InFlightBudget, Spend, TokenBudget};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    budget::assert_free,
    model,
    requests::{After, HEDGED, InFlight, poll},
    thread,
};

/// Ready once, and for the second attempt after so many polls.
#[derive(Clone)]
struct Slow {
    ready_after: u32,
    calls: u32,
    in_flight: InFlight,
}

impl Service<u32> for Slow {
    type Response = ();
    type Error = ();
    type Future = Pin<Box<dyn Future<Output = Result<(), ()>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        if self.calls == 0 {
            return Poll::Ready(Ok(()));
        }
        let Some(left) = self.ready_after.checked_sub(1) else { return Poll::Ready(Ok(())) };
        self.ready_after = left;
        Poll::Pending
    }

    fn call(&mut self, first_takes: u32) -> Self::Future {
        self.calls += 1;
        let counted = (self.calls > 1).then(|| self.in_flight.enter(1));
        let takes = After(if self.calls > 1 { 9 } else { first_takes });
        Box::pin(async move {
            let _counted = counted;
            takes.await;
            Ok(())
        })
    }
}

/// A request whose first attempt takes so many polls, and whose second is paid for at the first; it is dropped after
/// `polls`.
fn request<B: Spend>(budget: B, in_flight: &InFlight, ready_after: u32, first_takes: u32, polls: u32) {
    let layer = Hedge::new(HEDGED, |_| After(0)).budget(budget).layer();
    let mut service = layer.layer(Slow { ready_after, calls: 0, in_flight: in_flight.clone() });
    assert!(service.poll_ready(&mut Context::from_waker(std::task::Waker::noop())).is_ready());
    poll(pin!(service.call(first_takes)), polls);
}

#[test]
fn a_request_that_is_dropped_between_grant_and_send_leaves_its_place() {
    model(|| {
        let budget: InFlightBudget = InFlightBudget::builder().share(0.0).min_concurrency(1).build().unwrap();
        let in_flight = InFlight::default();
        let other = thread::spawn({
            let (budget, in_flight) = (budget.clone(), in_flight.clone());
            move || request(budget, &in_flight, 5, 9, 2)
        });
        request(budget.clone(), &in_flight, 1, 2, 3);
        other.join().unwrap();
        assert_free(&budget);
    });
}

#[test]
fn a_request_that_is_dropped_or_answered_between_grant_and_send_has_its_token_back() {
    model(|| {
        let budget = TokenBudget::new(2, Costs { hedge: 1, ..Costs::REVISION_2026 });
        let in_flight = InFlight::default();
        let other = thread::spawn({
            let (budget, in_flight) = (budget.clone(), in_flight.clone());
            move || request(budget, &in_flight, 5, 9, 2)
        });
        request(budget.clone(), &in_flight, 5, 1, 2);
        other.join().unwrap();
        assert_eq!(budget.balance(), 2, "none was sent");
    });
}

#[test]
fn a_place_is_held_while_the_service_gets_ready() {
    model(|| {
        let budget: InFlightBudget = InFlightBudget::builder().share(0.0).min_concurrency(1).build().unwrap();
        let in_flight = InFlight::default();
        let other = thread::spawn({
            let (budget, in_flight) = (budget.clone(), in_flight.clone());
            move || request(budget, &in_flight, 1, 9, 3)
        });
        request(budget.clone(), &in_flight, 1, 9, 3);
        other.join().unwrap();
        assert_free(&budget);
    });
}
