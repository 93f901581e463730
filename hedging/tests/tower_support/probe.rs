//! A service that must be made ready before each call, and whose clones are not.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tower::Service;

use crate::support::{Sleep, World};

pub(crate) type Answer = Result<u32, &'static str>;

/// What the probe saw, shared by all its clones.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) calls: Cell<u32>,
    /// When it was called.
    pub(crate) called_at: RefCell<Vec<Duration>>,
    pub(crate) ready_polls: Cell<u32>,
    pub(crate) clones: Cell<u32>,
    /// Instances that are ready, and are neither called nor dropped.
    pub(crate) reserved: Cell<i32>,
    /// Instances that were asked, are not ready, and wait to be.
    pub(crate) queued: Cell<i32>,
    /// Calls that have neither answered nor are dropped.
    pub(crate) in_flight: Cell<i32>,
    /// Polls of calls.
    pub(crate) polls: Cell<u32>,
    /// What the next calls answer, and after how long; 0 is at once. Where there is nothing more, `Err("no more")`.
    pub(crate) answers: RefCell<VecDeque<(Duration, Answer)>>,
    /// How the next instances that are asked become ready; where there is nothing more, at once.
    pub(crate) readiness: RefCell<VecDeque<Ready>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Ready {
    Now,
    After(Duration),
    Never,
    Fails(&'static str),
    FailsAfter(Duration, &'static str),
}

pub(crate) struct Probe {
    world: World,
    log: Rc<Log>,
    state: State,
}

enum State {
    Idle,
    Queued(Option<Sleep>, Result<(), &'static str>),
    Ready,
}

impl Probe {
    pub(crate) fn new(world: &World, answers: impl IntoIterator<Item = (Duration, Answer)>) -> (Self, Rc<Log>) {
        let log = Rc::new(Log { answers: RefCell::new(answers.into_iter().collect()), ..Log::default() });
        (Self { world: world.clone(), log: log.clone(), state: State::Idle }, log)
    }

    /// One that tells the same log, and takes its answers from it.
    pub(crate) fn sharing(world: &World, log: &Rc<Log>) -> Self {
        Self { world: world.clone(), log: log.clone(), state: State::Idle }
    }

    fn go(&mut self, to: State) {
        for (state, change) in [(&self.state, -1), (&to, 1)] {
            match state {
                State::Idle => {}
                State::Queued(..) => self.log.queued.set(self.log.queued.get() + change),
                State::Ready => self.log.reserved.set(self.log.reserved.get() + change),
            }
        }
        self.state = to;
    }
}

impl Log {
    /// (calls, instances that are ready, instances that wait to be, calls in flight)
    pub(crate) fn counts(&self) -> (u32, i32, i32, i32) {
        (self.calls.get(), self.reserved.get(), self.queued.get(), self.in_flight.get())
    }

    pub(crate) fn is_idle(&self) -> bool {
        let (_, reserved, queued, in_flight) = self.counts();
        (reserved, queued, in_flight) == (0, 0, 0)
    }
}

impl Clone for Probe {
    fn clone(&self) -> Self {
        self.log.clones.set(self.log.clones.get() + 1);
        Self { world: self.world.clone(), log: self.log.clone(), state: State::Idle }
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
    type Future = Flight;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.log.ready_polls.set(self.log.ready_polls.get() + 1);
        if let State::Idle = self.state {
            let readiness = self.log.readiness.borrow_mut().pop_front().unwrap_or(Ready::Now);
            match readiness {
                Ready::Now => self.go(State::Ready),
                Ready::After(delay) => self.go(State::Queued(Some(self.world.sleep(delay)), Ok(()))),
                Ready::FailsAfter(delay, error) => self.go(State::Queued(Some(self.world.sleep(delay)), Err(error))),
                Ready::Never => self.go(State::Queued(None, Ok(()))),
                Ready::Fails(error) => return Poll::Ready(Err(error)),
            }
        }
        if let State::Queued(sleep, result) = &mut self.state {
            let result = *result;
            let Some(sleep) = sleep else { return Poll::Pending };
            ready!(Pin::new(sleep).poll(cx));
            self.go(if result.is_ok() { State::Ready } else { State::Idle });
            return Poll::Ready(result);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Req) -> Flight {
        assert!(matches!(self.state, State::Ready), "called without having been made ready");
        self.go(State::Idle);
        self.log.calls.set(self.log.calls.get() + 1);
        self.log.called_at.borrow_mut().push(self.world.elapsed());
        self.log.in_flight.set(self.log.in_flight.get() + 1);
        let (delay, answer) = self.log.answers.borrow_mut().pop_front().unwrap_or((Duration::ZERO, Err("no more")));
        let sleep = (!delay.is_zero()).then(|| self.world.sleep(delay));
        Flight { log: self.log.clone(), sleep, answer }
    }
}

pub(crate) struct Flight {
    log: Rc<Log>,
    sleep: Option<Sleep>,
    answer: Answer,
}

impl Future for Flight {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        self.log.polls.set(self.log.polls.get() + 1);
        if let Some(sleep) = &mut self.sleep {
            ready!(Pin::new(sleep).poll(cx));
        }
        Poll::Ready(self.answer)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.log.in_flight.set(self.log.in_flight.get() - 1);
    }
}
