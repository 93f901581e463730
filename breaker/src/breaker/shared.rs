//! What the handles of one breaker share: the path of a call, and the lock where it turns off.

use std::time::{Duration, Instant};

use super::{
    abandoned::Abandoned,
    core::Core,
    hot::{Hot, Recorded},
    lease::{Lease, Role},
    ramp,
    word::{Kind, Word},
};
use crate::{
    BreakerObserver, CallEnd, Cause, Outcome, Rejected, State, Transition, Verdict,
    machine::{Asker, Phase, Step},
    open_times::nanos,
    rules::Rules,
    sync::{Lock, Ordering},
    unwinding::or_undo,
    window::Entry,
};

/// In this order: handles that are cloned and dropped write the counts before it, and are not to take what every call reads
/// with them, which is at the other end.
#[repr(C)]
pub(crate) struct Shared<C, O> {
    pub(super) core: Lock<Core>,
    pub(super) observer: O,
    pub(super) clock: C,
    pub(super) epoch: Instant,
    pub(super) config: Config,
    pub(super) hot: Hot,
}

/// What does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    pub(super) rules: Rules,
    pub(super) abandoned: Abandoned,
    pub(super) ramp: u64,
    pub(super) dry_run: bool,
    /// Whether the clock is read when a call begins, and when it ends.
    pub(super) times_calls: bool,
}

/// What was asked under the lock.
enum Locked {
    Admitted(Lease),
    Refused { state: State, ready_at: u64, period: u64 },
    Ramping,
}

