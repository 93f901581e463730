//! The transitions as a stream.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use futures_core::Stream;

use crate::{Breaker, BreakerObserver, Transition, machine::Step};

/// The transitions of a breaker from the moment on at which it was made: [`Breaker::transitions`].
///
/// It holds the last [`CAPACITY`](Self::CAPACITY) that were not read; of older ones it counts how many it
/// [missed](Self::missed). So one that is not read costs a few kilobytes, however long. It does not end: it keeps the breaker
/// alive, as a handle does.
///
/// # Cancel safety
///
/// A transition is taken out when it is returned; to drop a future of the next one loses none.
pub struct Transitions<C: Fn() -> Instant = fn() -> Instant, O: BreakerObserver = ()> {
    breaker: Breaker<C, O>,
    number: u64,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Transitions<C, O> {
    /// So many transitions are kept for a reader that is late.
    pub const CAPACITY: usize = 64;

    pub(crate) fn new(breaker: Breaker<C, O>) -> Self {
        let number = breaker.shared().locked(|core| core.subscribers().subscribe());
        Self { breaker, number }
    }

    /// The next transition, if there is one that was not read: for those without an executor.
    pub fn try_next(&mut self) -> Option<Transition> {
        let number = self.number;
        let step = self.breaker.shared().locked(|core| core.subscribers().get(number).queue.pop_front());
        step.map(|step| self.breaker.shared().transition(&step))
    }

    /// How many transitions were dropped, since it was made, for this reader came too late.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.breaker.shared().locked(|core| core.subscribers().get(self.number).missed)
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Stream for Transitions<C, O> {
    type Item = Transition;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Transition>> {
        // A waker is code of others, as is dropping one: neither while the lock is held.
        let (shared, number, waker) = (self.breaker.shared(), self.number, cx.waker().clone());
        let (step, unused) = shared.locked(|core| {
            let subscriber = core.subscribers().get(number);
            match subscriber.queue.pop_front() {
                Some(step) => (Some(step), Some(waker)),
                None => (None, subscriber.waker.replace(waker)),
            }
        });
        drop(unused);
        step.map_or(Poll::Pending, |step| Poll::Ready(Some(shared.transition(&step))))
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Transitions<C, O> {
    fn drop(&mut self) {
        let gone = self.breaker.shared().locked(|core| core.subscribers().unsubscribe(self.number));
        drop(gone);
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> fmt::Debug for Transitions<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transitions").field("missed", &self.missed()).finish_non_exhaustive()
    }
}

/// Those who read the transitions.
#[derive(Default)]
pub(crate) struct Subscribers {
    subscribers: Vec<Subscriber>,
    next: u64,
}

pub(crate) struct Subscriber {
    number: u64,
    queue: VecDeque<Step>,
    waker: Option<Waker>,
    missed: u64,
}

const CAPACITY: usize = <Transitions>::CAPACITY;

impl Subscribers {
    fn subscribe(&mut self) -> u64 {
        self.next += 1;
        self.subscribers.push(Subscriber { number: self.next, queue: VecDeque::new(), waker: None, missed: 0 });
        self.next
    }

    fn get(&mut self, number: u64) -> &mut Subscriber {
        let found = self.subscribers.iter_mut().find(|subscriber| subscriber.number == number);
        found.expect("a stream unsubscribes when it is dropped")
    }

    fn unsubscribe(&mut self, number: u64) -> Option<Subscriber> {
        let place = self.subscribers.iter().position(|subscriber| subscriber.number == number)?;
        Some(self.subscribers.swap_remove(place))
    }

    pub(crate) fn tell(&mut self, step: Step, wake: &mut Vec<Waker>) {
        for subscriber in &mut self.subscribers {
            if subscriber.queue.len() == CAPACITY {
                subscriber.queue.pop_front();
                subscriber.missed += 1;
            }
            subscriber.queue.push_back(step);
            wake.extend(subscriber.waker.take());
        }
    }
}
