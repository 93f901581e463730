//! The budgets of `evenkeel-budget`, as policies and layers charge them.
#![cfg(all(feature = "retry", not(loom)))]

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use evenkeel_backoff::{Budget, Costs, InFlightBudget, RatioBudget, Retry, TokenBudget, Unlimited};

const NINE: [Duration; 9] = [Duration::ZERO; 9];

/// How often a request is sent that always fails.
fn attempts<B: Budget>(budget: B) -> u32 {
    let sent = Cell::new(0);
    let retry = Retry::new(NINE, |_| ()).budget(budget);
    let _ = retry.run_blocking(|_| {
        sent.set(sent.get() + 1);
        Err::<(), _>("down")
    });
    sent.get()
}

fn three_retries() -> TokenBudget {
    TokenBudget::new(3 * 14, Costs::REVISION_2026)
}

#[test]
fn each_budget_ends_a_request_that_it_does_not_pay_for() {
    let ratio = RatioBudget::builder().ratio(2.0).min_per_second(0).build().unwrap();
    assert_eq!(attempts(ratio.clone()), 3, "two for the request itself");
    assert_eq!(attempts(ratio), 3, "and for the next one two more");
    assert_eq!(attempts(three_retries()), 4);
    assert_eq!(attempts(TokenBudget::grpc(8.0, 0.1).unwrap()), 4, "the fourth failure leaves it half full");
    let no_place = InFlightBudget::builder().share(0.5).min_concurrency(0).build().unwrap();
    assert_eq!(attempts(no_place), 1, "one request in flight is half a place");
    assert_eq!(attempts(InFlightBudget::default()), 10, "one after the other they need one place");
    assert_eq!(attempts(Unlimited), 10);
}

#[test]
fn a_pair_ends_it_when_either_does_not_and_charges_neither() {
    let (first, second) = (three_retries(), TokenBudget::new(14, Costs::REVISION_2026));
    assert_eq!(attempts((first.clone(), second.clone())), 2);
    assert_eq!((first.balance(), second.balance()), (28, 0));
    assert_eq!(attempts((second, first.clone())), 1);
    assert_eq!(first.balance(), 28);
}

#[test]
fn policies_charge_one_budget_by_value_and_by_reference() {
    let budget = three_retries();
    let sent = attempts(&budget) + attempts(budget.clone()) + attempts(&budget);
    assert_eq!(sent, 3 + 3, "each its first attempt, and three between them");
}

#[test]
fn a_retry_has_its_place_from_its_grant_to_its_end() {
    let budget = InFlightBudget::default();
    let (slept, answered) = (Cell::new(false), Cell::new(false));
    let when = |is: &Cell<bool>| if is.get() { Poll::Ready(()) } else { Poll::Pending };
    let retry = Retry::new([Duration::from_secs(1)], |_| poll_fn(|_| when(&slept))).budget(&budget);
    let mut request = pin!(retry.run(async |attempt| {
        if attempt == 0 {
            return Err("busy");
        }
        poll_fn(|_| when(&answered)).await;
        Ok(budget.snapshot().extras)
    }));
    let mut cx = Context::from_waker(Waker::noop());
    let in_flight = || (budget.snapshot().originals, budget.snapshot().extras);

    assert_eq!(in_flight(), (0, 0), "a request begins with its first poll");
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert_eq!(in_flight(), (1, 1), "it waits");
    slept.set(true);
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert_eq!(in_flight(), (1, 1), "it is sent");
    answered.set(true);
    assert_eq!(request.as_mut().poll(&mut cx), Poll::Ready(Ok(1)));
    assert_eq!(budget.snapshot().extras, 0);
}

#[cfg(feature = "tower")]
#[tokio::test(start_paused = true)]
async fn layers_that_have_one_budget_draw_on_it_together() {
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    let budget = three_retries();
    let calls = &Cell::new(0);
    let inner = service_fn(move |()| {
        calls.set(calls.get() + 1);
        std::future::ready(Err::<(), _>("down"))
    });
    let layer = || Retry::new(NINE, tokio::time::sleep).budget(budget.clone()).layer();
    let nested = ServiceBuilder::new().layer(layer()).layer(layer()).service(inner);
    assert!(nested.oneshot(()).await.is_err());
    assert_eq!(calls.get(), 4, "and not a hundred");
    assert!(ServiceBuilder::new().layer(layer()).service(inner).oneshot(()).await.is_err());
    assert_eq!(calls.get(), 5);
}
