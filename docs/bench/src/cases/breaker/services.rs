//! What one writes for peers that have no layer.

use std::task::{Context, Poll};

use failsafe::{FailurePolicy, StateMachine, futures::CircuitBreaker as _};
use recloser::AsyncRecloser;
use tower_service::Service;

use super::peers::Answer;

/// What a call can fail with.
pub(super) trait Made {
    /// Whether it was made.
    fn made(&self) -> bool;
}

impl Made for u64 {
    fn made(&self) -> bool {
        true
    }
}

impl Made for evenkeel_breaker::Error<u64> {
    fn made(&self) -> bool {
        !self.is_open()
    }
}

impl Made for recloser::Error<u64> {
    fn made(&self) -> bool {
        matches!(self, Self::Inner(_))
    }
}

impl Made for failsafe::Error<u64> {
    fn made(&self) -> bool {
        matches!(self, Self::Inner(_))
    }
}

impl Made for tower_resilience_circuitbreaker::CircuitBreakerError<u64> {
    fn made(&self) -> bool {
        matches!(self, Self::Inner(_))
    }
}

/// recloser has no layer: this is what one writes.
#[derive(Clone)]
pub(super) struct Reclosed<S> {
    pub(super) inner: S,
    pub(super) breaker: AsyncRecloser,
}

impl<S: Service<Answer, Response = u64, Error = u64, Future: Future<Output = Answer>>> Service<Answer> for Reclosed<S> {
    type Response = u64;
    type Error = recloser::Error<u64>;
    type Future = recloser::RecloserFuture<S::Future, recloser::AnyError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(recloser::Error::Inner)
    }

    fn call(&mut self, answer: Answer) -> Self::Future {
        self.breaker.call(self.inner.call(answer))
    }
}

/// Nor has failsafe.
pub(super) struct Failsafed<S, P> {
    pub(super) inner: S,
    pub(super) breaker: StateMachine<P, ()>,
}

/// Its policies cannot be cloned, and need not be.
impl<S: Clone, P> Clone for Failsafed<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), breaker: self.breaker.clone() }
    }
}

impl<S, P> Service<Answer> for Failsafed<S, P>
where
    S: Service<Answer, Response = u64, Error = u64, Future: Future<Output = Answer>>,
    P: FailurePolicy + Send + Sync,
{
    type Response = u64;
    type Error = failsafe::Error<u64>;
    type Future = failsafe::futures::ResponseFuture<S::Future, P, (), failsafe::Any>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(failsafe::Error::Inner)
    }

    fn call(&mut self, answer: Answer) -> Self::Future {
        self.breaker.call(self.inner.call(answer))
    }
}
