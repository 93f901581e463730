//! A service that counts what is done with it, and a request that counts its clones.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Ready, ready},
    rc::Rc,
    task::{Context, Poll},
};

use tower::Service;

/// What the probe saw, shared by all its clones.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) calls: Cell<u32>,
    pub(crate) ready_polls: Cell<u32>,
    /// Reserved by `poll_ready` and not used by `call` yet.
    pub(crate) reserved: Cell<i32>,
    pub(crate) results: RefCell<VecDeque<Result<u32, &'static str>>>,
    pub(crate) readiness: RefCell<VecDeque<Poll<Result<(), &'static str>>>>,
}

/// A service that must be made ready before each call, and whose clones are not.
pub(crate) struct Probe {
    log: Rc<Log>,
    ready: bool,
}

impl Probe {
    pub(crate) fn new(results: impl IntoIterator<Item = Result<u32, &'static str>>) -> (Self, Rc<Log>) {
        let log = Rc::new(Log { results: RefCell::new(results.into_iter().collect()), ..Log::default() });
        (Self { log: log.clone(), ready: false }, log)
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        Self { log: self.log.clone(), ready: false }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if self.ready {
            self.log.reserved.set(self.log.reserved.get() - 1);
        }
    }
}

impl<Req> Service<Req> for Probe {
    type Response = u32;
    type Error = &'static str;
    type Future = Ready<Result<u32, &'static str>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.log.ready_polls.set(self.log.ready_polls.get() + 1);
        match self.log.readiness.borrow_mut().pop_front() {
            Some(Poll::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
            Some(Poll::Ready(Ok(()))) | None => {}
        }
        if !self.ready {
            self.ready = true;
            self.log.reserved.set(self.log.reserved.get() + 1);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> Self::Future {
        assert!(self.ready, "called without having been made ready");
        self.ready = false;
        self.log.reserved.set(self.log.reserved.get() - 1);
        self.log.calls.set(self.log.calls.get() + 1);
        ready(self.log.results.borrow_mut().pop_front().unwrap_or(Err("no more")))
    }
}

/// A request that counts its clones.
pub(crate) struct Request(pub(crate) Rc<Cell<u32>>);

impl Clone for Request {
    fn clone(&self) -> Self {
        self.0.set(self.0.get() + 1);
        Self(self.0.clone())
    }
}
