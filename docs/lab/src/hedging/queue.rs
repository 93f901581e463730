//! Virtual time as a queue of timers: the smallest executor that requests and their hedges need.
//!
//! All that a future here waits for is [`Sleep`]s, so no waker is needed: a timer that is due names the request to poll.
//! Timers of futures that were dropped meanwhile stay in the queue: a request that still is under way is polled once more and
//! finds nothing new.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::BinaryHeap,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::time::{self, Time, nanos};
use crate::clock::Clock;

/// The queue, and the time that it is; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Queue(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    /// For the libraries.
    clock: Clock,
    /// The same in nanoseconds since the start, without the detour.
    now: Cell<u64>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
    /// How many timers there were: those of one instant come in the order in which they were armed.
    armed: Cell<u64>,
    /// The request that is polled.
    polled: Cell<Task>,
}

/// When it is due, its number, and whom it concerns.
type Timer = (u64, u64, Task);

/// Which slot, and which request was in it.
type Task = (usize, u64);

impl Queue {
    pub(super) fn new() -> Self {
        let (clock, timers) = (Clock::new(), RefCell::default());
        Self(Rc::new(Inner { clock, now: Cell::new(0), timers, armed: Cell::new(0), polled: Cell::new((0, 0)) }))
    }

    /// Lets a request begin at each of the `arrivals`, which ascend, and goes on until all have ended.
    pub(super) fn run<F: Future<Output = ()>>(
        &self,
        arrivals: impl Iterator<Item = Duration>,
        mut begin: impl FnMut(u64) -> F,
    ) {
        let mut slots: Vec<Slot<F>> = Vec::new();
        let mut free = Vec::new();
        let mut arrivals = (0..).zip(arrivals.map(nanos)).peekable();
        loop {
            let due = self.0.timers.borrow().peek().map(|Reverse((at, ..))| *at);
            // At the same instant, what is under way comes first.
            let next = arrivals.next_if(|(_, at)| due.is_none_or(|due| *at < due));
            let (place, request) = if let Some((request, at)) = next {
                self.set(at);
                let place = free.pop().unwrap_or_else(|| {
                    slots.push(Slot { request, future: Box::pin(None) });
                    slots.len() - 1
                });
                slots[place].request = request;
                slots[place].future.set(Some(begin(request)));
                (place, request)
            } else {
                let Some(Reverse((at, _, task))) = self.0.timers.borrow_mut().pop() else { return };
                self.set(at);
                task
            };
            let slot = &mut slots[place];
            if slot.request != request {
                continue;
            }
            let Some(future) = slot.future.as_mut().as_pin_mut() else { continue };
            self.0.polled.set((place, request));
            if future.poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                slot.future.set(None);
                free.push(place);
            }
        }
    }

    fn set(&self, now: u64) {
        self.0.now.set(now);
        self.0.clock.set(Duration::from_nanos(now));
    }
}

/// A request, or where one was.
struct Slot<F> {
    request: u64,
    future: Pin<Box<Option<F>>>,
}

impl Time for Queue {
    type Sleep = Sleep;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.now.get())
    }

    fn clock(&self) -> time::Clock {
        Box::new(self.0.clock.reader())
    }

    fn sleep(&self, delay: Duration) -> Sleep {
        let at = self.0.now.get().saturating_add(nanos(delay));
        Sleep { queue: self.clone(), at, is_armed: false }
    }
}

/// Until a time.
#[derive(Debug)]
pub(super) struct Sleep {
    queue: Queue,
    /// Nanoseconds since the start.
    at: u64,
    is_armed: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let queue = &self.queue.0;
        if queue.now.get() >= self.at {
            return Poll::Ready(());
        }
        if !self.is_armed {
            let number = queue.armed.get();
            queue.armed.set(number + 1);
            queue.timers.borrow_mut().push(Reverse((self.at, number, queue.polled.get())));
            self.is_armed = true;
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_end_in_the_order_of_their_times() {
        let (queue, ended) = (Queue::new(), RefCell::new(Vec::new()));
        let ms = Duration::from_millis;
        queue.run([ms(0), ms(10), ms(20)].into_iter(), |request| {
            let (queue, ended) = (&queue, &ended);
            async move {
                queue.sleep(ms(if request == 0 { 15 } else { 4 })).await;
                queue.sleep(ms(1)).await;
                ended.borrow_mut().push((request, queue.now()));
            }
        });
        assert_eq!(*ended.borrow(), [(1, ms(15)), (0, ms(16)), (2, ms(25))]);
    }

    #[test]
    fn a_timer_whose_future_was_dropped_concerns_nobody() {
        let (queue, polls) = (Queue::new(), Cell::new(0));
        // The second is in the first one's slot when a timer of the first is due.
        queue.run([Duration::ZERO, Duration::from_micros(4_500)].into_iter(), |_| {
            let (queue, polls) = (&queue, &polls);
            async move {
                let mut late = queue.sleep(Duration::from_millis(5));
                let mut soon = queue.sleep(Duration::from_millis(1));
                std::future::poll_fn(|cx| {
                    polls.set(polls.get() + 1);
                    let _ = Pin::new(&mut late).poll(cx);
                    Pin::new(&mut soon).poll(cx)
                })
                .await;
            }
        });
        assert_eq!(polls.get(), 4, "each once when it begins and once when it is due");
        assert_eq!(queue.now(), Duration::from_micros(9_500), "all timers are worked off");
    }
}
