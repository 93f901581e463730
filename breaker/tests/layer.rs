//! Stories of the layer that fails fast.
#![cfg(all(feature = "tower", not(loom)))]

mod waiting_support;

use std::{
    cell::{Cell, RefCell},
    future::{pending, ready},
    pin::pin,
    task::Poll,
    time::Duration,
};

use evenkeel_breaker::{Abandoned, Breaker, BreakerLayer, BreakerObserver, CallEnd, Error, Rejected, State, Verdict};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn, timeout::TimeoutLayer};
use waiting_support::{World, poll, probe::Probe, secs};

#[test]
fn it_opens_rejects_probes_and_closes() {
    let world = World::new();
    let breaker = Breaker::builder().consecutive_failures(2).open_for([secs(10)]).clock(world.clock()).build().unwrap();
    let (probe, log) = Probe::new([Err("a"), Err("b"), Ok(3)]);
    let service = BreakerLayer::new(breaker.clone()).layer(probe);
    for error in ["a", "b"] {
        assert_eq!(world.run(service.clone().oneshot(())), Err(Error::Inner(error)));
    }
    let rejected = world.run(service.clone().oneshot(())).unwrap_err();
    assert_eq!(rejected.rejected().unwrap().retry_after(), Some(secs(10)));
    assert_eq!(log.calls.get(), 2, "the service is left alone");
    world.advance(secs(10));
    assert_eq!(world.run(service.oneshot(())), Ok(3));
    assert_eq!(breaker.state(), State::Closed);
}

// Hazard 36.
#[test]
fn all_services_of_a_layer_and_their_clones_share_the_breaker() {
    let breaker = Breaker::builder().consecutive_failures(4).build().unwrap();
    let layer = BreakerLayer::new(breaker.clone());
    let (probe, log) = Probe::new([]);
    let service = layer.layer(probe.clone());
    assert!(poll(pin!(service.clone().oneshot(()))).is_ready());
    assert!(poll(pin!(service.oneshot(()))).is_ready());
    assert!(poll(pin!(layer.clone().layer(probe.clone()).oneshot(()))).is_ready());
    let mut holds = layer.clone().hold(|_| pending::<()>()).layer(probe.clone());
    assert!(poll(pin!(ServiceExt::<()>::ready(&mut holds))).is_ready());
    assert!(poll(pin!(holds.call(()))).is_ready());
    assert_eq!((log.calls.get(), layer.breaker().state()), (4, State::Open));
    let rejected = poll(pin!(layer.layer(probe).oneshot(())));
    assert!(matches!(rejected, Poll::Ready(Err(Error::Open(_)))));
}

