//! `tower::hedge`, the real one, on the same service.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tower::{Service as _, hedge::Hedge};

use super::{
    client::World,
    service::Failed,
    tally::Call,
    time::{Paused, SCALE},
};

/// Its settings, where they differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) share: f32,
    pub(super) min_data_points: u64,
}

/// Makes the requests of one row.
pub(super) fn begin(
    world: Rc<World<Paused>>,
    settings: Settings,
) -> impl FnMut(u64) -> Pin<Box<dyn Future<Output = ()>>> {
    let Settings { share, min_data_points } = settings;
    let inner = Inner(Rc::clone(&world));
    let hedge = RefCell::new(Hedge::new(inner, Always, min_data_points, share, WINDOW * SCALE));
    move |request| {
        let call = Rc::new(world.begin(request));
        let mut hedge = hedge.borrow_mut();
        let ready = hedge.poll_ready(&mut Context::from_waker(Waker::noop()));
        assert!(ready.is_ready(), "the service always is");
        let answer = hedge.call(Rc::clone(&call));
        let world = Rc::clone(&world);
        Box::pin(async move {
            let result = answer.await;
            world.end(&call, result.is_ok());
        })
    }
}

#[derive(Clone)]
struct Inner(Rc<World<Paused>>);

impl tower::Service<Rc<Call>> for Inner {
    type Response = ();
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<(), Failed>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Rc<Call>) -> Self::Future {
        Box::pin(self.0.attempt(&call))
    }
}

/// Each request may be sent again.
#[derive(Clone, Copy)]
struct Always;

impl tower::hedge::Policy<Rc<Call>> for Always {
    fn clone_request(&self, call: &Rc<Call>) -> Option<Rc<Call>> {
        Some(Rc::clone(call))
    }

    fn can_retry(&self, _: &Rc<Call>) -> bool {
        true
    }
}

/// As long as that of [`Quantile`](evenkeel_hedging::Quantile).
const WINDOW: Duration = evenkeel_hedging::Quantile::DEFAULT_WINDOW;
