//! A service that is always ready and answers at once, with what it was sent: what the layers are around.

use std::{
    fmt,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
};

use tower_service::Service;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo;

impl Service<u64> for Echo {
    type Response = u64;
    type Error = fmt::Error;
    type Future = Ready<Result<u64, fmt::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), fmt::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: u64) -> Self::Future {
        ready(black_box(Ok(request)))
    }
}

/// It fails when it is told to.
impl<E> Service<Result<u64, E>> for Echo {
    type Response = u64;
    type Error = E;
    type Future = Ready<Result<u64, E>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, answer: Result<u64, E>) -> Self::Future {
        ready(black_box(answer))
    }
}
