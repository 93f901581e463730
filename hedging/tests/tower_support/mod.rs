//! Services, requests and budgets that see what a layer does with them.
#![allow(dead_code, unused_imports)] // each test file uses its own part

mod probe;
mod purse;
mod told;

use std::{
    cell::Cell,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tower::Service;

use crate::support::World;

pub(crate) use probe::{Answer, Log, Probe, Ready};
pub(crate) use purse::Purse;
pub(crate) use told::Told;

/// A request that counts its clones.
#[derive(Debug)]
pub(crate) struct Request(pub(crate) Rc<Cell<u32>>);

impl Request {
    pub(crate) fn new() -> (Self, Rc<Cell<u32>>) {
        let clones = Rc::new(Cell::new(0));
        (Self(clones.clone()), clones)
    }
}

impl Clone for Request {
    fn clone(&self) -> Self {
        self.0.set(self.0.get() + 1);
        Self(self.0.clone())
    }
}

pub(crate) fn poll_ready<S: Service<()>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

/// Probes that answer once, each with a log of its own.
pub(crate) fn probes<const N: usize>(world: &World, answers: [(Duration, Answer); N]) -> ([Probe; N], [Rc<Log>; N]) {
    let probes = answers.map(|answer| Probe::new(world, [answer]));
    let logs = probes.each_ref().map(|(_, log)| log.clone());
    (probes.map(|(probe, _)| probe), logs)
}
