//! What a prober asks of the breaker that it tests for.

use std::{task::Waker, time::Instant};

use super::shared::Shared;
use crate::{
    BreakerObserver, Outcome, Verdict,
    machine::{Asker, Phase},
    open_times::nanos,
    unwinding::or_undo,
};

/// What a prober goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) period: u64,
    pub(crate) since: u64,
    /// The number of the outage, when it is open or half-open.
    pub(crate) outage: u64,
    pub(crate) place: Place,
}

/// The state, as far as it concerns a prober.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Closed,
    Open {
        until: u64,
        /// Until when the service asked to be left alone.
        not_before: u64,
    },
    HalfOpen {
        /// When there is a slot.
        ready_at: u64,
    },
    Forced,
}

/// A check that is a probe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    period: u64,
    id: u32,
    /// Of the prober.
    number: u64,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Shared<C, O> {
    /// A prober comes: its number. From now on users' calls hold back for it.
    pub(crate) fn guard(&self, grace: u64) -> u64 {
        let now = self.now();
        self.locked(|core| {
            let number = core.waiters().number();
            core.machine.guard(number, grace, now);
            self.show(core);
            number
        })
    }

    /// It will show itself at `due`, for what it saw in that period.
    pub(crate) fn guarded(&self, number: u64, period: u64, due: u64) {
        self.locked(|core| {
            core.machine.guarded(number, period, due);
            self.show(core);
        });
    }

    /// It is gone.
    pub(crate) fn unguard(&self, number: u64) {
        let waker = self.locked(|core| {
            core.machine.unguard(number);
            self.show(core);
            core.freed();
            core.waiters().leave(number)
        });
        drop(waker);
    }

    /// What it sees now, and when that is; the next transition and the next slot that comes free wake it.
    pub(crate) fn watch(&self, number: u64, waker: Waker) -> (View, u64) {
        let now = self.now();
        let (view, unused) = self.locked(|core| {
            self.settle(core, now);
            // After what has settled: of that it need not be told.
            let unused = core.waiters().wait(number, waker);
            let machine = &core.machine;
            let place = match machine.phase() {
                Phase::Closed { .. } => Place::Closed,
                Phase::Open { until } => Place::Open { until: *until, not_before: machine.not_before() },
                Phase::HalfOpen(trial) => Place::HalfOpen { ready_at: trial.ready_at() },
                Phase::ForcedOpen | Phase::ForcedClosed => Place::Forced,
            };
            let view = View { period: machine.period(), since: machine.since(), outage: machine.outages(), place };
            (view, unused)
        });
        drop(unused);
        (view, now)
    }

    /// It looks for itself again, and need not be woken.
    pub(crate) fn unwatch(&self, number: u64) {
        let waker = self.locked(|core| core.waiters().leave(number));
        drop(waker);
    }

    /// Its check takes a slot for at most `timeout`, if there is one.
    pub(crate) fn begin_check(&self, number: u64, timeout: u64) -> Option<Probe> {
        let now = self.now();
        let (probe, wake) = self.quietly(|core| {
            self.settle(core, now);
            let (id, step) = core.machine.probe(Asker::Prober { number, timeout }, now).ok()?;
            if let Some(step) = step {
                self.stepped(core, step);
            }
            self.show(core);
            Some(Probe { period: core.machine.period(), id, number })
        });
        let give_back = |probe| self.end_check(probe, Verdict::ignored());
        or_undo(|| self.tell(wake), || probe.into_iter().for_each(give_back));
        probe
    }

    /// A check that took a slot has ended. Users' calls are told to the observer; this one is the prober's to tell.
    pub(crate) fn end_check(&self, probe: Probe, verdict: Verdict) {
        let now = or_undo(|| self.now(), || self.free(probe.period, probe.id));
        self.locked(|core| {
            self.settle(core, now);
            core.machine.heard(probe.number, verdict.outcome() == Outcome::Ignored);
            if probe.period == core.machine.period() {
                let hint = verdict.hint().map(nanos);
                let (_, step) = core.machine.probe_ended(probe.id, verdict.outcome(), hint, now);
                if let Some(step) = step {
                    self.stepped(core, step);
                }
                self.show(core);
            }
            core.freed();
        });
    }

    /// From how long on a call is slow, in nanoseconds.
    pub(crate) fn slow(&self) -> Option<u64> {
        self.config.rules.slow.map(|slow| slow.threshold)
    }
}
