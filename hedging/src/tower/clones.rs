//! Attempts that go to one service, made ready again for each of them.

use std::task::{Context, Poll, ready};

use evenkeel_budget::{Replay, Verdict};
use tower_service::Service;

use super::Copies;
use crate::hedge::{Failed, Launch, Sent};

/// The service that was called first, and the copy of its request.
pub(crate) struct Clones<S, R, Req> {
    service: S,
    copies: Copies<Req, R>,
}

impl<S: Service<Req>, R: Replay<Req>, Req> Clones<S, R, Req> {
    /// Calls the service, which is ready.
    #[inline(always)] // As part of the future that it is for.
    pub(super) fn call(mut service: S, replay: R, request: Req, more: bool) -> (Self, Sent<S::Future>) {
        let copies = Copies::of(&request, replay, more);
        let future = service.call(request);
        (Self { service, copies }, Sent { future, alternate: 0 })
    }
}

impl<S: Service<Req> + Clone, R: Replay<Req>, Req> Launch for Clones<S, R, Req> {
    type Future = S::Future;

    fn may_hedge(&self) -> bool {
        self.copies.may_hedge()
    }

    fn may_repeat(&self, verdict: Verdict) -> bool {
        self.copies.may_repeat(verdict)
    }

    fn poll_launch(
        &mut self,
        cx: &mut Context<'_>,
        more: bool,
    ) -> Poll<Option<Result<Sent<S::Future>, Failed<Result<S::Response, S::Error>>>>> {
        // Nothing is reserved for nothing.
        if self.copies.is_empty() {
            return Poll::Ready(None);
        }
        if let Err(error) = ready!(self.service.poll_ready(cx)) {
            // It is not to be asked again.
            self.copies.clear();
            self.give_up();
            return Poll::Ready(Some(Err(Failed { output: Err(error), alternate: 0 })));
        }
        let Some(request) = self.copies.take(more) else { return Poll::Ready(None) };
        Poll::Ready(Some(Ok(Sent { future: self.service.call(request), alternate: 0 })))
    }

    /// A clone has reserved nothing.
    fn give_up(&mut self) {
        self.service = self.service.clone();
    }
}