// Hazard 41.
#[test]
fn a_rejection_is_not_a_failure() {
    #[derive(Default)]
    struct Heard {
        ended: RefCell<Vec<CallEnd>>,
        rejected: Cell<u32>,
    }
    impl BreakerObserver for Heard {
        fn on_call(&self, call: &CallEnd) {
            self.ended.borrow_mut().push(*call);
        }

        fn on_reject(&self, _: &Rejected) {
            self.rejected.set(self.rejected.get() + 1);
        }
    }
    let (world, heard) = (World::new(), Heard::default());
    let breaker = world.builder().half_open_calls(2).observe(&heard).build().unwrap();
    let (probe, _) = Probe::new([Err("a"), Ok(1)]);
    let service = BreakerLayer::new(breaker.clone()).layer(probe);
    assert!(poll(pin!(service.clone().oneshot(()))).is_ready());
    let opened = breaker.snapshot();
    for _ in 0..100 {
        assert!(poll(pin!(service.clone().oneshot(()))).is_ready());
    }
    assert_eq!(breaker.snapshot(), opened, "nothing has changed");
    assert_eq!((heard.ended.borrow().len(), heard.rejected.get()), (1, 100));

    // Nor is it one while another probe is out.
    world.advance(secs(10));
    let probe = breaker.try_acquire().unwrap();
    for _ in 0..100 {
        assert!(poll(pin!(service.clone().oneshot(()))).is_ready());
    }
    assert_eq!((breaker.state(), breaker.snapshot().probe_failures), (State::HalfOpen, 0));
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn results_count_as_they_are_judged() {
    let world = World::new();
    let breaker = world.breaker();
    let layer = BreakerLayer::new(breaker.clone()).when(|result: &Result<u16, &str>| match result {
        Ok(503) => Verdict::failure().not_before(secs(60)),
        Ok(_) => Verdict::success(),
        Err(_) => Verdict::ignored(),
    });
    let mut service = layer.layer(service_fn(|answer: Result<u16, &'static str>| ready(answer)));
    for answer in [Err("mine"), Ok(200), Ok(503)] {
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(poll(pin!(service.call(answer))), Poll::Ready(answer.map_err(Error::Inner)));
    }
    let rejected = poll(pin!(service.call(Ok(200)))).map(Result::unwrap_err);
    let Poll::Ready(Error::Open(rejected)) = rejected else { panic!("it is closed") };
    assert_eq!(rejected.retry_after(), Some(secs(60)), "as long as the service asked for");
}

#[test]
fn a_slow_probe_does_not_close_it() {
    // Hazard 44.
    let world = World::new();
    let breaker = world.builder().slow_calls(secs(2), 1.0).probe_timeout(secs(60)).build().unwrap();
    waiting_support::fail(&breaker);
    world.advance(secs(10));
    let sleep = world.sleeper();
    let mut service = BreakerLayer::new(breaker.clone()).layer(service_fn(|wait| {
        let slept = sleep(wait);
        async move {
            slept.await;
            Ok::<_, ()>(())
        }
    }));
    assert_eq!(world.run(service.call(secs(2))), Ok(()));
    assert_eq!(breaker.state(), State::Open);
    world.advance(secs(10));
    assert_eq!(world.run(service.call(secs(1))), Ok(()));
    assert_eq!(breaker.state(), State::Closed);
}

fn paused() -> impl Fn() -> std::time::Instant + Clone {
    || tokio::time::Instant::now().into_std()
}

// Hazard 34.
#[tokio::test(start_paused = true)]
async fn calls_that_an_outer_timeout_drops_are_counted_when_so_configured() {
    let limit = secs(5);
    for (abandoned, state) in [
        (Abandoned::Ignored, State::Closed),
        (Abandoned::Failure, State::Open),
        (Abandoned::FailureAfter(limit), State::Open),
        (Abandoned::FailureAfter(limit + Duration::from_millis(2)), State::Closed),
    ] {
        let builder = Breaker::builder().consecutive_failures(3).abandoned(abandoned).clock(paused());
        let breaker = builder.build().unwrap();
        let mut service = ServiceBuilder::new()
            .layer(TimeoutLayer::new(limit))
            .map_err(Error::boxed)
            .layer(BreakerLayer::new(breaker.clone()))
            .service(service_fn(|()| pending::<Result<(), tower::BoxError>>()));
        for _ in 0..3 {
            let error = service.ready().await.unwrap().call(()).await.unwrap_err();
            assert!(error.is::<tower::timeout::error::Elapsed>());
        }
        assert_eq!(breaker.state(), state, "{abandoned:?}");
        if state == State::Open {
            let error = service.ready().await.unwrap().call(()).await.unwrap_err();
            assert!(error.is::<Rejected>());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_of_it_is_a_failure_of_the_service() {
    let breaker = Breaker::builder().consecutive_failures(2).clock(paused()).build().unwrap();
    let mut service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(TimeoutLayer::new(secs(5)))
        .service(service_fn(|()| pending::<Result<(), tower::BoxError>>()));
    for _ in 0..2 {
        let error = service.ready().await.unwrap().call(()).await.unwrap_err();
        assert!(matches!(error, Error::Inner(_)));
    }
    assert_eq!(breaker.state(), State::Open);
}

// Hazard 43.
#[tokio::test(start_paused = true)]
async fn paused_time_is_its_time() {
    let open = secs(3_600);
    let breaker = Breaker::builder().consecutive_failures(1).open_for([open]).clock(paused()).build().unwrap();
    let layer = BreakerLayer::new(breaker.clone());
    let inner = service_fn(|up: bool| ready(if up { Ok(()) } else { Err(()) }));
    let mut service = layer.clone().layer(inner);
    assert!(service.call(false).await.is_err());
    tokio::time::advance(open - Duration::from_millis(1)).await;
    assert!(service.call(true).await.unwrap_err().is_open());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(service.call(true).await, Ok(()));

    // And waiting for it moves it on.
    assert!(service.call(false).await.is_err());
    let start = tokio::time::Instant::now();
    breaker.acquire(tokio::time::sleep).await.failure();
    assert_eq!(start.elapsed(), open);
    let mut holds = layer.hold(tokio::time::sleep).layer(inner);
    assert_eq!(holds.ready().await.unwrap().call(true).await, Ok(()));
    assert_eq!(start.elapsed(), 2 * open);
}
