//! The attempts in flight: one in place, those beside it each in an allocation of its own.
//!
//! Nearly every request has one at a time, and a place for a second in every future would be paid for by all of them.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::Attempt;

pin_project! {
    pub(super) struct Flights<F, T> {
        #[pin]
        first: Option<Flight<F, T>>,
        more: Vec<Pin<Box<Flight<F, T>>>>,
    }
}

pin_project! {
    struct Flight<F, T> {
        #[pin]
        future: F,
        attempt: Attempt,
        // Held for as long as it is in flight.
        token: Option<T>,
    }
}

impl<F, T> Flights<F, T> {
    pub(super) const fn new() -> Self {
        Self { first: None, more: Vec::new() }
    }

    /// With the first attempt on its way.
    #[cfg(feature = "tower")]
    pub(super) const fn with(future: F, attempt: Attempt) -> Self {
        Self { first: Some(Flight { future, attempt, token: None }), more: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    /// Adds one that is sent now, and says at which place.
    #[inline]
    pub(super) fn add(self: Pin<&mut Self>, future: F, attempt: Attempt, token: Option<T>) -> usize {
        let is_alone = self.is_empty();
        let mut this = self.project();
        let flight = Flight { future, attempt, token };
        // Beside others it is the youngest, and those are polled first.
        if is_alone {
            this.first.set(Some(flight));
            return 0;
        }
        this.more.push(Box::pin(flight));
        this.more.len()
    }

    /// Drops all of them, the latest first.
    #[inline]
    pub(super) fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        while this.more.pop().is_some() {}
        this.first.set(None);
    }
}

impl<F: Future, T> Flights<F, T> {
    /// Polls the one in place, if there is one. When it has ended it is dropped.
    #[inline]
    pub(super) fn poll_first(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<(Attempt, F::Output)> {
        let mut this = self.project();
        let flight = this.first.as_mut().as_pin_mut()?.project();
        let Poll::Ready(output) = flight.future.poll(cx) else { return None };
        let attempt = *flight.attempt;
        this.first.set(None);
        Some((attempt, output))
    }

    /// Polls those from `place` on, the oldest first, up to one that has ended: it and its token are dropped, and `place` is
    /// the one after it. Place 0 is the one in place.
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        place: &mut usize,
        cx: &mut Context<'_>,
    ) -> Option<(Attempt, F::Output)> {
        if *place == 0 {
            *place = 1;
            if let Some(ended) = self.as_mut().poll_first(cx) {
                return Some(ended);
            }
        }
        let this = self.project();
        while let Some(flight) = this.more.get_mut(*place - 1) {
            let flight = flight.as_mut().project();
            if let Poll::Ready(output) = flight.future.poll(cx) {
                let attempt = *flight.attempt;
                // The next one takes its place.
                this.more.remove(*place - 1);
                return Some((attempt, output));
            }
            *place += 1;
        }
        None
    }
}
