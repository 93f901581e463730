//! A breaker as naive as can be: one caller, lists, and no thought of speed.

use evenkeel_breaker::State;

/// All times in milliseconds.
pub(crate) type Ms = u64;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) consecutive: Option<u32>,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow: Option<(Ms, f64)>,
    pub(crate) window: Window,
    pub(crate) minimum: u32,
    pub(crate) open_for: Vec<Ms>,
    pub(crate) max_hint: Ms,
    pub(crate) permits: u32,
    pub(crate) successes: u32,
    pub(crate) calls: u32,
    pub(crate) probe_timeout: Option<Ms>,
    pub(crate) ramp: Ms,
    pub(crate) abandoned: Abandoned,
    pub(crate) dry_run: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Window {
    Count(u32),
    /// In ticks of so many milliseconds, ten of them.
    Time(Ms),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Abandoned {
    Ignored,
    Failure,
    FailureAfter(Ms),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    Call,
    Probe,
    WouldBeRejected,
    Rejected { state: State, ready_at: Option<Ms> },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    period: u64,
    probe: Option<usize>,
    bystander: bool,
    started: Ms,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    Success,
    Failure(Option<Ms>),
    Ignored,
    Dropped,
    Panicked,
    Released,
}

#[derive(Debug)]
pub(crate) struct Naive {
    settings: Settings,
    pub(crate) state: State,
    pub(crate) period: u64,
    pub(crate) since: Ms,
    /// From here on a call may pass, when it is open.
    pub(crate) until: Ms,
    /// Of this period.
    results: Vec<(Ms, bool, bool)>,
    ramp_end: Option<Ms>,
    /// In units of 2⁻³².
    credit: u64,
    hint: Ms,
    /// Of this half-open period, by number: the deadline of those that are out.
    probes: Vec<Option<Ms>>,
    pub(crate) succeeded: u32,
    pub(crate) failed: u32,
    /// Open times so far in this outage.
    opened: usize,
    open_for: Ms,
    recovered: bool,
    pub(crate) steps: Vec<(State, State, Ms, u64, Option<Ms>)>,
}

impl Naive {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Closed,
            period: 0,
            since: 0,
            until: 0,
            results: Vec::new(),
            ramp_end: None,
            credit: 0,
            hint: 0,
            probes: Vec::new(),
            succeeded: 0,
            failed: 0,
            opened: 0,
            open_for: 0,
            recovered: false,
            steps: Vec::new(),
        }
    }

    pub(crate) fn acquire(&mut self, now: Ms) -> (Asked, Option<Ticket>) {
        self.settle(now);
        let rejected = match self.state {
            State::Closed => self.ramp_rejects(now),
            State::ForcedClosed => None,
            State::ForcedOpen => Some(None),
            State::Open | State::HalfOpen => {
                let ready_at = self.ready_at().unwrap();
                (now < ready_at).then_some(Some(ready_at))
            }
        };
        let mut ticket = Ticket { period: self.period, probe: None, bystander: false, started: now };
        if let Some(ready_at) = rejected {
            ticket.bystander = true;
            let state = self.state;
            return if self.settings.dry_run {
                (Asked::WouldBeRejected, Some(ticket))
            } else {
                (Asked::Rejected { state, ready_at }, None)
            };
        }
        if let State::Closed | State::ForcedClosed = self.state {
            return (Asked::Call, Some(ticket));
        }
        if self.state == State::Open {
            (self.succeeded, self.failed) = (0, 0);
            self.probes.clear();
            self.go(State::HalfOpen, now);
        }
        let timeout = self.settings.probe_timeout.unwrap_or(if self.open_for == 0 { 1_000 } else { self.open_for });
        self.probes.push(Some(now + timeout));
        ticket.probe = Some(self.probes.len() - 1);
        ticket.period = self.period;
        (Asked::Probe, Some(ticket))
    }

    /// Whether the result was late, of a call that is no bystander.
    pub(crate) fn end(&mut self, ticket: Ticket, said: Said, now: Ms) {
        self.settle(now);
        let took = now - ticket.started;
        let slow = self.settings.slow.is_some_and(|(threshold, _)| took >= threshold);
        let mut hint = None;
        let failed = match said {
            Said::Success => false,
            Said::Failure(asked) => {
                hint = asked;
                true
            }
            Said::Panicked => true,
            Said::Ignored | Said::Released => return self.free(ticket),
            Said::Dropped => match self.settings.abandoned {
                Abandoned::Failure => true,
                Abandoned::FailureAfter(least) if took >= least => true,
                Abandoned::Ignored | Abandoned::FailureAfter(_) => return self.free(ticket),
            },
        };
        if ticket.bystander || ticket.period != self.period {
            return;
        }
        if let Some(probe) = ticket.probe {
            if self.probes[probe].take().is_none() {
                return;
            }
            if failed || slow {
                self.failed += 1;
                if let Some(hint) = hint {
                    self.hint = now + hint.min(self.settings.max_hint);
                }
            } else {
                self.succeeded += 1;
            }
            self.decide(now);
        } else if self.state == State::Closed {
            if let Some(hint) = hint {
                self.hint = now + hint.min(self.settings.max_hint);
            }
            self.results.push((now, failed, slow));
            if self.is_to_open(now) {
                self.open(now);
            }
        }
    }

    pub(crate) fn force(&mut self, to: State, now: Ms) {
        self.settle(now);
        self.recovered = false;
        self.ramp_end = None;
        self.go(to, now);
    }

    pub(crate) fn settle(&mut self, now: Ms) {
        if self.ramp_end.is_some_and(|end| now >= end) {
            self.ramp_end = None;
        }
        while self.state == State::HalfOpen {
            let due = self.probes.iter().flatten().copied().min().filter(|deadline| *deadline <= now);
            let Some(deadline) = due else { return };
            let first = self.probes.iter().position(|probe| *probe == Some(deadline)).unwrap();
            self.probes[first] = None;
            self.failed += 1;
            if self.failed > self.settings.calls - self.settings.successes {
                self.open(deadline);
            }
        }
    }

    /// As of the last settling.
    pub(crate) fn ready_at(&self) -> Option<Ms> {
        let out = self.probes.iter().flatten();
        match self.state {
            State::Closed | State::ForcedClosed => Some(0),
            State::Open => Some(self.until),
            State::HalfOpen if out.clone().count() < self.settings.permits as usize => Some(0),
            State::HalfOpen => {
                let deadline = out.clone().copied().min().unwrap();
                let failed = self.failed + out.filter(|at| **at == deadline).count() as u32;
                // Should that be too many, it opens again, for the next time of the schedule.
                let opens = failed > self.settings.calls - self.settings.successes;
                let times = &self.settings.open_for;
                let next = times[self.opened.min(times.len() - 1)];
                Some(if opens { (deadline + next).max(self.hint) } else { deadline })
            }
            State::ForcedOpen => None,
        }
    }

    pub(crate) fn out(&self) -> u32 {
        if self.state == State::HalfOpen { self.probes.iter().flatten().count() as u32 } else { 0 }
    }

    /// The run, and all, failures and slow ones in the window.
    pub(crate) fn counts(&self, now: Ms) -> (u32, u32, u32, u32) {
        if self.state != State::Closed {
            return (0, 0, 0, 0);
        }
        let run = self.results.iter().rev().take_while(|result| result.1).count() as u32;
        let has_rates = self.settings.failure_rate.is_some() || self.settings.slow.is_some();
        let window: Vec<_> = match self.settings.window {
            _ if !has_rates => Vec::new(),
            Window::Count(most) => self.results.iter().rev().take(most as usize).collect(),
            Window::Time(tick) => self.results.iter().filter(|result| now / tick - result.0 / tick < 10).collect(),
        };
        let count = |of: fn(&(Ms, bool, bool)) -> bool| window.iter().filter(|result| of(result)).count() as u32;
        let run = if self.settings.consecutive.is_some() { run.min(1_000) } else { 0 };
        (run, window.len() as u32, count(|result| result.1), count(|result| result.2))
    }

    pub(crate) fn admitted_share(&self, now: Ms) -> f64 {
        match self.state {
            State::Closed => self.ramp_share(now) as f64 / (1_u64 << 32) as f64,
            State::ForcedClosed => 1.0,
            State::HalfOpen if self.ready_at().unwrap() <= now => 1.0,
            State::HalfOpen | State::Open | State::ForcedOpen => 0.0,
        }
    }

    fn ramp_share(&self, now: Ms) -> u64 {
        let Some(end) = self.ramp_end else { return 1 << 32 };
        let (one, nano) = (1_u128 << 32, 1_000_000);
        let left = u128::from((end - now) * nano);
        (one - (one - one / 10) * left / u128::from(self.settings.ramp * nano)) as u64
    }

    fn ramp_rejects(&mut self, now: Ms) -> Option<Option<Ms>> {
        let end = self.ramp_end?;
        self.credit += self.ramp_share(now);
        if self.credit >= 1 << 32 {
            self.credit -= 1 << 32;
            return None;
        }
        Some(Some(end.min(now + self.settings.ramp / 20)))
    }

    fn free(&mut self, ticket: Ticket) {
        if let (Some(probe), true) = (ticket.probe, ticket.period == self.period) {
            self.probes[probe] = None;
        }
    }

    fn decide(&mut self, now: Ms) {
        if self.succeeded >= self.settings.successes {
            self.recovered = true;
            self.ramp_end = (self.settings.ramp > 0).then_some(now + self.settings.ramp);
            self.credit = 1 << 32;
            self.go(State::Closed, now);
        } else if self.failed > self.settings.calls - self.settings.successes {
            self.open(now);
        }
    }

    fn is_to_open(&self, now: Ms) -> bool {
        let (run, total, failures, slow) = self.counts(now);
        let enough = total >= self.settings.minimum;
        let share = |part: u32| f64::from(part) / f64::from(total);
        self.settings.consecutive.is_some_and(|most| run >= most)
            || enough && self.settings.failure_rate.is_some_and(|rate| share(failures) >= rate)
            || enough && self.settings.slow.is_some_and(|(_, rate)| share(slow) >= rate)
    }

    fn open(&mut self, at: Ms) {
        let is_same_outage = self.recovered && at - self.since < self.open_for;
        if self.state == State::Closed && !is_same_outage {
            self.opened = 0;
        }
        let times = &self.settings.open_for;
        let next = times[self.opened.min(times.len() - 1)];
        self.opened += 1;
        self.until = (at + next).max(self.hint);
        self.open_for = self.until - at;
        self.go(State::Open, at);
    }

    fn go(&mut self, to: State, at: Ms) {
        let until = (to == State::Open).then_some(self.until);
        self.period += 1;
        self.steps.push((self.state, to, at, self.period, until));
        (self.state, self.since, self.hint) = (to, at, 0);
        self.results.clear();
    }
}
