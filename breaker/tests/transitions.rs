//! The transitions of a breaker as a stream.
#![cfg(not(loom))]

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use evenkeel_breaker::{Breaker, Cause, State, Transitions};
use futures_core::Stream;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// The state that the next one leads to.
fn poll(transitions: &mut Transitions, waker: &Waker) -> Poll<Option<State>> {
    let polled = Pin::new(transitions).poll_next(&mut Context::from_waker(waker));
    polled.map(|next| next.map(|transition| transition.to))
}

#[test]
fn each_is_read_once_and_in_order() {
    let breaker = Breaker::new();
    breaker.force_open();
    let mut transitions = breaker.transitions();
    assert_eq!(transitions.try_next(), None, "from now on");
    breaker.force_closed();
    breaker.reset();
    let first = transitions.try_next().unwrap();
    assert_eq!((first.from, first.to, first.cause), (State::ForcedOpen, State::ForcedClosed, Cause::Forced));
    assert_eq!(first.period, 2);
    let second = transitions.try_next().unwrap();
    assert_eq!((second.from, second.to, second.cause), (State::ForcedClosed, State::Closed, Cause::Reset));
    assert_eq!((transitions.try_next(), transitions.missed()), (None, 0));
}

#[test]
fn a_reader_that_waits_is_woken_once_for_a_transition() {
    let breaker = Breaker::new();
    let mut transitions = breaker.transitions();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for _ in 0..3 {
        assert_eq!(poll(&mut transitions, &waker), Poll::Pending);
    }
    for _ in 0..100 {
        breaker.try_acquire().unwrap().success();
    }
    assert_eq!(woken.times(), 0, "not for calls");
    breaker.force_open();
    assert_eq!(woken.times(), 1);
    breaker.reset();
    assert_eq!(woken.times(), 1, "it has not come yet");
    assert_eq!(poll(&mut transitions, &waker), Poll::Ready(Some(State::ForcedOpen)));
    assert_eq!(poll(&mut transitions, &waker), Poll::Ready(Some(State::Closed)));
    assert_eq!(poll(&mut transitions, &waker), Poll::Pending);
    breaker.force_open();
    assert_eq!(woken.times(), 2);
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let breaker = Breaker::new();
    let mut transitions = breaker.transitions();
    let [first, last] = [(); 2].map(|()| Arc::new(Woken::default()));
    assert!(poll(&mut transitions, &Waker::from(Arc::clone(&first))).is_pending());
    assert!(poll(&mut transitions, &Waker::from(Arc::clone(&last))).is_pending());
    assert_eq!(Arc::strong_count(&first), 1, "the other's waker is gone");
    breaker.force_open();
    assert_eq!((first.times(), last.times()), (0, 1));
}

// Hazard 39.
#[test]
fn a_stream_that_is_not_read_keeps_the_last_and_counts_what_it_missed() {
    let breaker = Breaker::new();
    let mut transitions = breaker.transitions();
    let capacity = <Transitions>::CAPACITY as u64;
    for _ in 0..capacity / 2 + 5 {
        breaker.force_open();
        breaker.reset();
    }
    assert_eq!(transitions.missed(), 10);
    let read: Vec<_> = std::iter::from_fn(|| transitions.try_next()).map(|transition| transition.period).collect();
    assert_eq!(read, (11..=capacity + 10).collect::<Vec<_>>(), "the last of them");
    assert_eq!(transitions.missed(), 10);
}

// Hazard 39.
#[test]
fn a_hundred_thousand_transitions_that_nobody_reads_leave_memory_as_it_was() {
    let breaker = Breaker::new();
    let unread = breaker.transitions();
    let toggle = |times: u32| {
        for _ in 0..times {
            breaker.force_open();
            breaker.reset();
        }
    };
    toggle(100);
    let allocated = allocation_counter::measure(|| toggle(50_000));
    assert_eq!((allocated.bytes_current, allocated.count_current), (0, 0));
    assert!(allocated.bytes_max < 4_096, "{} bytes at once", allocated.bytes_max);
    assert_eq!(unread.missed(), 100_200 - <Transitions>::CAPACITY as u64);
}

// Hazards 39 and 56.
#[test]
fn a_stream_that_is_dropped_is_forgotten() {
    let breaker = Breaker::new();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let make = |times: u32| {
        for _ in 0..times {
            let mut transitions = breaker.transitions();
            assert!(poll(&mut transitions, &waker).is_pending());
        }
    };
    make(10);
    let allocated = allocation_counter::measure(|| make(1_000));
    assert_eq!(allocated.bytes_current, 0);
    assert_eq!(Arc::strong_count(&woken), 2, "no waker is left");
    breaker.force_open();
    assert_eq!(woken.times(), 0);
}

// Hazard 56.
#[test]
fn a_future_of_the_next_one_that_is_dropped_loses_none() {
    let breaker = Breaker::new();
    let mut transitions = breaker.transitions();
    {
        let next = pin!(poll_fn(|cx| Pin::new(&mut transitions).poll_next(cx)));
        assert!(next.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        breaker.force_open();
    }
    assert_eq!(transitions.try_next().unwrap().to, State::ForcedOpen);
}

#[test]
fn each_of_several_readers_reads_all() {
    let breaker = Breaker::new();
    let (mut early, mut gone) = (breaker.transitions(), Some(breaker.transitions()));
    breaker.force_open();
    let mut late = breaker.transitions();
    assert_eq!(gone.take().unwrap().try_next().unwrap().to, State::ForcedOpen);
    breaker.reset();
    let read = |transitions: &mut Transitions| {
        std::iter::from_fn(|| transitions.try_next()).map(|transition| transition.to).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut early), [State::ForcedOpen, State::Closed]);
    assert_eq!(read(&mut late), [State::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_task_reads_them_as_they_happen() {
    let breaker = Breaker::builder().consecutive_failures(1).build().unwrap();
    let mut transitions = breaker.transitions();
    let reader = tokio::spawn(async move {
        let mut read = Vec::new();
        while read.len() < 2 {
            let next = poll_fn(|cx| Pin::new(&mut transitions).poll_next(cx)).await;
            read.push(next.expect("it does not end").to);
        }
        read
    });
    tokio::task::yield_now().await;
    breaker.try_acquire().unwrap().failure();
    tokio::task::yield_now().await;
    breaker.reset();
    assert_eq!(reader.await.unwrap(), [State::Open, State::Closed]);
}
