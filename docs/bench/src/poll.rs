//! Futures and services, polled by hand.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use tower_service::Service;

/// Polls until it is ready, without a runtime. Inlined always, for whether it is would else be chance, and show.
#[inline(always)]
pub fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Sends a request to a service that is always ready.
///
/// # Panics
///
/// When the service is not ready.
///
/// # Errors
///
/// The service's own.
#[inline(always)]
pub fn request<Q, S: Service<Q>>(service: &mut S, request: Q) -> Result<S::Response, S::Error> {
    let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))), "it is always ready");
    drive(service.call(request))
}
