//! Which public types may cross threads and be moved: pinned here, so that a change of it is seen.
#![cfg(not(loom))]

mod support;

use std::{
    cell::Cell,
    future::{Ready, ready},
    panic::{RefUnwindSafe, UnwindSafe},
    pin::pin,
    rc::Rc,
    time::{Duration, Instant},
};

use evenkeel_hedging::{
    AllFailed, Answer, AtOnce, Attempt, End, Every, Hedge, OnFailure, Quantile, QuantileBuilder, QuantileMap,
    QuantileSnapshot, Run,
};
use support::Woken;

fn plain<T: Copy + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
fn shared<T: Clone + Send + Sync + Unpin + 'static>() {}
fn crossing<T: Send + Sync>() {}
fn unpin<T: Unpin>() {}

type Sleeper = fn(Duration) -> Ready<()>;
type Policy<D = Every> = Hedge<D, Sleeper>;
type Outcome = Ready<Result<(), ()>>;

#[test]
fn values_are_copy_and_cross_threads() {
    plain::<Policy>();
    plain::<Every>();
    plain::<OnFailure>();
    plain::<AtOnce>();
    plain::<AllFailed>();
    plain::<Attempt>();
    plain::<Answer>();
    plain::<End>();
    plain::<QuantileBuilder>();
    plain::<QuantileSnapshot>();
}

#[test]
fn estimates_are_handles_that_cross_threads() {
    shared::<Quantile>();
    shared::<Quantile<fn() -> Instant>>();
    shared::<QuantileMap<String>>();
    shared::<Policy<Quantile>>();
}

#[test]
fn a_run_crosses_threads_when_its_parts_do() {
    crossing::<Run<&'static Policy, fn(u32) -> Outcome, Outcome>>();
    crossing::<Run<&'static Policy<Quantile>, fn(u32) -> Outcome, Outcome>>();
    // Its attempts are pinned in it, and so is its sleep.
    unpin::<Run<&'static Policy, fn(u32) -> Outcome, Outcome>>();
}

#[cfg(feature = "tower")]
#[test]
fn layers_services_and_their_responses_cross_threads_when_their_parts_do() {
    use evenkeel_hedging::{
        Alternates, AlternatesFuture, Always, Answered, Chosen, EachAvailable, ErrIsTransient, Failover, HedgeLayer,
        HedgeService, Lent, ResponseFuture, Shared, TokenBudget,
    };
    use std::sync::Arc;

    type Budgeted = Hedge<Every, Sleeper, ErrIsTransient, TokenBudget>;
    type Inner = tower::util::ServiceFn<fn(()) -> Outcome>;
    type Choice = fn(&()) -> Budgeted;
    type Borrowed = Lent<'static, Budgeted>;
    plain::<Answered<u8>>();
    plain::<EachAvailable>();
    plain::<Chosen<Choice>>();
    shared::<Shared<Budgeted>>();
    shared::<Borrowed>();
    shared::<HedgeLayer<Shared<Budgeted>>>();
    shared::<HedgeLayer<Borrowed>>();
    shared::<HedgeLayer<Chosen<Choice>>>();
    shared::<HedgeService<Inner, Shared<Budgeted>>>();
    shared::<HedgeService<Inner, Borrowed>>();
    crossing::<ResponseFuture<Inner, Arc<Budgeted>, Always, ()>>();
    crossing::<ResponseFuture<Inner, &'static Budgeted, Always, ()>>();
    crossing::<ResponseFuture<Inner, Budgeted, Always, ()>>();
    shared::<Failover>();
    shared::<Alternates<[Inner; 2]>>();
    shared::<Alternates<Vec<Inner>, Shared<Budgeted>, Always, fn(usize) -> bool>>();
    shared::<Alternates<Vec<Inner>, Borrowed>>();
    crossing::<AlternatesFuture<[Inner; 2], Arc<Failover>, Always, EachAvailable, ()>>();
    crossing::<AlternatesFuture<[Inner; 2], &'static Budgeted, Always, EachAvailable, ()>>();
    crossing::<AlternatesFuture<Vec<Inner>, Budgeted, Always, fn(usize) -> bool, ()>>();
}

