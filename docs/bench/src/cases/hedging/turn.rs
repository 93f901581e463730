//! Answers that come at once, later, or not at all, and what one would write by hand around them.

use std::{
    fmt,
    future::{Future, Ready, poll_fn, ready},
    hint::black_box,
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

/// What a call answers.
pub(super) type Answer = Result<u64, fmt::Error>;

/// The answer of a service that is well.
pub(super) fn well() -> Ready<Answer> {
    ready(black_box(Ok(1)))
}

/// An answer that comes when it has been asked for so often, and wakes until then.
pub(super) struct Turn {
    turns: Option<u32>,
}

impl Turn {
    pub(super) const AT_ONCE: Self = Self { turns: Some(0) };
    pub(super) const SECOND: Self = Self { turns: Some(1) };
    pub(super) const NEVER: Self = Self { turns: None };
}

impl Future for Turn {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match self.turns {
            None => Poll::Pending,
            Some(0) => Poll::Ready(black_box(Ok(1))),
            Some(turns) => {
                self.turns = Some(turns - 1);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

/// A service of which every second call is answered. The peers want one that can be sent and lives for ever, so the count of its
/// calls does; it is one thread's, and counting costs what a load and a store cost.
#[derive(Clone, Copy)]
pub(super) struct Lame(&'static AtomicU64);

impl Lame {
    pub(super) fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    pub(super) fn answer(self) -> Turn {
        let calls = self.0.load(Ordering::Relaxed);
        self.0.store(calls + 1, Ordering::Relaxed);
        if calls % 2 == 0 { Turn::NEVER } else { Turn::AT_ONCE }
    }
}

/// A call beside which a timer runs once it has not answered at once: the least that a hedge can be.
pub(super) async fn beside_a_timer<T: Future>(call: impl Future<Output = Answer>, timer: impl FnOnce() -> T) -> Answer {
    let (mut call, mut running, mut timer) = (pin!(call), pin!(None), Some(timer));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = call.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        if let Some(timer) = timer.take() {
            running.set(Some(timer()));
        }
        let expired = running.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(cx).is_ready());
        assert!(!expired, "no call takes so long");
        Poll::Pending
    })
    .await
}

/// A second call when the timer has run out, and whichever answers first.
pub(super) async fn two<C: Future<Output = Answer>>(
    mut call: impl FnMut() -> C,
    timer: impl Future<Output = ()>,
) -> Answer {
    let (mut first, mut second, mut timer) = (pin!(call()), pin!(None), pin!(timer));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = first.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        if second.is_none() {
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            second.set(Some(call()));
        }
        second.as_mut().as_pin_mut().map_or(Poll::Pending, |second| second.poll(cx))
    })
    .await
}
