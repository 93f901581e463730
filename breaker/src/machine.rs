//! The states and what leads from one to another: pure transitions, the time an argument, nothing shared.
//!
//! What a closed breaker counts is not here, but in `window`: that is the path of every call, and this is the path of few.

use crate::{Cause, Outcome, State, guard::Guard, open_times::Series, trial::Trial};

/// A breaker but for its counts. All times are in nanoseconds since it was built.
pub(crate) struct Machine {
    phase: Phase,
    /// Transitions so far.
    period: u64,
    since: u64,
    settings: Settings,
    series: Series,
    /// How long it was open the last time.
    open_for: u64,
    /// Whether it closed after that and has not been reset: then the series may go on.
    recovered: bool,
    /// Until when the service last asked to be left alone, in this period.
    hint: u64,
    /// Until when it had asked for that when the breaker opened: no check before.
    not_before: u64,
    /// How often a closed breaker has opened.
    outages: u64,
    guard: Guard,
}

#[derive(Debug)]
pub(crate) enum Phase {
    Closed {
        /// When all calls are admitted, if some are not yet.
        ramp_end: Option<u64>,
    },
    Open {
        until: u64,
    },
    HalfOpen(Trial),
    ForcedOpen,
    ForcedClosed,
}

/// How it is open, and how it recovers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Probes at the same time.
    pub(crate) permits: u32,
    /// Probes that must succeed.
    pub(crate) successes: u32,
    /// Of so many.
    pub(crate) calls: u32,
    /// None: the open time.
    pub(crate) probe_timeout: Option<u64>,
    /// From closing until all calls are admitted; 0 is none.
    pub(crate) ramp: u64,
    pub(crate) max_hint: u64,
}

/// Who asks for a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    User,
    /// The prober of that number, whose check may take so long.
    Prober {
        number: u64,
        timeout: u64,
    },
}

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) cause: Cause,
    pub(crate) at: u64,
    pub(crate) period: u64,
    pub(crate) until: Option<u64>,
}

/// Whoever asks may not, until then; none is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) ready_at: Option<u64>,
}

impl Machine {
    pub(crate) fn new(settings: Settings, series: Series) -> Self {
        Self {
            phase: Phase::Closed { ramp_end: None },
            period: 0,
            since: 0,
            settings,
            series,
            open_for: 0,
            recovered: false,
            hint: 0,
            not_before: 0,
            outages: 0,
            guard: Guard::default(),
        }
    }