/// What is sent to another thread need not be shared with it: most bodies and boxed services are `Send` alone.
#[cfg(feature = "tower")]
#[test]
fn responses_of_what_is_send_and_not_sync_are_send() {
    use evenkeel_hedging::{Alternates, HedgeLayer};
    use tower::{Layer, Service, ServiceExt, util::BoxCloneService};

    fn send<T: Send>(_: &T) {}

    let boxed = || BoxCloneService::new(tower::service_fn(|body: Cell<u8>| async move { Ok::<_, ()>(body) }));
    let wait = |_| ready(());
    let mut service = HedgeLayer::new(OnFailure, wait).replay(Once).layer(boxed());
    let mut alternates = Alternates::new([boxed(), boxed()]).replay(Once);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(Service::<Cell<u8>>::poll_ready(&mut service, &mut cx).is_ready());
    assert!(Service::<Cell<u8>>::poll_ready(&mut alternates, &mut cx).is_ready());
    send(&service.call(Cell::new(1)));
    send(&alternates.call(Cell::new(1)));
    send(&alternates.oneshot(Cell::new(1)));
}

/// Compiles only for what is not `Send`: else both implementations fit.
#[cfg(feature = "tower")]
macro_rules! local {
    ($($type:ty),* $(,)?) => {$({
        trait Fits<Which> {
            fn fits() {}
        }
        struct IsSend;
        impl<T> Fits<()> for T {}
        impl<T: Send> Fits<IsSend> for T {}
        <$type as Fits<_>>::fits();
    })*};
}

#[cfg(feature = "tower")]
#[test]
fn responses_of_what_is_not_send_are_not() {
    use evenkeel_hedging::{Alternates, AlternatesFuture, Always, EachAvailable, Failover, ResponseFuture};
    use std::sync::Arc;

    type Local<T> = tower::util::ServiceFn<fn(()) -> Ready<Result<T, ()>>>;
    local!(
        ResponseFuture<Local<Rc<u8>>, Arc<Policy>, Always, ()>,
        AlternatesFuture<[Local<Rc<u8>>; 2], Arc<Failover>, Always, EachAvailable, ()>,
        Alternates<[Rc<u8>; 2]>,
        Hedge<Every, Rc<u8>>,
    );
}

/// For requests that are not `Clone`.
#[cfg(feature = "tower")]
#[derive(Clone)]
struct Once;

#[cfg(feature = "tower")]
impl<Req> evenkeel_hedging::Replay<Req> for Once {
    fn repeat(&self, _: &Req) -> evenkeel_hedging::Repeat {
        evenkeel_hedging::Repeat::Never
    }

    fn copy(&self, _: &Req) -> Option<Req> {
        None
    }
}

/// A future that need not be `Send` or `'static` may borrow what is neither.
#[test]
fn no_bound_is_asked_that_the_code_does_not_need() {
    let local = Rc::new(Cell::new(0));
    let hedge = Hedge::new(OnFailure, |_| ready(()));
    let borrowed = &local;
    let run = hedge.run(|_| async move {
        borrowed.set(borrowed.get() + 1);
        Ok::<_, ()>(())
    });
    assert!(Woken::new().poll(pin!(run)).is_ready());
    assert_eq!(local.get(), 1);
}

#[cfg(feature = "tower")]
#[test]
fn services_and_requests_may_be_local_and_borrow() {
    use evenkeel_hedging::{Alternates, Unlimited, Verdict};
    use tower::{Layer, Service};

    let (local, text) = (Rc::new(Cell::new(0)), String::from("borrowed"));
    let inner = |answers: u32| {
        let local = &local;
        tower::service_fn(move |request: &str| {
            local.set(local.get() + 1);
            let answer = if local.get() > answers { Ok(request.len()) } else { Err(Rc::<str>::from(request)) };
            ready(answer)
        })
    };
    let judge = |result: &Result<usize, Rc<str>>| {
        local.set(local.get() + 10);
        if result.is_ok() { Verdict::success() } else { Verdict::transient() }
    };
    let hedge = || Hedge::new(OnFailure, |_| ready(())).when(judge).budget(Unlimited);
    let mut service = hedge().layer().layer(inner(5));
    assert!(Woken::new().poll(pin!(service.call(&*text))).is_ready());
    assert_eq!(local.replace(0), 22);
    let mut alternates = Alternates::new([inner(5), inner(5)]).policy(hedge()).available(|_| local.get() < 99);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(alternates.poll_ready(&mut cx).is_ready());
    assert!(Woken::new().poll(pin!(alternates.call(&*text))).is_ready());
    assert_eq!(local.get(), 22);
}