/// How a call ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Said(Verdict),
    Dropped { panicking: bool },
    Released,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Shared<C, O> {
    /// Admits a call of a breaker that is simply closed, and does not time calls. Else it is the word's to say what is next.
    #[inline(always)]
    pub(super) fn admit(&self) -> Result<Lease, Word> {
        let word = self.hot.load();
        let admits = word.is_steadily_closed() && !self.config.times_calls;
        if admits { Ok(Lease::new(self.hot.period(word), Role::CALL, None)) } else { Err(word) }
    }

    /// Admits a call for one who will wait, or says when to come back: the observer does not hear of a rejection.
    pub(crate) fn ask(&self, given: Option<Instant>) -> Result<Lease, Rejected> {
        match self.admit() {
            Ok(lease) => Ok(lease),
            Err(word) => self.ask_otherwise(word, given),
        }
    }

    /// When it is not admitted at a glance.
    #[inline(never)]
    pub(super) fn ask_otherwise(&self, word: Word, given: Option<Instant>) -> Result<Lease, Rejected> {
        let at = self.refuse(word, given)?;
        if word.is_steadily_closed() { Ok(self.admit_at(word, self.nanos(at))) } else { self.ask_at(word, at) }
    }

    /// Admits a call of a breaker that is simply closed, and times it.
    #[inline]
    pub(super) fn admit_at(&self, word: Word, now: u64) -> Lease {
        Lease::new(self.hot.period(word), Role::CALL, Some(now))
    }

    /// When it is neither admitted nor rejected at a glance, and not simply closed.
    #[inline(never)]
    pub(super) fn ask_at(&self, mut word: Word, at: Instant) -> Result<Lease, Rejected> {
        let now = self.nanos(at);
        let started = self.config.times_calls.then_some(now);
        let reject = |rejected, period| self.reject(rejected, Lease::new(period, Role::BYSTANDER, started));
        // But in a dry run, whoever comes here has looked.
        let mut looks = self.config.dry_run;
        loop {
            if let Some(rejected) = looks.then(|| self.rejected_at(word, at)).flatten() {
                return reject(rejected, self.hot.period(word));
            }
            looks = true;
            if let Kind::Ramping = word.kind() {
                let (end, period) = (self.hot.wake.load(Ordering::Acquire), self.hot.period(word));
                let share = ramp::share(self.config.ramp, end, now);
                // What was read belongs to the ramp, if that is going on.
                if now < end && self.hot.load() == word {
                    match self.hot.credit(period, share) {
                        Some(true) => return Ok(Lease::new(period, Role::CALL, started)),
                        Some(false) => {
                            let soon = end.min(now.saturating_add(self.config.ramp / 20));
                            return reject(self.rejected(State::Closed, at, now, soon), period);
                        }
                        None => {}
                    }
                }
            }
            match self.ask_locked(now, started) {
                Locked::Admitted(lease) => return Ok(lease),
                Locked::Refused { state, ready_at, period } => {
                    return reject(self.rejected(state, at, now, ready_at), period);
                }
                Locked::Ramping => word = self.hot.load(),
            }
        }
    }

    /// Under the lock, when all is settled.
    fn ask_locked(&self, now: u64, started: Option<u64>) -> Locked {
        let (asked, wake) = self.quietly(|core| {
            self.settle(core, now);
            let lease = |core: &Core, role| Locked::Admitted(Lease::new(core.machine.period(), role, started));
            match core.machine.phase() {
                Phase::Closed { ramp_end: Some(_) } => Locked::Ramping,
                Phase::Closed { ramp_end: None } | Phase::ForcedClosed => lease(core, Role::CALL),
                Phase::Open { .. } | Phase::HalfOpen(_) | Phase::ForcedOpen => {
                    let asked = core.machine.probe(Asker::User, now);
                    if let Ok((_, Some(step))) = asked {
                        self.stepped(core, step);
                    }
                    self.show(core);
                    match asked {
                        Ok((id, _)) => lease(core, Role::probe(id)),
                        Err(refused) => Locked::Refused {
                            state: core.machine.state(),
                            ready_at: refused.ready_at.unwrap_or(u64::MAX),
                            period: core.machine.period(),
                        },
                    }
                }
            }
        });
        // Whom it tells may panic, and then nobody has the lease.
        let give_back = || {
            if let Locked::Admitted(lease) = &asked {
                self.end(lease, End::Released, None);
            }
        };
        or_undo(|| self.tell(wake), give_back);
        asked
    }

    /// Whether a call that ends so changes nothing, at a glance: a success of a closed breaker that knows only such.
    #[inline(always)]
    pub(super) fn is_unchanged_by(&self, lease: &Lease, end: End) -> bool {
        lease.role == Role::CALL
            && matches!(end, End::Said(verdict) if verdict.outcome() == Outcome::Success)
            && !self.config.times_calls
            && self.hot.is_unchanged_by_success(lease.period)
    }

    /// Tells of a call that changed nothing.
    #[inline(always)]
    pub(super) fn tell_of_success(&self) {
        self.observer.on_call(&CallEnd {
            outcome: Outcome::Success,
            abandoned: false,
            slow: false,
            probe: false,
            late: false,
            duration: None,
        });
    }

    /// A call has ended.
    #[inline(never)]
    pub(crate) fn end(&self, lease: &Lease, end: End, given: Option<Instant>) {
        let End::Said(verdict) = end else { return self.end_otherwise(lease, end, given) };
        if lease.role != Role::CALL {
            return self.end_otherwise(lease, end, given);
        }
        let now = if self.config.times_calls { Some(self.at(given)) } else { given.map(|given| self.nanos(given)) };
        let (took, slow) = self.took(lease, now);
        let (late, held) = self.end_call(lease, verdict, slow, now);
        if let Some(cause) = held {
            self.observer.on_held_closed(cause);
        }
        let (outcome, duration) = (verdict.outcome(), took.map(Duration::from_nanos));
        self.observer.on_call(&CallEnd { outcome, abandoned: false, slow, probe: false, late, duration });
    }

    /// How long it took, where that matters, and whether that is slow.
    #[inline]
    fn took(&self, lease: &Lease, now: Option<u64>) -> (Option<u64>, bool) {
        let took = lease.started().zip(now).map(|(started, now)| now.saturating_sub(started));
        (took, self.config.rules.slow.zip(took).is_some_and(|(slow, took)| took >= slow.threshold))
    }

    /// A call has ended that was a probe, or of which nobody says how it ended.
    #[inline(never)]
    fn end_otherwise(&self, lease: &Lease, end: End, given: Option<Instant>) {
        let probe = lease.role.as_probe();
        let reads = self.config.times_calls || probe.is_some();
        let now = || if reads { Some(self.at(given)) } else { given.map(|given| self.nanos(given)) };
        // A clock that panics: then the slot is free all the same.
        let now = or_undo(now, || probe.into_iter().for_each(|id| self.free(lease.period, id)));
        let (took, slow) = self.took(lease, now);
        let verdict = match end {
            End::Said(verdict) => verdict,
            End::Dropped { panicking: true } => Verdict::failure(),
            End::Dropped { panicking: false } => self.config.abandoned.verdict(took),
            End::Released => Verdict::ignored(),
        };
        let (late, held) = match (lease.role, probe.zip(now)) {
            (_, Some((id, now))) => (!self.end_probe(lease, id, verdict, slow, now), None),
            (Role::CALL, None) => self.end_call(lease, verdict, slow, now),
            (_, None) => (true, None),
        };
        if let Some(cause) = held {
            self.observer.on_held_closed(cause);
        }
        if let End::Released = end {
            return;
        }
        self.observer.on_call(&CallEnd {
            outcome: verdict.outcome(),
            abandoned: matches!(end, End::Dropped { .. }),
            slow,
            probe: probe.is_some(),
            late,
            duration: took.map(Duration::from_nanos),
        });
    }

    /// Counts the result of a call, unless it is late; and why the breaker is held closed, if it is.
    fn end_call(&self, lease: &Lease, verdict: Verdict, slow: bool, now: Option<u64>) -> (bool, Option<Cause>) {
        let now = || now.unwrap_or_else(|| self.now());
        let entry = Entry { failed: verdict.outcome() == Outcome::Failure, slow };
        let recorded = match (verdict.outcome(), verdict.hint()) {
            (Outcome::Ignored, _) => return (!self.is_current(lease), None),
            // A hint is kept under the lock.
            (Outcome::Failure, Some(_)) => Recorded::Due { in_run: false },
            (Outcome::Success | Outcome::Failure, _) => self.hot.record(&self.config.rules, lease.period, entry, now),
        };
        match recorded {
            Recorded::Counted => (false, None),
            Recorded::Late => (true, None),
            Recorded::Due { in_run } => self.count_locked(lease, Some((entry, in_run)), verdict.hint(), now()),
            Recorded::CountedAndDue => self.count_locked(lease, None, None, now()),
        }
    }

    /// Ends a probe: false if it had timed out, or its period was over.
    fn end_probe(&self, lease: &Lease, id: u32, verdict: Verdict, slow: bool, now: u64) -> bool {
        // A service that is slow is not well.
        let outcome = match verdict.outcome() {
            Outcome::Success if slow => Outcome::Failure,
            outcome @ (Outcome::Success | Outcome::Failure | Outcome::Ignored) => outcome,
        };
        self.locked(|core| {
            self.settle(core, now);
            if lease.period != core.machine.period() {
                return false;
            }
            let (counted, step) = core.machine.probe_ended(id, outcome, verdict.hint().map(nanos), now);
            if let Some(step) = step {
                self.stepped(core, step);
            }
            self.show(core);
            core.freed();
            counted
        })
    }

    /// Frees the slot of a probe of which nothing is known, not even when it ended.
    pub(super) fn free(&self, period: u64, id: u32) {
        self.locked(|core| {
            if period == core.machine.period() {
                let _ = core.machine.probe_ended(id, Outcome::Ignored, None, core.machine.since());
                self.show(core);
                core.freed();
            }
        });
    }

    /// Whether the result of that call would count.
    pub(crate) fn is_current(&self, lease: &Lease) -> bool {
        if let Some(id) = lease.role.as_probe() {
            let is_out = |core: &Core| matches!(core.machine.phase(), Phase::HalfOpen(trial) if trial.is_out(id));
            return self.locked(|core| lease.period == core.machine.period() && is_out(core));
        }
        lease.role == Role::CALL && self.hot.period(self.hot.load()) == lease.period
    }

    pub(crate) fn transition(&self, step: &Step) -> Transition {
        Transition {
            from: step.from,
            to: step.to,
            cause: step.cause,
            at: self.instant(step.at).unwrap_or(self.epoch),
            period: step.period,
            until: step.until.and_then(|until| self.instant(until)),
        }
    }

    pub(crate) fn observer(&self) -> &O {
        &self.observer
    }

    pub(crate) fn now(&self) -> u64 {
        self.nanos((self.clock)())
    }

    pub(super) fn at(&self, given: Option<Instant>) -> u64 {
        self.nanos(given.unwrap_or_else(&self.clock))
    }

    pub(super) fn nanos(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.epoch))
    }

    pub(super) fn instant(&self, at: u64) -> Option<Instant> {
        self.epoch.checked_add(Duration::from_nanos(at))
    }
}

impl<C, O> Shared<C, O> {
    /// The state as of the last call that changed it.
    pub(super) fn shown(&self) -> State {
        self.hot.load().state().unwrap_or_else(|| self.core.lock().machine.state())
    }

    /// It is in no map any more: whatever it does from here on, the map's counts do not change.
    pub(super) fn detach(&self) {
        let member = self.core.lock().member.take();
        drop(member);
    }
}
