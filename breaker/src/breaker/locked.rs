//! Under the lock: transitions, what is counted on their account, and what the word shows of them.

use std::time::{Duration, Instant};

use super::{
    core::Core,
    hot::{Window, run_after},
    lease::Lease,
    ramp,
    shared::Shared,
    snapshot::Snapshot,
    word::{Kind, Word},
};
use crate::{
    BreakerObserver, Cause, State,
    machine::{Phase, Step},
    member::{Asked, Member},
    open_times::nanos,
    quota::Place,
    rules::Tally,
    sync::Ordering,
    window::{Entry, Head, Turn},
};

impl<C: Fn() -> Instant, O: BreakerObserver> Shared<C, O> {
    /// Counts a result under the lock, or judges those that are counted, and opens if it is time to: whether it was late, and
    /// why the breaker is held closed if it is.
    pub(super) fn count_locked(
        &self,
        lease: &Lease,
        entry: Option<(Entry, bool)>,
        hint: Option<Duration>,
        now: u64,
    ) -> (bool, Option<Cause>) {
        self.locked(|core| {
            self.settle(core, now);
            if lease.period != core.machine.period() {
                return (entry.is_some(), None);
            }
            if core.machine.state() != State::Closed {
                return (false, None);
            }
            if let Some(hint) = hint {
                core.machine.hint(nanos(hint), now);
            }
            let held = match (&self.hot.window, entry) {
                (Window::Time(_), _) => self.gather(core, entry, now, true),
                (Window::None | Window::Count(_), Some((entry, _))) => self.count(core, entry, now),
                (Window::None | Window::Count(_), None) => None,
            };
            (false, held)
        })
    }

    /// Counts a result, where there is no time window.
    fn count(&self, core: &mut Core, entry: Entry, now: u64) -> Option<Cause> {
        loop {
            let word = self.hot.load();
            let Some((next, cause)) = self.hot.counted(&self.config.rules, word, entry) else { continue };
            let Some(cause) = cause else {
                if next == word || self.hot.exchange(word, next) {
                    return None;
                }
                continue;
            };
            // From here on no call changes the word.
            if self.hot.exchange(word, word.with_kind(Kind::Leaving)) {
                return self.open(core, cause, next, now);
            }
        }
    }

    /// Gathers the stripes, counts a result besides, if there is one that is perhaps in the run already, and judges what there
    /// is, if it is to.
    fn gather(&self, core: &mut Core, entry: Option<(Entry, bool)>, now: u64, judge: bool) -> Option<Cause> {
        let (Window::Time(stripes), Some(history)) = (&self.hot.window, &mut core.history) else { return None };
        let rules = &self.config.rules;
        let (_, word) = self.hot.update(|word| {
            let turn = Turn { gathering: true, ..Turn::from_bits(word.payload()).next() };
            let run = match entry {
                Some((entry, false)) => run_after(rules, word, entry),
                Some((_, true)) | None => word.run(),
            };
            word.with_run(run).with_payload(turn.bits())
        });
        // From here on no call changes the word, and what is counted in the stripes is of the turn before.
        let turn = Turn::from_bits(word.payload());
        history.add(stripes.gather(turn));
        history.advance(now);
        if let Some((entry, _)) = entry {
            history.add(entry.tally());
        }
        let tally = history.sum();
        stripes.publish(history.tick_end(), tally);
        let done = Turn { gathering: false, tainted: !tally.is_clean(), ..turn };
        let next = word.with_payload(done.bits());
        if let Some(cause) = rules.cause(word.run(), tally).filter(|_| judge) {
            return self.open(core, cause, next, now);
        }
        self.hot.store(next);
        None
    }

    /// Opens, when no call can change the word. Where the map has no place it becomes `next`; then it is why it should open.
    fn open(&self, core: &mut Core, cause: Cause, next: Word, now: u64) -> Option<Cause> {
        // Should the schedule panic, the breaker is closed still.
        let restore = Restore(|| self.hot.store(next));
        let granted = match core.member.as_ref().map(Member::ask) {
            Some(Asked::Refused) => return Some(cause),
            Some(Asked::Granted(place)) => place,
            None => None,
        };
        let step = core.machine.open(cause, now);
        std::mem::forget(restore);
        core.payload = next.payload();
        self.stepped_with(core, step, granted);
        None
    }

