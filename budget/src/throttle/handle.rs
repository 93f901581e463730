//! How an admission holds on to its throttle.

use std::time::Instant;

use super::{AdaptiveThrottle, ThrottleObserver};

/// How an [`Admission`](super::Admission), a [`Call`](super::Call) or a `ThrottleLayer` holds on to its throttle:
/// `AdaptiveThrottle`, which counts a reference for each request, or `&AdaptiveThrottle`, which counts none.
pub trait ThrottleHandle: sealed::Sealed + Clone {
    /// The throttle's clock.
    type Clock: Fn() -> Instant;
    /// The throttle's observer.
    type Observer: ThrottleObserver;

    /// The throttle.
    fn throttle(&self) -> &AdaptiveThrottle<Self::Clock, Self::Observer>;
}

mod sealed {
    #[allow(unnameable_types)] // That is what seals it.
    pub trait Sealed {}
    impl<C, O> Sealed for super::AdaptiveThrottle<C, O> {}
    impl<C, O> Sealed for &super::AdaptiveThrottle<C, O> {}
}

impl<C: Fn() -> Instant, O: ThrottleObserver> ThrottleHandle for AdaptiveThrottle<C, O> {
    type Clock = C;
    type Observer = O;

    #[inline]
    fn throttle(&self) -> &Self {
        self
    }
}

impl<C: Fn() -> Instant, O: ThrottleObserver> ThrottleHandle for &AdaptiveThrottle<C, O> {
    type Clock = C;
    type Observer = O;

    #[inline]
    fn throttle(&self) -> &AdaptiveThrottle<C, O> {
        self
    }
}
