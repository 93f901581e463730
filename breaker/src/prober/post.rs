//! What a prober holds of its breaker: its place there, and a slot while a check is out.

use std::{task::Waker, thread, time::Instant};

use crate::{
    Breaker, BreakerObserver, CheckEnd, Verdict,
    breaker::{Place, Probe, View},
    open_times::nanos,
    unwinding::in_a_drop,
};

/// A prober's place at its breaker, from the first poll on. Dropped, users' calls hold back for it no longer.
pub(super) struct Post<C: Fn() -> Instant, O: BreakerObserver> {
    pub(super) grace: u64,
    breaker: Breaker<C, O>,
    number: Option<u64>,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Post<C, O> {
    pub(super) fn new(breaker: Breaker<C, O>) -> Self {
        Self { grace: nanos(Breaker::DEFAULT_CHECK_GRACE), breaker, number: None }
    }

    /// Its number, if it has taken its place by now.
    pub(super) const fn number(&self) -> Option<u64> {
        self.number
    }

    /// Takes its place: its number.
    pub(super) fn take(&mut self) -> u64 {
        let number = self.breaker.shared().guard(self.grace);
        self.number = Some(number);
        number
    }

    pub(super) fn slow(&self) -> Option<u64> {
        self.breaker.shared().slow()
    }

    pub(super) fn now(&self) -> u64 {
        self.breaker.shared().now()
    }

    pub(super) fn watch(&self, number: u64, waker: Waker) -> (View, u64) {
        self.breaker.shared().watch(number, waker)
    }

    pub(super) fn promise(&self, number: u64, view: &View, due: u64) {
        self.breaker.shared().guarded(number, view.period, due);
    }

    /// Begins a check: a slot for it, if it is a probe. None if there is no slot any more.
    pub(super) fn begin(&self, number: u64, view: &View, timeout: u64, now: u64) -> Option<Option<Slot<C, O>>> {
        let shared = self.breaker.shared();
        shared.unwatch(number);
        match view.place {
            Place::Closed => {
                // Should the breaker open meanwhile, it comes when the check has ended.
                shared.guarded(number, view.period, now.saturating_add(timeout));
                Some(None)
            }
            Place::Open { .. } | Place::HalfOpen { .. } => {
                let probe = shared.begin_check(number, timeout)?;
                Some(Some(Slot { breaker: self.breaker.clone(), probe: Some(probe) }))
            }
            Place::Forced => None,
        }
    }

    pub(super) fn tell(&self, check: &CheckEnd) {
        self.breaker.observer().on_check(check);
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Post<C, O> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            in_a_drop(|| self.breaker.shared().unguard(number));
        }
    }
}

/// The slot of a check that is a probe. Dropped without a word it is free, and by a panic the probe has failed.
pub(super) struct Slot<C: Fn() -> Instant, O: BreakerObserver> {
    breaker: Breaker<C, O>,
    probe: Option<Probe>,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Slot<C, O> {
    /// What the check came to.
    pub(super) fn end(mut self, verdict: Verdict) {
        if let Some(probe) = self.probe.take() {
            self.breaker.shared().end_check(probe, verdict);
        }
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Slot<C, O> {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            let verdict = if thread::panicking() { Verdict::failure() } else { Verdict::ignored() };
            in_a_drop(|| self.breaker.shared().end_check(probe, verdict));
        }
    }
}
