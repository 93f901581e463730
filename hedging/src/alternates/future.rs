//! What happens to one request.

use std::{
    fmt,
    future::Future,
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll},
};

use evenkeel_budget::Replay;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{Available, ErrorOf, ResponseOf, Services, several::Several};
use crate::{
    Policy, PolicyFor,
    hedge::{Race, Terms},
};

/// A response, and which of the [`Alternates`](super::Alternates) gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answered<T> {
    /// Its place among the alternates, from 0.
    pub alternate: usize,
    /// What it answered.
    pub response: T,
}

impl<T> Answered<T> {
    /// The same, of something made of the response.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answered<U> {
        Answered { alternate: self.alternate, response: f(self.response) }
    }

    /// The response alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.response
    }
}

pin_project! {
    /// The response of [`Alternates`](super::Alternates): the winner's.
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
    pub struct AlternatesFuture<V, P, R, H, Req>
    where
        V: Services,
        V::Service: Service<Req>,
        P: Policy,
        R: Replay<Req>,
        H: Available,
    {
        #[pin]
        race: Race<P, Several<V, R, H, Req>>,
    }
}

impl<V, P, R, H, Req> AlternatesFuture<V, P, R, H, Req>
where
    V: Services,
    V::Service: Service<Req>,
    P: Policy,
    R: Replay<Req>,
    H: Available,
{
    #[inline(always)] // It is made in place.
    pub(super) fn new(policy: P, services: V, place: usize, terms: (R, H), request: Req) -> Self {
        // From 1 to 64.
        let at_most = NonZeroU32::new(services.count() as u32).unwrap_or(NonZeroU32::MIN);
        let send = |more| Several::call(services, place, terms, request, more);
        Self { race: Race::begin(policy, Terms { at_most, elsewhere: true }, send) }
    }
}

impl<V, P, R, H, Req> Future for AlternatesFuture<V, P, R, H, Req>
where
    V: Services,
    V::Service: Service<Req>,
    P: PolicyFor<ResponseOf<V, Req>, ErrorOf<V, Req>>,
    R: Replay<Req>,
    H: Available,
{
    type Output = Result<Answered<ResponseOf<V, Req>>, ErrorOf<V, Req>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = |alternate| move |response| Answered { alternate, response };
        self.project().race.poll(cx).map(|(attempt, result)| result.map(answer(attempt.alternate)))
    }
}

impl<V, P, R, H, Req> fmt::Debug for AlternatesFuture<V, P, R, H, Req>
where
    V: Services,
    V::Service: Service<Req>,
    P: Policy,
    R: Replay<Req>,
    H: Available,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlternatesFuture").field("state", &self.race.state()).finish_non_exhaustive()
    }
}
