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
    pub(super) struct Flight<F, T> {
        #[pin]
        future: F,
        attempt: Attempt,
        // Held for as long as it is in flight.
        token: Option<T>,
    }
}

/// All that are in flight.
pub(super) struct Flights<'a, F, T> {
    pub(super) first: Pin<&'a mut Option<Flight<F, T>>>,
    pub(super) more: &'a mut Vec<Pin<Box<Flight<F, T>>>>,
}

impl<F, T> Flight<F, T> {
    /// The first attempt, on its way.
    #[inline]
    pub(super) const fn first(future: F, attempt: Attempt) -> Self {
        Self { future, attempt, token: None }
    }
}

impl<F: Future, T> Flight<F, T> {
    /// Polls the one in place, if there is one. When it has ended it is dropped.
    #[inline]
    pub(super) fn poll(mut place: Pin<&mut Option<Self>>, cx: &mut Context<'_>) -> Option<(Attempt, F::Output)> {
        let flight = place.as_mut().as_pin_mut()?.project();
        let Poll::Ready(output) = flight.future.poll(cx) else { return None };
        let attempt = *flight.attempt;
        place.set(None);
        Some((attempt, output))
    }
}

impl<F, T> Flights<'_, F, T> {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    /// Adds one that is sent now, and says at which place.
    pub(super) fn add(&mut self, future: F, attempt: Attempt, token: Option<T>) -> usize {
        let flight = Flight { future, attempt, token };
        // Beside others it is the youngest, and those are polled first.
        if self.is_empty() {
            self.first.set(Some(flight));
            return 0;
        }
        self.more.push(Box::pin(flight));
        self.more.len()
    }

    /// Drops all of them, the latest first.
    #[inline]
    pub(super) fn clear(&mut self) {
        while self.more.pop().is_some() {}
        self.first.set(None);
    }
}

impl<F: Future, T> Flights<'_, F, T> {
    /// Polls those from `place` on, the oldest first, up to one that has ended: it and its token are dropped, and `place` is
    /// the one after it. Place 0 is the one in place.
    #[inline]
    pub(super) fn poll(&mut self, place: &mut usize, cx: &mut Context<'_>) -> Option<(Attempt, F::Output)> {
        // Mostly there is none beside it.
        if *place > self.more.len() { None } else { self.poll_from(place, cx) }
    }

    #[inline(never)]
    fn poll_from(&mut self, place: &mut usize, cx: &mut Context<'_>) -> Option<(Attempt, F::Output)> {
        if *place == 0 {
            *place = 1;
            if let Some(ended) = Flight::poll(self.first.as_mut(), cx) {
                return Some(ended);
            }
        }
        while let Some(flight) = self.more.get_mut(*place - 1) {
            let flight = flight.as_mut().project();
            if let Poll::Ready(output) = flight.future.poll(cx) {
                let attempt = *flight.attempt;
                // The next one takes its place.
                self.more.remove(*place - 1);
                return Some((attempt, output));
            }
            *place += 1;
        }
        None
    }
}