    pub(crate) const fn state(&self) -> State {
        match self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen(_) => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
            Phase::ForcedClosed => State::ForcedClosed,
        }
    }

    pub(crate) const fn phase(&self) -> &Phase {
        &self.phase
    }

    pub(crate) const fn period(&self) -> u64 {
        self.period
    }

    pub(crate) const fn since(&self) -> u64 {
        self.since
    }

    /// Until when the service asked to be left alone, when it is open.
    pub(crate) const fn not_before(&self) -> u64 {
        self.not_before
    }

    /// How often a closed breaker has opened: the number of the outage, when it is open or half-open.
    pub(crate) const fn outages(&self) -> u64 {
        self.outages
    }

    /// What time alone has done by `now`: probes that are out for too long have failed, at the moment when they were, and a
    /// ramp has ended.
    pub(crate) fn settle(&mut self, now: u64) -> Option<Step> {
        match &mut self.phase {
            Phase::HalfOpen(trial) => {
                let failed_at = trial.time_out(now)?;
                Some(self.open(Cause::ProbeTimeout, failed_at))
            }
            Phase::Closed { ramp_end } => {
                *ramp_end = ramp_end.filter(|end| now < *end);
                None
            }
            Phase::Open { .. } | Phase::ForcedOpen | Phase::ForcedClosed => None,
        }
    }

    /// The first moment at which time alone lets a user's call through, as things are; none is never.
    pub(crate) fn ready_at(&self) -> Option<u64> {
        match &self.phase {
            Phase::Closed { .. } | Phase::ForcedClosed => Some(0),
            Phase::Open { until } => Some((*until).max(self.guard.until())),
            Phase::HalfOpen(trial) if trial.times_out_next() => {
                let until = trial.ready_at().saturating_add(self.series.ahead()).max(self.hint);
                Some(until.max(self.guard.until_if_opened(until)))
            }
            Phase::HalfOpen(trial) => Some(trial.ready_at().max(self.guard.until())),
            Phase::ForcedOpen => None,
        }
    }

    /// Until when a user's call finds things as they are, when it is open or half-open: rejected, if `ready_at` is no sooner.
    pub(crate) fn settled_until(&self) -> u64 {
        let ready_at = self.ready_at().unwrap_or(u64::MAX);
        if let Phase::HalfOpen(trial) = &self.phase {
            trial.deadline().map_or(ready_at, |at| at.min(ready_at))
        } else {
            ready_at
        }
    }

    /// Lets a call through as a probe, when it is open or half-open and settled: its number, and the step to half-open.
    pub(crate) fn probe(&mut self, asker: Asker, now: u64) -> Result<(u32, Option<Step>), Refused> {
        let ready_at = match (asker, &self.phase) {
            (Asker::Prober { .. }, Phase::Open { .. }) => Some(self.not_before),
            (Asker::Prober { .. }, Phase::HalfOpen(trial)) => Some(trial.ready_at()),
            _ => self.ready_at(),
        };
        if ready_at.is_none_or(|ready_at| now < ready_at) {
            return Err(Refused { ready_at });
        }
        let step = matches!(self.phase, Phase::Open { .. }).then(|| {
            let cause = if asker == Asker::User { Cause::OpenTimeOver } else { Cause::Prober };
            // Whoever is rejected meanwhile wants to know for how long, should the probes be silent.
            self.series.look_ahead();
            self.go(Phase::HalfOpen(Trial::new(self.settings)), cause, now)
        });
        let deadline = match asker {
            Asker::User => now.saturating_add(self.probe_timeout()),
            Asker::Prober { number, timeout } => {
                let deadline = now.saturating_add(timeout);
                self.guard.promise(number, deadline);
                deadline
            }
        };
        match &mut self.phase {
            Phase::HalfOpen(trial) => Ok((trial.begin(deadline), step)),
            // Whoever asks here looked before; what else could it be told.
            Phase::Closed { .. } | Phase::Open { .. } | Phase::ForcedOpen | Phase::ForcedClosed => {
                Err(Refused { ready_at })
            }
        }
    }

    /// The call of a probe does not begin yet.
    #[cfg(feature = "tower")]
    pub(crate) fn reserve(&mut self, id: u32) {
        if let Phase::HalfOpen(trial) = &mut self.phase {
            trial.reserve(id);
        }
    }

    /// The call of a probe begins at `now`, when all is settled; false if it has its slot no more.
    #[cfg(feature = "tower")]
    pub(crate) fn start(&mut self, id: u32, now: u64) -> bool {
        let deadline = now.saturating_add(self.probe_timeout());
        if let Phase::HalfOpen(trial) = &mut self.phase { trial.start(id, deadline) } else { false }
    }

    /// A probe has ended, when all is settled: false if it timed out before, and so counts for nothing any more.
    pub(crate) fn probe_ended(
        &mut self,
        id: u32,
        outcome: Outcome,
        hint: Option<u64>,
        now: u64,
    ) -> (bool, Option<Step>) {
        let Phase::HalfOpen(trial) = &mut self.phase else { return (false, None) };
        if !trial.end(id, outcome) {
            return (false, None);
        }
        let (closes, opens) = (trial.has_succeeded(), trial.has_failed());
        if let (Outcome::Failure, Some(hint)) = (outcome, hint) {
            self.hint(hint, now);
        }
        let step = if closes {
            Some(self.close(Cause::ProbesSucceeded, now))
        } else {
            opens.then(|| self.open(Cause::ProbesFailed, now))
        };
        (true, step)
    }

    /// The service asked to be left alone from `now` on for so long.
    pub(crate) fn hint(&mut self, delay: u64, now: u64) {
        self.hint = now.saturating_add(delay.min(self.settings.max_hint));
    }

    /// Opens, for the schedule's next time.
    pub(crate) fn open(&mut self, cause: Cause, at: u64) -> Step {
        // A close that lasted as long as the open time before it was one; else this is the same outage still.
        let flaps = self.recovered && at.saturating_sub(self.since) < self.open_for;
        if let Phase::Closed { .. } = self.phase {
            self.outages += 1;
            if !flaps {
                self.series.restart();
            }
        }
        let until = at.saturating_add(self.series.next()).max(self.hint);
        self.open_for = until.saturating_sub(at);
        self.not_before = self.hint;
        self.guard.opened(until);
        self.go(Phase::Open { until }, cause, at)
    }

    fn close(&mut self, cause: Cause, at: u64) -> Step {
        self.recovered = true;
        let ramp = self.settings.ramp;
        let ramp_end = (ramp > 0).then(|| at.saturating_add(ramp));
        self.go(Phase::Closed { ramp_end }, cause, at)
    }

    pub(crate) fn force_open(&mut self, at: u64) -> Step {
        self.recovered = false;
        self.go(Phase::ForcedOpen, Cause::Forced, at)
    }

    pub(crate) fn force_closed(&mut self, at: u64) -> Step {
        self.recovered = false;
        self.go(Phase::ForcedClosed, Cause::Forced, at)
    }

    pub(crate) fn reset(&mut self, at: u64) -> Step {
        self.recovered = false;
        self.go(Phase::Closed { ramp_end: None }, Cause::Reset, at)
    }

    /// A prober has come, which is never later than `grace`.
    pub(crate) fn guard(&mut self, number: u64, grace: u64, now: u64) {
        let due = if let Phase::Open { until } = self.phase { until.max(now) } else { now };
        self.guard.enter(number, grace, due);
    }

    /// A prober has shown itself, and will again at `due`; nothing, if it has not seen the period yet that it is.
    pub(crate) fn guarded(&mut self, number: u64, period: u64, due: u64) {
        if period == self.period {
            self.guard.promise(number, due);
        }
    }

    /// A check of a prober has ended, and said something or not.
    pub(crate) fn heard(&mut self, number: u64, says_nothing: bool) {
        self.guard.heard(number, says_nothing);
    }

    /// A prober has gone.
    pub(crate) fn unguard(&mut self, number: u64) {
        self.guard.leave(number);
    }

    fn probe_timeout(&self) -> u64 {
        // A probe that has no time at all could never succeed.
        let open_for = if self.open_for == 0 { SECOND } else { self.open_for };
        self.settings.probe_timeout.unwrap_or(open_for)
    }

    fn go(&mut self, to: Phase, cause: Cause, at: u64) -> Step {
        let from = self.state();
        self.phase = to;
        (self.period, self.since, self.hint) = (self.period + 1, at, 0);
        let until = if let Phase::Open { until } = self.phase { Some(until) } else { None };
        Step { from, to: self.state(), cause, at, period: self.period, until }
    }
}

const SECOND: u64 = 1_000_000_000;
