//! Attempts each of which goes to another service.

use std::task::{Context, Poll};

use evenkeel_budget::{Replay, Verdict};
use tower_service::Service;

use super::{
    Services,
    available::{self, Available},
    services,
};
use crate::{
    hedge::{Failed, Launch, Sent},
    tower::Copies,
};

/// The services of one request, and the copy of it.
pub(crate) struct Several<V, R, H, Req> {
    services: V,
    health: H,
    copies: Copies<Req, R>,
    /// A bit for each that was called, or failed to become ready.
    passed: u64,
    /// A bit for each that is being made ready.
    asked: u64,
}

impl<V, R, H, Req> Several<V, R, H, Req>
where
    V: Services,
    V::Service: Service<Req>,
    R: Replay<Req>,
    H: Available,
{
    /// Calls the service at that place, which is ready.
    #[inline(always)] // As part of the future that it is for.
    pub(super) fn call(
        mut services: V,
        place: usize,
        (replay, health): (R, H),
        request: Req,
        more: bool,
    ) -> (Self, Sent<<V::Service as Service<Req>>::Future>) {
        let copies = Copies::of(&request, replay, more && services.count() > 1);
        let future = services.at(place).call(request);
        (Self { services, health, copies, passed: 1 << place, asked: 0 }, Sent { future, alternate: place })
    }

    /// Who may be asked.
    fn left(&self) -> u64 {
        // Nothing is reserved for nothing.
        if self.copies.is_empty() { 0 } else { available::left(&self.health, self.services.count(), self.passed) }
    }

    /// Gives back what those in the set have reserved.
    fn renew(&mut self, set: u64) {
        self.asked &= !set;
        for place in places(set) {
            services::renew(&mut self.services, place);
        }
    }

    fn has_other(&self) -> bool {
        (self.passed.count_ones() as usize) < self.services.count()
    }
}

impl<V, R, H, Req> Launch for Several<V, R, H, Req>
where
    V: Services,
    V::Service: Service<Req>,
    R: Replay<Req>,
    H: Available,
{
    type Future = <V::Service as Service<Req>>::Future;

    fn may_hedge(&self) -> bool {
        self.copies.may_hedge() && self.has_other()
    }

    fn may_repeat(&self, verdict: Verdict) -> bool {
        self.copies.may_repeat(verdict) && self.has_other()
    }

    fn poll_launch(
        &mut self,
        cx: &mut Context<'_>,
        more: bool,
    ) -> Poll<Option<Result<Sent<Self::Future>, Failed<<Self::Future as Future>::Output>>>> {
        let left = self.left();
        // Who is no longer available.
        self.renew(self.asked & !left);
        if left == 0 {
            return Poll::Ready(None);
        }
        // The first of them that is ready: who is busy, or hangs before it is ready, keeps nobody from asking the next.
        for place in places(left) {
            self.asked |= 1 << place;
            let Poll::Ready(readiness) = self.services.at(place).poll_ready(cx) else { continue };
            self.passed |= 1 << place;
            if let Err(error) = readiness {
                self.give_up();
                return Poll::Ready(Some(Err(Failed { output: Err(error), alternate: place })));
            }
            self.asked &= !(1 << place);
            self.give_up();
            let more = more && self.has_other();
            let Some(request) = self.copies.take(more) else { return Poll::Ready(None) };
            let future = self.services.at(place).call(request);
            return Poll::Ready(Some(Ok(Sent { future, alternate: place })));
        }
        Poll::Pending
    }

    fn give_up(&mut self) {
        self.renew(self.asked);
    }
}

/// The places in a set, in their order: a step for each that is in it, and none for the others.
fn places(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = set.trailing_zeros();
        // Without its lowest place; the empty set has none.
        set &= set.checked_sub(1)?;
        Some(place as usize)
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_a_set_are_its_bits_from_the_lowest() {
        for (set, listed) in [(0, vec![]), (1, vec![0]), (0b1010, vec![1, 3]), (1 << 63 | 1 << 62, vec![62, 63])] {
            assert_eq!(places(set).collect::<Vec<_>>(), listed);
        }
        assert!(places(u64::MAX).eq(0..64));
    }
}
