//! What one would write without any of it.

use std::{
    fmt,
    future::{Ready, ready},
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tower::Service;

/// What a call comes to.
type Answer = Result<u64, fmt::Error>;

/// The least that a client can do that looks after itself: is the service up, how did it go, and again if it failed.
#[derive(Clone, Debug, Default)]
pub(super) struct ByHand(Arc<Line>);

/// No neighbour on its cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line {
    is_open: AtomicU64,
    successes: AtomicU64,
}

impl Service<u64> for ByHand {
    type Response = u64;
    type Error = fmt::Error;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), fmt::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        let Line { is_open, successes } = &*self.0;
        for _ in 0..3 {
            if is_open.load(Ordering::Acquire) == 1 {
                return ready(Err(fmt::Error));
            }
            if let Ok(answer) = black_box(Ok::<u64, fmt::Error>(request)) {
                successes.fetch_add(1, Ordering::Relaxed);
                return ready(Ok(answer));
            }
        }
        ready(Err(fmt::Error))
    }
}