    pub(crate) fn force_open(&self, given: Option<Instant>) {
        self.step(given, |core, now| core.machine.force_open(now));
    }

    pub(crate) fn force_closed(&self, given: Option<Instant>) {
        self.step(given, |core, now| core.machine.force_closed(now));
    }

    pub(crate) fn reset(&self, given: Option<Instant>) {
        self.step(given, |core, now| core.machine.reset(now));
    }

    fn step(&self, given: Option<Instant>, step: impl FnOnce(&mut Core, u64) -> Step) {
        let now = self.at(given);
        self.locked(|core| {
            self.settle(core, now);
            if let State::Closed | State::ForcedClosed = core.machine.state() {
                // From here on no call changes the word.
                let (word, _) = self.hot.update(|word| word.with_kind(Kind::Leaving));
                core.payload = word.payload();
            }
            let step = step(core, now);
            self.stepped(core, step);
        });
    }

    /// Does what time alone has done by `now`.
    pub(super) fn settle(&self, core: &mut Core, now: u64) {
        let is_ramping = matches!(core.machine.phase(), Phase::Closed { ramp_end: Some(_) });
        let is_half_open = matches!(core.machine.phase(), Phase::HalfOpen(_));
        if let Some(step) = core.machine.settle(now) {
            self.stepped(core, step);
        } else if is_half_open {
            self.show(core);
        }
        if is_ramping && matches!(core.machine.phase(), Phase::Closed { ramp_end: None }) {
            self.hot.update(|word| word.with_kind(Kind::Closed));
        }
    }

    /// What every step brings with it: the word shows it, and those who wait to hear of it will.
    pub(super) fn stepped(&self, core: &mut Core, step: Step) {
        self.stepped_with(core, step, None);
    }

    /// The same, with the place among those that reject that its map has granted for it.
    fn stepped_with(&self, core: &mut Core, step: Step, granted: Option<Place>) {
        self.leave();
        if let Some(member) = &mut core.member {
            member.follow(step.to, granted);
        }
        let period = step.period;
        match core.machine.phase() {
            Phase::Closed { ramp_end } => {
                if let Some(end) = *ramp_end {
                    self.hot.wake.store(end, Ordering::Release);
                    self.hot.credits.store(ramp::credit(period, ramp::ONE), Ordering::Release);
                }
                let kind = if ramp_end.is_some() { Kind::Ramping } else { Kind::Closed };
                let payload = self.empty(core, step.at);
                self.hot.begin(Word::closed(kind, period, payload), period);
            }
            Phase::ForcedClosed => self.hot.begin(Word::closed(Kind::ForcedClosed, period, core.payload), period),
            Phase::Open { .. } | Phase::HalfOpen(_) | Phase::ForcedOpen => self.show(core),
        }
        core.stepped(step);
    }

    /// The word is one of which only the lock tells, when no call can change it. What belongs to a state is written between this
    /// and the state's own word: so who reads it, and finds the word unchanged, has read what belongs to it.
    fn leave(&self) {
        self.hot.store(self.hot.load().with_kind(Kind::Leaving));
    }

    /// Shows a state that is not closed, and until when it rejects.
    pub(super) fn show(&self, core: &mut Core) {
        let kind = match core.machine.phase() {
            Phase::Open { .. } => Kind::Open,
            Phase::HalfOpen(_) => Kind::HalfOpen,
            Phase::ForcedOpen => Kind::ForcedOpen,
            Phase::Closed { .. } | Phase::ForcedClosed => return,
        };
        core.changes += 1;
        self.leave();
        self.hot.wake.store(core.machine.settled_until(), Ordering::Release);
        self.hot.ready_at.store(core.machine.ready_at().unwrap_or(u64::MAX), Ordering::Release);
        let period = core.machine.period();
        self.hot.begin(Word::other(kind, period, core.changes), period);
    }

