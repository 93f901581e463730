//! What an answer that is ready at the first poll costs: no allocation, no timer, no clock.
#![cfg(all(feature = "tower", not(loom)))]

use std::{
    cell::Cell,
    future::{Future, Pending, Ready, pending, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use allocation_counter::measure;
use evenkeel_hedging::{Alternates, AtOnce, Every, Hedge, HedgeLayer, Quantile, TokenBudget};
use tower::{Layer, Service, service_fn, util::ServiceFn};

const DELAY: Duration = Duration::from_millis(10);

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn allocations(f: impl FnOnce()) -> u64 {
    measure(f).count_total
}

/// One request, from `poll_ready` to the answer.
fn request<S: Service<u32>>(service: &mut S) -> Poll<Result<S::Response, S::Error>> {
    assert!(service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    poll(service.call(1))
}

#[derive(Default)]
struct Asked {
    timers: Cell<u32>,
    clock: Cell<u32>,
}

impl Asked {
    fn sleep(&self, _: Duration) -> Pending<()> {
        self.timers.set(self.timers.get() + 1);
        pending()
    }

    #[allow(clippy::disallowed_methods)] // The clock that is counted is the system's.
    fn now(&self) -> Instant {
        self.clock.set(self.clock.get() + 1);
        Instant::now()
    }

    fn counts(&self) -> [u32; 2] {
        [self.timers.take(), self.clock.take()]
    }
}

type Quick = ServiceFn<fn(u32) -> Ready<Result<u32, &'static str>>>;

fn quick() -> Quick {
    service_fn(|request| ready(Ok(request + 1)))
}

fn down() -> Quick {
    service_fn(|_| ready(Err("down")))
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn a_layer_costs_nothing() {
    let asked = Asked::default();
    let mut service = HedgeLayer::new(Every(DELAY), |delay| asked.sleep(delay)).layer(quick());
    let mut racing = HedgeLayer::new(AtOnce, |delay| asked.sleep(delay)).layer(quick());
    let allocated = allocations(|| {
        for _ in 0..3 {
            assert_eq!(request(&mut service), Poll::Ready(Ok(2)));
            assert_eq!(request(&mut racing), Poll::Ready(Ok(2)));
        }
    });
    assert_eq!((allocated, asked.counts()), (0, [0, 0]));
}

#[test]
fn an_estimate_costs_two_looks_at_the_clock_where_it_waits_and_none_where_it_does_not() {
    let asked = Asked::default();
    let p95 = Quantile::builder(0.95).until_warm(DELAY).clock(|| asked.now()).build().unwrap();
    let mut service = HedgeLayer::new(p95.clone(), |delay| asked.sleep(delay)).layer(quick());
    asked.counts();
    assert_eq!(allocations(|| assert_eq!(request(&mut service), Poll::Ready(Ok(2)))), 0);
    assert_eq!(asked.counts(), [0, 0], "what answers at once was not waited for");

    let waits = service_fn(|_: u32| pending::<Result<u32, &str>>());
    let mut service = HedgeLayer::new(p95, |delay| asked.sleep(delay)).layer(waits);
    assert_eq!(allocations(|| assert!(request(&mut service).is_pending())), 0);
    assert_eq!(asked.counts(), [1, 2], "and dropped");
}

#[test]
fn a_policy_that_is_chosen_costs_what_it_costs_to_make_it() {
    let asked = Asked::default();
    let budget = TokenBudget::default();
    let policy = |_: &u32| Hedge::after(DELAY, |delay| asked.sleep(delay)).budget(budget.clone());
    let mut service = HedgeLayer::choose(policy).layer(quick());
    assert_eq!(allocations(|| assert_eq!(request(&mut service), Poll::Ready(Ok(2)))), 0);
    assert_eq!(asked.counts(), [0, 0]);
}

#[test]
fn alternates_in_an_array_cost_nothing() {
    let asked = Asked::default();
    let mut failover = Alternates::new([quick(), quick()]).available(|_| true);
    let mut staggered = Alternates::new([quick(), quick()]).policy(Hedge::after(DELAY, |delay| asked.sleep(delay)));
    let allocated = allocations(|| {
        for _ in 0..3 {
            assert_eq!(request(&mut failover).map(|answer| answer.unwrap().response), Poll::Ready(2));
            assert_eq!(request(&mut staggered).map(|answer| answer.unwrap().response), Poll::Ready(2));
        }
    });
    assert_eq!((allocated, asked.counts()), (0, [0, 0]));
}

#[test]
fn an_alternate_that_is_skipped_or_fails_costs_nothing() {
    let mut skips = Alternates::new([down(), quick()]).available(|place| place == 1);
    let mut fails = Alternates::new([down(), quick()]);
    let allocated = |service: &mut dyn FnMut()| allocations(service);
    let second = |answer: Poll<Result<evenkeel_hedging::Answered<u32>, &str>>| {
        assert!(matches!(answer, Poll::Ready(Ok(answer)) if answer.alternate == 1));
    };
    assert_eq!(allocated(&mut || second(request(&mut skips))), 0);
    assert_eq!(allocated(&mut || second(request(&mut fails))), 0, "the next one takes its place");
}

#[test]
fn one_that_waits_arms_one_timer_when_it_is_found_pending() {
    let asked = Asked::default();
    let waits = service_fn(|_: u32| pending::<Result<u32, &str>>());
    let mut service = HedgeLayer::new(Every(DELAY), |delay| asked.sleep(delay)).layer(waits);
    assert!(service.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    let mut response = pin!(service.call(1));
    assert_eq!(asked.counts(), [0, 0]);
    for timers in [1, 0, 0] {
        assert!(poll(response.as_mut()).is_pending());
        assert_eq!(asked.counts(), [timers, 0]);
    }
    // Without a policy, none at all.
    let mut failover = Alternates::new([waits, waits]);
    assert_eq!(allocations(|| assert!(request(&mut failover).is_pending())), 0);
}

#[test]
fn the_futures_take_little_room() {
    let service = HedgeLayer::new(Every(DELAY), tokio::time::sleep).layer(quick()).call(1);
    let mut alternates = Alternates::new([quick(), quick()]);
    assert!(alternates.poll_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    let sizes = [size_of_val(&service), size_of_val(&alternates.call(1))];
    println!("a layer's future: {} bytes, that of two alternates: {}", sizes[0], sizes[1]);
    println!("of which the sleep: {}", size_of::<tokio::time::Sleep>());
    assert!(sizes[0] <= 304 + size_of::<tokio::time::Sleep>() && sizes[1] <= 304);
}
