//! Those who wait for the breaker to let a call through.

use std::{collections::BTreeMap, mem, task::Waker};

/// The wakers of tasks that wait, each under a number of its own; who came first is woken first.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

impl Waiters {
    /// A number for one who will wait.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// From here on a change wakes it, once. The waker that it had before is to be dropped when the lock is free.
    pub(crate) fn wait(&mut self, number: u64, waker: Waker) -> Option<Waker> {
        self.wakers.insert(number, waker)
    }

    /// Whether it waits still: there was no change. Then it is `waker` that will be woken, and the one that it had
    /// before is in its place.
    pub(crate) fn still(&mut self, number: u64, waker: &mut Waker) -> bool {
        self.wakers.get_mut(&number).map(|held| mem::swap(held, waker)).is_some()
    }

    /// It waits no longer.
    pub(crate) fn leave(&mut self, number: u64) -> Option<Waker> {
        self.wakers.remove(&number)
    }

    pub(crate) fn wake_all(&mut self, wake: &mut Vec<Waker>) {
        // All of them, and not one: whoever is woken may be about to give up.
        wake.extend(mem::take(&mut self.wakers).into_values());
    }
}