    /// Empties the window for a period that begins, when no call can change the word: its bits of the word.
    fn empty(&self, core: &mut Core, now: u64) -> u64 {
        match (&self.hot.window, &mut core.history) {
            (Window::Count(ring), _) => {
                let head = Head::from_bits(core.payload).anew();
                ring.begin(head);
                head.bits()
            }
            (Window::Time(stripes), Some(history)) => {
                let turn = Turn { gathering: false, tainted: false, ..Turn::from_bits(core.payload).next() };
                stripes.gather(turn);
                history.clear();
                history.advance(now);
                stripes.publish(history.tick_end(), Tally::default());
                turn.bits()
            }
            (Window::None | Window::Time(_), _) => 0,
        }
    }

    pub(crate) fn state(&self, given: Option<Instant>) -> State {
        if let Some(state) = self.hot.load().state() {
            return state;
        }
        let now = self.at(given);
        self.locked(|core| {
            self.settle(core, now);
            core.machine.state()
        })
    }

    pub(crate) fn ready_at(&self) -> Option<Instant> {
        // No time ends that, so the clock is not asked.
        if let Kind::ForcedOpen = self.hot.load().kind() {
            return None;
        }
        let now = self.now();
        let ready_at = self.locked(|core| {
            self.settle(core, now);
            core.machine.ready_at()
        });
        self.instant(ready_at?.max(now))
    }

    pub(crate) fn snapshot(&self, given: Option<Instant>) -> Snapshot {
        let now = self.at(given);
        self.locked(|core| {
            self.settle(core, now);
            let (run, tally) = self.counts(core, now);
            let machine = &core.machine;
            let (out, successes, failures) = match machine.phase() {
                Phase::HalfOpen(trial) => trial.counts(),
                Phase::Closed { .. } | Phase::Open { .. } | Phase::ForcedOpen | Phase::ForcedClosed => (0, 0, 0),
            };
            let is_ready = machine.ready_at().is_some_and(|ready_at| ready_at <= now);
            let admitted_share = match machine.phase() {
                Phase::Closed { ramp_end: Some(end) } => ramp::of(ramp::share(self.config.ramp, *end, now)),
                Phase::Closed { ramp_end: None } | Phase::ForcedClosed => 1.0,
                Phase::HalfOpen(_) if is_ready => 1.0,
                Phase::HalfOpen(_) | Phase::Open { .. } | Phase::ForcedOpen => 0.0,
            };
            Snapshot {
                state: machine.state(),
                period: machine.period(),
                since: self.instant(machine.since()).unwrap_or(self.epoch),
                ready_at: machine.ready_at().and_then(|ready_at| self.instant(ready_at.max(now))),
                consecutive_failures: run,
                calls: tally.total,
                failures: tally.failures,
                slow: tally.slow,
                probes_out: out,
                probe_successes: successes,
                probe_failures: failures,
                admitted_share,
                dry_run: self.config.dry_run,
            }
        })
    }

    /// The run, and what the window holds.
    fn counts(&self, core: &mut Core, now: u64) -> (u32, Tally) {
        if core.machine.state() != State::Closed {
            return (0, Tally::default());
        }
        match &self.hot.window {
            Window::None => (self.hot.load().run(), Tally::default()),
            Window::Count(ring) => loop {
                let word = self.hot.load();
                let is_current = || self.hot.load() == word;
                if let Some(tally) = ring.tally(Head::from_bits(word.payload()), is_current).filter(|_| is_current()) {
                    return (word.run(), tally);
                }
            },
            Window::Time(_) => {
                self.gather(core, None, now, false);
                (self.hot.load().run(), core.history.as_ref().map(|history| history.sum()).unwrap_or_default())
            }
        }
    }
}

/// Runs when it is dropped.
struct Restore<F: Fn()>(F);

impl<F: Fn()> Drop for Restore<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
