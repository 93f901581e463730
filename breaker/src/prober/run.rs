//! The prober as a future: look, wait, check, and so on.

use std::{
    convert::Infallible,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{Prober, Slot, Stage};
use crate::{
    BreakerObserver, CheckEnd, Classify, Outcome, Verdict,
    breaker::{Place, View},
};

/// A sleeper that does not sleep would keep its thread for ever; after so many steps others have their turn.
const STEPS: u32 = 64;

impl<S, P, F, X, K, I, C, O, T, E> Future for Prober<S, P, F, X, K, I, C, O>
where
    S: Fn(Duration) -> P,
    P: Future,
    F: FnMut() -> X,
    X: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    I: IntoIterator<Item = Duration>,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    type Output = Infallible;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Infallible> {
        for _ in 0..STEPS {
            // Out of its place while others' code runs: if that panics, the slot is dropped by the panic, and the next poll looks.
            let step = match mem::replace(self.as_mut().project().stage, Stage::Waiting(None)) {
                Stage::Waiting(seen) => self.as_mut().wait(seen, cx),
                Stage::Checking { slot, started } => self.as_mut().check(slot, started, cx),
            };
            match step {
                (stage, Poll::Ready(())) => *self.as_mut().project().stage = stage,
                (stage, Poll::Pending) => {
                    *self.as_mut().project().stage = stage;
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The next stage, and whether to go on there at once.
type Step<C, O> = (Stage<C, O>, Poll<()>);

impl<S, P, F, X, K, I, C, O, T, E> Prober<S, P, F, X, K, I, C, O>
where
    S: Fn(Duration) -> P,
    P: Future,
    F: FnMut() -> X,
    X: Future<Output = Result<T, E>>,
    K: Classify<Result<T, E>>,
    I: IntoIterator<Item = Duration>,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    fn wait(self: Pin<&mut Self>, seen: Option<View>, cx: &mut Context<'_>) -> Step<C, O> {
        let mut this = self.project();
        let number = this.post.number().unwrap_or_else(|| {
            this.pace.start(this.post.now(), this.post.slow());
            this.post.take()
        });
        let (view, now) = this.post.watch(number, cx.waker().clone());
        let mut over = false;
        this.row.look(&view);
        if seen != Some(view) {
            this.check.set(None);
            this.pause.set(None);
            if let Some(due) = this.pace.due(&view) {
                let due = due.max(now);
                // In all other states users' calls are not held back.
                if let Place::Open { .. } | Place::HalfOpen { .. } = view.place {
                    this.post.promise(number, &view, due);
                }
                over = due == now;
                let pause = (!over).then(|| (this.sleep)(Duration::from_nanos(due - now)));
                this.pause.set(pause);
            }
        }
        if let Some(pause) = this.pause.as_mut().as_pin_mut() {
            over = pause.poll(cx).is_ready();
        }
        if !over {
            return (Stage::Waiting(Some(view)), Poll::Pending);
        }
        let timeout = this.pace.timeout;
        let Some(slot) = this.post.begin(number, &view, timeout, now) else {
            return (Stage::Waiting(None), Poll::Ready(()));
        };
        this.pause.set(None);
        this.check.set(Some((this.begin)()));
        this.pause.set(Some((this.sleep)(Duration::from_nanos(timeout))));
        (Stage::Checking { slot, started: now }, Poll::Ready(()))
    }

    fn check(self: Pin<&mut Self>, slot: Option<Slot<C, O>>, started: u64, cx: &mut Context<'_>) -> Step<C, O> {
        let mut this = self.project();
        let (check, pause) = (this.check.as_mut().as_pin_mut(), this.pause.as_mut().as_pin_mut());
        let result = match check.map(|check| check.poll(cx)) {
            Some(Poll::Ready(result)) => Some(result),
            Some(Poll::Pending) if pause.is_some_and(|pause| pause.poll(cx).is_pending()) => {
                return (Stage::Checking { slot, started }, Poll::Pending);
            }
            Some(Poll::Pending) | None => None,
        };
        this.check.set(None);
        this.pause.set(None);
        let judged = result.as_ref().map(|result| this.classify.classify(result));
        drop(result);
        let now = this.post.now();
        let took = now.saturating_sub(started);
        let verdict = match judged {
            Some(verdict) if took < this.pace.timeout || verdict.outcome() == Outcome::Failure => verdict,
            Some(_) | None => Verdict::failure(),
        };
        let success = verdict.outcome() == Outcome::Success;
        this.pace.checked(verdict.outcome(), now);
        let told = verdict.outcome() != Outcome::Ignored;
        let probe = slot.is_some();
        if let Some(slot) = slot {
            slot.end(verdict);
        }
        if told {
            // Somebody may have closed it while the check was out.
            if let Some(number) = this.post.number() {
                this.row.look(&this.post.watch(number, cx.waker().clone()).0);
            }
            this.row.add(success);
            let duration = Duration::from_nanos(took);
            this.post.tell(&CheckEnd { success, consecutive_failures: this.row.failures, probe, duration });
        }
        (Stage::Waiting(None), Poll::Ready(()))
    }
}
