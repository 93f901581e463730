//! By which policy a request is hedged.

use std::{fmt, sync::Arc};

use evenkeel_budget::Budget;

use crate::{Hedge, Policy};

/// Knows by which policy a request is hedged: one for all, or one that a function chooses.
pub trait Choose<Req> {
    /// The policy.
    type Policy: Policy;

    /// The policy of `request`, which is about to be sent for the first time.
    fn choose(&self, request: &Req) -> Self::Policy;
}

/// One policy for all requests.
pub struct Shared<P>(pub(crate) Arc<P>);

/// One policy for all requests, which outlives them: no references to it are counted.
pub struct Lent<'a, P>(pub(crate) &'a P);

/// A policy that a function makes for each request.
#[derive(Clone, Copy)]
pub struct Chosen<F>(pub(crate) F);

impl<P: Policy, Req> Choose<Req> for Shared<P> {
    type Policy = Arc<P>;

    #[inline]
    fn choose(&self, _: &Req) -> Arc<P> {
        Arc::clone(&self.0)
    }
}

impl<'a, P: Policy, Req> Choose<Req> for Lent<'a, P> {
    type Policy = &'a P;

    #[inline]
    fn choose(&self, _: &Req) -> &'a P {
        self.0
    }
}

/// The budget is one that was chosen: a new one for each request would be none.
impl<F, D, W, C, B, O, Req> Choose<Req> for Chosen<F>
where
    F: Fn(&Req) -> Hedge<D, W, C, B, O>,
    Hedge<D, W, C, B, O>: Policy,
    B: Budget,
{
    type Policy = Hedge<D, W, C, B, O>;

    fn choose(&self, request: &Req) -> Self::Policy {
        (self.0)(request)
    }
}

impl<P> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Clone for Lent<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Lent<'_, P> {}

impl<P: fmt::Debug> fmt::Debug for Shared<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.0).finish()
    }
}

impl<P: fmt::Debug> fmt::Debug for Lent<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(self.0).finish()
    }
}

impl<F> fmt::Debug for Chosen<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chosen").finish_non_exhaustive()
    }
}
