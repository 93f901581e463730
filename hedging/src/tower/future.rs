//! What happens to one request.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use evenkeel_budget::Replay;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::clones::Clones;
use crate::{
    Policy, PolicyFor,
    hedge::{Race, Terms},
};

pin_project! {
    /// The response of a [`HedgeService`](super::HedgeService): the winner's, as it was.
    ///
    /// # Panics
    ///
    /// When it is polled after it has answered.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempts in flight. A further attempt that was paid for and not yet sent is given back to the
    /// budget.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, P, R, Req>
    where
        S: Service<Req>,
        S: Clone,
        P: Policy,
        R: Replay<Req>,
    {
        #[pin]
        race: Race<P, Clones<S, R, Req>>,
    }
}

impl<S, P, R, Req> ResponseFuture<S, P, R, Req>
where
    S: Service<Req>,
    S: Clone,
    P: Policy,
    R: Replay<Req>,
{
    #[inline(always)] // It is made in place.
    pub(super) fn new(policy: P, replay: R, ready: S, request: Req) -> Self {
        let send = |more| Clones::call(ready, replay, request, more);
        Self { race: Race::begin(policy, Terms::SAME, send) }
    }
}

impl<S, P, R, Req> Future for ResponseFuture<S, P, R, Req>
where
    S: Service<Req>,
    S: Clone,
    P: PolicyFor<S::Response, S::Error>,
    R: Replay<Req>,
{
    type Output = Result<S::Response, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().race.poll(cx).map(|(_, result)| result)
    }
}

impl<S, P, R, Req> fmt::Debug for ResponseFuture<S, P, R, Req>
where
    S: Service<Req>,
    S: Clone,
    P: Policy,
    R: Replay<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("state", &self.race.state()).finish_non_exhaustive()
    }
}
