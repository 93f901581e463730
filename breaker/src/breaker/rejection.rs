//! How a call is rejected, and what its caller is told.

use std::time::Instant;

use super::{
    lease::Lease,
    shared::Shared,
    word::{Kind, Word},
};
use crate::{BreakerObserver, Rejected, State};

impl<C: Fn() -> Instant, O: BreakerObserver> Shared<C, O> {
    /// A rejection at a glance: what the word shows rejects every call at that time. Else the lock tells.
    #[inline]
    pub(super) fn rejected_at(&self, word: Word, at: Instant) -> Option<Rejected> {
        if word.kind() == Kind::ForcedOpen {
            return Some(self.forced_open());
        }
        let (state, now) = (rejecting(word)?, self.nanos(at));
        let ready_at = self.hot.rejected_until(word, now)?;
        Some(self.rejected(state, at, now, ready_at))
    }

    /// Rejects at a glance, or says when it was asked, which then the rest is asked with.
    #[inline]
    pub(super) fn refuse(&self, word: Word, given: Option<Instant>) -> Result<Instant, Rejected> {
        if word.kind() == Kind::ForcedOpen && !self.config.dry_run {
            return Err(self.forced_open());
        }
        let at = || given.unwrap_or_else(&self.clock);
        let Some(state) = rejecting(word) else { return Ok(at()) };
        let at = at();
        let now = self.nanos(at);
        match self.hot.rejected_until(word, now) {
            Some(ready_at) if !self.config.dry_run => Err(self.rejected(state, at, now, ready_at)),
            Some(_) | None => Ok(at),
        }
    }

    /// No time ends it, and so no clock is read for it.
    pub(super) fn forced_open(&self) -> Rejected {
        Rejected::new(State::ForcedOpen, self.epoch, u64::MAX)
    }

    /// A rejection; in a dry run it is told, and the call admitted all the same.
    pub(super) fn reject(&self, rejected: Rejected, lease: Lease) -> Result<Lease, Rejected> {
        if self.config.dry_run {
            self.observer.on_reject(&rejected);
            return Ok(lease);
        }
        Err(rejected)
    }

    /// In that state at that time, until when it is to come back.
    #[inline]
    pub(super) fn rejected(&self, state: State, at: Instant, now: u64, ready_at: u64) -> Rejected {
        if state == State::ForcedOpen {
            return self.forced_open();
        }
        // A clock that has gone back to before it was built is taken to be there still.
        let at = if now == 0 { self.epoch } else { at };
        Rejected::new(state, at, ready_at.saturating_sub(now))
    }
}

/// The state of the word, if it is one that rejects every call until a time.
#[inline]
fn rejecting(word: Word) -> Option<State> {
    match word.kind() {
        Kind::Open => Some(State::Open),
        Kind::HalfOpen => Some(State::HalfOpen),
        Kind::Closed | Kind::Ramping | Kind::ForcedClosed | Kind::ForcedOpen | Kind::Leaving => None,
    }
}
