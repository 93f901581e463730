//! A service that sees what a layer does with it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Ready, ready},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tower::Service;

/// What the probe saw, shared by all its clones.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) calls: Cell<u32>,
    pub(crate) ready_polls: Cell<u32>,
    pub(crate) clones: Cell<u32>,
    /// Reserved by `poll_ready`, and neither used by `call` nor dropped.
    pub(crate) reserved: Cell<i32>,
    /// Instances that were not ready, and wait to be.
    pub(crate) queued: Cell<i32>,
    pub(crate) results: RefCell<VecDeque<Result<u32, &'static str>>>,
    pub(crate) readiness: RefCell<VecDeque<Poll<Result<(), &'static str>>>>,
    /// Of the last one that waits.
    pub(crate) waker: RefCell<Option<Waker>>,
}

/// A service that must be made ready before each call, and whose clones are not.
#[derive(Debug)]
pub(crate) struct Probe {
    log: Rc<Log>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Idle,
    Queued,
    Ready,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

impl Probe {
    pub(crate) fn new(results: impl IntoIterator<Item = Result<u32, &'static str>>) -> (Self, Rc<Log>) {
        let log = Rc::new(Log { results: RefCell::new(results.into_iter().collect()), ..Log::default() });
        (Self { log: log.clone(), state: State::Idle }, log)
    }

    fn go(&mut self, to: State) {
        for (state, change) in [(self.state, -1), (to, 1)] {
            match state {
                State::Idle => {}
                State::Queued => self.log.queued.set(self.log.queued.get() + change),
                State::Ready => self.log.reserved.set(self.log.reserved.get() + change),
            }
        }
        self.state = to;
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        self.log.clones.set(self.log.clones.get() + 1);
        Self { log: self.log.clone(), state: State::Idle }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.go(State::Idle);
    }
}

impl<Req> Service<Req> for Probe {
    type Response = u32;
    type Error = &'static str;
    type Future = Ready<Result<u32, &'static str>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.log.ready_polls.set(self.log.ready_polls.get() + 1);
        let readiness = self.log.readiness.borrow_mut().pop_front().unwrap_or(Poll::Ready(Ok(())));
        match readiness {
            Poll::Pending => {
                self.go(State::Queued);
                *self.log.waker.borrow_mut() = Some(cx.waker().clone());
            }
            Poll::Ready(Ok(())) => self.go(State::Ready),
            Poll::Ready(Err(_)) => self.go(State::Idle),
        }
        readiness
    }

    fn call(&mut self, _: Req) -> Self::Future {
        assert!(self.state == State::Ready, "called without having been made ready");
        self.go(State::Idle);
        self.log.calls.set(self.log.calls.get() + 1);
        ready(self.log.results.borrow_mut().pop_front().unwrap_or(Err("no more")))
    }
}
