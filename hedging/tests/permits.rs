//! Hedges over tower's own limits: no permit is lost, and none is held by who has no use for it (hazard 54).
#![cfg(all(feature = "tower", not(loom)))]

mod support;
mod tower_support;

use std::{num::NonZeroU32, pin::pin, time::Duration};

use evenkeel_hedging::{AtOnce, Every, Hedge, HedgeLayer, Unlimited};
use support::{Woken, World, ms};
use tower::{
    Layer, Service, ServiceExt,
    buffer::BufferLayer,
    limit::{ConcurrencyLimitLayer, RateLimitLayer},
};
use tower_support::{Probe, Ready, poll_ready};

const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();
const LATE: Duration = ms(100);

#[test]
fn a_permit_of_a_concurrency_limit_is_free_when_the_readiness_behind_it_fails() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(LATE, Ok(1)), (ms(0), Ok(2))]);
    *log.readiness.borrow_mut() = [Ready::Now, Ready::Fails("gone")].into();
    let limited = ConcurrencyLimitLayer::new(2).layer(probe);
    let mut service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(limited.clone());
    world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
    let mut response = pin!(service.call(()));
    let woken = Woken::new();
    for _ in 0..2 {
        assert!(woken.poll(response.as_mut()).is_pending());
        world.advance(ms(10));
    }
    assert_eq!(log.ready_polls.get(), 2);
    assert_eq!(world.run(limited.oneshot(())), Ok(2), "one of the two permits is free");
    assert_eq!(world.run(response), Ok(1));
}

#[test]
fn losers_and_those_who_wait_leave_no_permit_of_a_concurrency_limit_behind() {
    for permits in [1, 2, 3] {
        let world = World::new();
        let (probe, log) = Probe::new(&world, [(ms(50), Ok(1)), (LATE, Ok(2)), (LATE, Ok(3))]);
        let limited = ConcurrencyLimitLayer::new(permits).layer(probe);
        let hedge = Hedge::after(ms(10), world.sleeper()).max_attempts(THREE).budget(Unlimited);
        let mut service = hedge.layer().layer(limited.clone());
        world.run(ServiceExt::<()>::ready(&mut service)).unwrap();
        let mut response = pin!(service.call(()));
        assert_eq!(world.run(response.as_mut()), Ok(1));
        assert_eq!((log.calls.get(), log.in_flight.get()), (u32::try_from(permits).unwrap(), 0));
        // The response has answered, and is still there.
        let mut others = vec![limited.clone(); permits];
        assert!(others.iter_mut().all(|other| poll_ready(other).is_ready()), "{permits} are free");
    }
}

#[test]
fn a_concurrency_limit_of_one_is_no_deadlock() {
    let world = World::new();
    let (probe, log) = Probe::new(&world, [(ms(50), Err("a")), (ms(50), Ok(2))]);
    let service = HedgeLayer::new(Every(ms(10)), world.sleeper()).layer(ConcurrencyLimitLayer::new(1).layer(probe));
    assert_eq!(world.run(service.oneshot(())), Ok(2));
    assert_eq!(*log.called_at.borrow(), [ms(0), ms(50)], "its permit is that of the one that failed");
}

#[tokio::test(start_paused = true)]
async fn a_buffer_gets_its_places_back() {
    let slow = tower::service_fn(|request: u32| async move {
        tokio::time::sleep(ms(50)).await;
        Ok::<_, tower::BoxError>(request)
    });
    let buffered = BufferLayer::<u32>::new(1).layer(ConcurrencyLimitLayer::new(1).layer(slow));
    let hedge = Hedge::new(AtOnce, tokio::time::sleep).max_attempts(THREE).budget(Unlimited);
    let mut service = hedge.layer().layer(buffered);
    for request in 0..5 {
        assert_eq!(service.ready().await.unwrap().call(request).await.unwrap(), request);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_holds_hedges_as_well() {
    let began = tokio::time::Instant::now();
    let slow = tower::service_fn(|()| async move {
        let at = tokio::time::Instant::now();
        tokio::time::sleep(ms(5000)).await;
        Ok::<_, tower::BoxError>(at)
    });
    let limited = RateLimitLayer::new(1, Duration::from_secs(1)).layer(slow);
    let buffered = BufferLayer::<()>::new(8).layer(limited);
    let service = HedgeLayer::new(Every(ms(10)), tokio::time::sleep).layer(buffered);
    let requests: Vec<_> = (0..2).map(|_| tokio::spawn(service.clone().oneshot(()))).collect();
    let mut sent = vec![];
    for request in requests {
        sent.push(request.await.unwrap().unwrap() - began);
    }
    assert_eq!(sent, [ms(0), ms(1000)]);
}
