//! What a breaker would answer, without asking it: no slot is taken.

use std::time::Instant;

#[cfg(feature = "tower")]
use super::lease::Lease;
use super::{shared::Shared, word::Kind};
use crate::{BreakerObserver, Rejected, State};

impl<C: Fn() -> Instant, O: BreakerObserver> Shared<C, O> {
    /// Whether it is of use to ask now, and if not, when it will be. While it is ramping it may reject all the same.
    pub(crate) fn look(&self, given: Option<Instant>) -> Result<(), Rejected> {
        // What is closed stays so whatever the time is, so the clock is not asked.
        if self.config.dry_run || matches!(self.hot.load().state(), Some(State::Closed | State::ForcedClosed)) {
            return Ok(());
        }
        let (rejected, is_ready) = self.rejection(given);
        if is_ready { Ok(()) } else { Err(rejected) }
    }

    /// Rejects a call for which nobody asked, whatever the breaker says.
    #[cfg(feature = "tower")]
    pub(crate) fn turn_away(&self) -> Rejected {
        let (rejected, _) = self.rejection(None);
        self.observer.on_reject(&rejected);
        rejected
    }

    /// The call of that permit does not begin yet.
    #[cfg(feature = "tower")]
    pub(super) fn reserve(&self, lease: &Lease) {
        if let Some(id) = lease.role.as_probe() {
            self.locked(|core| {
                if lease.period == core.machine.period() {
                    core.machine.reserve(id);
                    self.show(core);
                }
            });
        }
    }

    /// The call of that permit begins now.
    #[cfg(feature = "tower")]
    pub(super) fn restart(&self, lease: &Lease, now: u64) {
        if let Some(id) = lease.role.as_probe() {
            self.locked(|core| {
                self.settle(core, now);
                if lease.period == core.machine.period() {
                    core.machine.start(id, now);
                    self.show(core);
                }
            });
        }
    }

    /// To be back at once, if it would not reject now; and whether that is so.
    fn rejection(&self, given: Option<Instant>) -> (Rejected, bool) {
        let word = self.hot.load();
        if let Kind::ForcedOpen = word.kind() {
            return (self.forced_open(), false);
        }
        let at = given.unwrap_or_else(&self.clock);
        if let Some(rejected) = self.rejected_at(word, at) {
            return (rejected, false);
        }
        let now = self.nanos(at);
        let (state, ready_at) = self.locked(|core| {
            self.settle(core, now);
            (core.machine.state(), core.machine.ready_at().unwrap_or(u64::MAX))
        });
        (self.rejected(state, at, now, ready_at), ready_at <= now)
    }
}
