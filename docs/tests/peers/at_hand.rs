//! What the stories are told with: time that moves by hand, futures that are polled once, services that fail.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigBuilder, CircuitBreakerLayer, DefaultClassifier, circuit_breaker_builder,
};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The result of a future that waits for nothing.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match poll(std::pin::pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Returns when the clock shows another time: what is open for no time at all is over then.
pub(crate) fn a_moment_later() {
    let before = Instant::now();
    while Instant::now() <= before {
        std::hint::spin_loop();
    }
}

/// A clock for ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Ordering::Relaxed);
    }

    pub(crate) fn reader(&self) -> impl Fn() -> Instant + Clone + Send + Sync + 'static {
        let (origin, nanos) = (Instant::now(), Arc::clone(&self.0));
        move || origin + Duration::from_nanos(nanos.load(Ordering::Relaxed))
    }
}

/// A breaker of tower-resilience, made with what `set` adds.
pub(crate) fn resilience(
    set: impl FnOnce(CircuitBreakerConfigBuilder<DefaultClassifier>) -> CircuitBreakerConfigBuilder<DefaultClassifier>,
) -> CircuitBreakerLayer<DefaultClassifier> {
    set(circuit_breaker_builder()).build().unwrap()
}
