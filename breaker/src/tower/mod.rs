//! The tower layers: one that fails fast, and one that holds back.

mod future;
mod hold;
mod keyed;
mod layer;

pub use future::BreakerFuture;
pub use hold::{HoldLayer, HoldService};
pub use keyed::{BreakerMapLayer, BreakerMapService};
pub use layer::{BreakerLayer, BreakerService};

use tower_service::Service;

use crate::{Breaker, Handle, Permit, Rejected};

/// A permit that goes into the response, which may live longer than the service.
type Owned<C, O> = Permit<Breaker<C, O>>;

/// Calls the instance that is ready. If it is not to be called a clone takes its place, and what it had reserved to be
/// ready, such as a permit or a place in a queue, is free: a service may be held for as long as a retry waits.
#[inline(always)]
fn call<S, Req, K, H>(
    inner: &mut S,
    request: Req,
    asked: Result<Permit<H>, Rejected>,
    classify: K,
) -> BreakerFuture<S::Future, K, H>
where
    S: Service<Req> + Clone,
    H: Handle,
{
    match asked {
        // Should it panic, the permit is dropped by that.
        Ok(permit) => BreakerFuture::admitted(permit, inner.call(request), classify),
        Err(rejected) => {
            *inner = inner.clone();
            BreakerFuture::rejected(rejected, classify)
        }
    }
}
