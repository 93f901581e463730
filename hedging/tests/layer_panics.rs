//! Code of others that panics leaves budget, permits and estimate as a drop does, and the service works on (hazard 58).
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{
    cell::Cell,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use evenkeel_hedging::{Alternates, Every, Hedge, Quantile, Repeat, Replay, Verdict};
use support::{World, ms};
use tower::{Layer, Service, ServiceExt};
use tower_support::{Log, Probe, Purse};

/// What panics, at which time that it is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    PollReady,
    Call,
    Poll,
    Clone,
    Repeat,
    Copy,
    Choose,
    Available,
    Classify,
}

#[derive(Clone)]
struct Fuse(Rc<Cell<Option<(At, u32)>>>);

impl Fuse {
    fn pass(&self, at: At) {
        if let Some((which, times)) = self.0.get().filter(|(which, _)| *which == at) {
            self.0.set((times > 0).then(|| (which, times.wrapping_sub(1))));
            assert!(times > 0, "blown");
        }
    }
}

struct Fused<T>(T, Fuse);

impl<T: Clone> Clone for Fused<T> {
    fn clone(&self) -> Self {
        self.1.pass(At::Clone);
        Self(self.0.clone(), self.1.clone())
    }
}

impl Service<u8> for Fused<Probe> {
    type Response = u32;
    type Error = &'static str;
    type Future = Fused<<Probe as Service<u8>>::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let ready = <Probe as Service<u8>>::poll_ready(&mut self.0, cx);
        self.1.pass(At::PollReady);
        ready
    }

    fn call(&mut self, request: u8) -> Self::Future {
        let future = self.0.call(request);
        self.1.pass(At::Call);
        Fused(future, self.1.clone())
    }
}

impl<F: Future + Unpin> Future for Fused<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.1.pass(At::Poll);
        Pin::new(&mut self.0).poll(cx)
    }
}

#[derive(Clone)]
struct Replays(Fuse);

impl Replay<u8> for Replays {
    fn repeat(&self, _: &u8) -> Repeat {
        self.0.pass(At::Repeat);
        Repeat::Always
    }

    fn copy(&self, request: &u8) -> Option<u8> {
        self.0.pass(At::Copy);
        Some(*request)
    }
}

/// Lets one panic there, and sees that nothing is held when it is over and that the next request is answered.
fn blow(at: At, times: u32, alternates: bool) -> bool {
    let world = World::new();
    let fuse = Fuse(Rc::new(Cell::new(Some((at, times)))));
    let purse = Purse::of(10);
    let p95 = Quantile::builder(0.95).until_warm(ms(10)).clock(world.clock()).build().unwrap();
    let policy = {
        let (fuse, purse, sleeper) = (fuse.clone(), purse.clone(), world.sleeper());
        move |_: &u8| {
            fuse.pass(At::Choose);
            let judged = fuse.clone();
            Hedge::new(p95.clone(), sleeper.clone()).budget(purse.clone()).when(move |result: &Result<u32, &str>| {
                judged.pass(At::Classify);
                if result.is_ok() { Verdict::success() } else { Verdict::transient() }
            })
        }
    };
    // Two of which the first fails when the second is in flight; then the answer at once.
    let answers = [(ms(15), Err("a")), (ms(20), Ok(2)), (ms(0), Ok(3)), (ms(0), Ok(4))];
    let (probe, log) = Probe::new(&world, answers);
    let service = Fused(probe, fuse.clone());
    let replays = Replays(fuse.clone());
    let panicked = if alternates {
        let available = {
            let fuse = fuse.clone();
            move |_| {
                fuse.pass(At::Available);
                true
            }
        };
        let pair = [service, Fused(Probe::sharing(&world, &log), fuse.clone())];
        let service = Alternates::new(pair).choose(policy).replay(replays).available(available);
        panics_once(&world, &log, &fuse, service)
    } else {
        let layer = evenkeel_hedging::HedgeLayer::choose(policy).replay(replays);
        panics_once(&world, &log, &fuse, layer.layer(service))
    };
    assert!(log.is_idle() && purse.is_idle(), "{at:?}, {times}");
    panicked
}

fn panics_once<S>(world: &World, log: &Log, fuse: &Fuse, mut service: S) -> bool
where
    S: Service<u8, Error = &'static str>,
{
    let panicked =
        catch_unwind(AssertUnwindSafe(|| world.run(async { service.ready().await?.call(1).await }))).is_err();
    assert_eq!(log.in_flight.get(), 0);
    fuse.0.set(None);
    // The answers of the first request are gone, and the service is whole.
    while log.answers.borrow().front().is_some_and(|(delay, _)| !delay.is_zero()) {
        log.answers.borrow_mut().pop_front();
    }
    assert!(world.run(async { service.ready().await?.call(1).await }).is_ok());
    panicked
}

#[test]
fn whatever_panics_holds_nothing_and_the_next_request_is_answered() {
    let blown = |alternates, at| (0..9).filter(|times| blow(at, *times, alternates)).count();
    for (at, layered, alternated) in [
        (At::PollReady, 2, 2),
        (At::Call, 2, 2),
        (At::Poll, 4, 4),
        (At::Clone, 1, 2),
        (At::Repeat, 1, 1),
        (At::Copy, 1, 1),
        (At::Choose, 1, 1),
        (At::Available, 0, 2),
        (At::Classify, 2, 2),
    ] {
        let counts = (blown(false, at), blown(true, at));
        assert!(counts.0 >= layered && counts.1 >= alternated, "{at:?} panicked {counts:?} times");
    }
}

#[test]
fn a_response_that_is_polled_on_after_a_panic_does_not_hang_or_answer_twice() {
    for at in [At::PollReady, At::Call, At::Copy] {
        let world = World::new();
        let fuse = Fuse(Rc::new(Cell::new(Some((at, 1)))));
        let (probe, log) = Probe::new(&world, [(ms(15), Ok(1)), (ms(20), Ok(2))]);
        let purse = Purse::of(10);
        let hedge = Hedge::new([ms(10); 3], world.sleeper()).budget(purse.clone());
        let mut service = hedge.layer().replay(Replays(fuse.clone())).layer(Fused(probe, fuse));
        world.run(service.ready()).unwrap();
        let mut response = Box::pin(service.call(1));
        assert!(catch_unwind(AssertUnwindSafe(|| world.run(response.as_mut()))).is_err());
        assert_eq!(world.run(response.as_mut()), Ok(1), "{at:?}");
        drop(response);
        assert!(purse.is_idle() && log.is_idle());
    }
}

#[test]
fn a_short_policy_works_on_after_a_panic_of_its_service() {
    let world = World::new();
    let calls = Cell::new(0);
    let service = tower::service_fn(|()| {
        calls.set(calls.get() + 1);
        assert!(calls.get() != 2, "the second call");
        let delay = world.sleep(ms(20));
        async move {
            delay.await;
            Ok::<_, ()>(())
        }
    });
    let service = evenkeel_hedging::HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(service);
    assert!(catch_unwind(AssertUnwindSafe(|| world.run(service.clone().oneshot(())))).is_err());
    assert_eq!(world.run(service.oneshot(())), Ok(()));
}
