//! The right to make one call, and the duty to say how it ended.

use std::{fmt, thread, time::Instant};

use super::{
    Breaker,
    lease::{Lease, Role},
    shared::{End, Shared},
    word::Word,
};
use crate::{BreakerObserver, Rejected, Verdict, unwinding::in_a_drop};

/// One call that a [`Breaker`] admits. Keep it while the call is in flight, and say how it ended: [`success`](Self::success),
/// [`failure`](Self::failure) or [`record`](Self::record).
///
/// `H` is how it holds on to its breaker: by reference ([`Breaker::try_acquire`]), or by a handle of its own
/// ([`Breaker::try_acquire_owned`]).
///
/// It belongs to the period in which it was given: a result that comes after a transition counts for nothing, whatever state
/// the breaker is in by then.
///
/// # Cancel safety
///
/// Dropped without a word, the call is abandoned. A probe's slot is free at once. What else it means is
/// [`BreakerBuilder::abandoned`](crate::BreakerBuilder::abandoned)'s: nothing, unless configured. Dropped by a panic, it is a
/// failure.
#[must_use = "dropped at once, the call is abandoned"]
pub struct Permit<H: Handle> {
    handle: H,
    lease: Lease,
}

/// How a [`Permit`], a [`Call`](super::Call), or a layer holds on to its breaker: `&Breaker` or `Breaker`.
pub trait Handle: sealed::Sealed {
    /// The breaker's clock.
    type Clock: Fn() -> Instant;
    /// The breaker's observer.
    type Observer: BreakerObserver;

    /// The breaker.
    fn breaker(&self) -> &Breaker<Self::Clock, Self::Observer>;
}

mod sealed {
    #[allow(unnameable_types)] // That is what seals it.
    pub trait Sealed {}
    impl<C, O> Sealed for super::Breaker<C, O> {}
    impl<C, O> Sealed for &super::Breaker<C, O> {}
}

impl<C: Fn() -> Instant, O: BreakerObserver> Handle for Breaker<C, O> {
    type Clock = C;
    type Observer = O;

    #[inline(always)]
    fn breaker(&self) -> &Self {
        self
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Handle for &Breaker<C, O> {
    type Clock = C;
    type Observer = O;

    #[inline(always)]
    fn breaker(&self) -> &Breaker<C, O> {
        self
    }
}

impl<H: Handle> Permit<H> {
    #[inline(always)]
    pub(crate) const fn new(handle: H, lease: Lease) -> Self {
        Self { handle, lease }
    }

    /// A permit with a handle like that one, if the breaker admits a call at a glance.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn at_a_glance(handle: &H) -> Option<Self>
    where
        H: Clone,
    {
        let lease = handle.breaker().shared().admit().ok()?;
        Some(Self::new(handle.clone(), lease))
    }

    /// Asks the breaker of that handle for a permit, which then holds it.
    pub(crate) fn with(handle: H, given: Option<Instant>) -> Result<Self, Rejected> {
        let mut permit = Self::unasked(handle);
        permit.ask_in_place(given)?;
        Ok(permit)
    }

    /// One for which the breaker is asked only later, with [`ask_in_place`](Self::ask_in_place).
    #[inline(always)]
    pub(super) const fn unasked(handle: H) -> Self {
        Self::new(handle, Lease::new(0, Role::NONE, None))
    }

    /// Whether nobody has asked for it, or it has ended.
    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        self.lease.role == Role::NONE
    }

    /// Asks, if nobody has.
    #[inline(always)]
    pub(super) fn ask_in_place(&mut self, given: Option<Instant>) -> Result<(), Rejected> {
        if !self.is_none() {
            return Ok(());
        }
        self.lease = match self.shared().admit() {
            Ok(lease) => lease,
            Err(word) => {
                let shared = self.shared();
                shared.ask_otherwise(word, given).inspect_err(|rejected| shared.observer().on_reject(rejected))?
            }
        };
        Ok(())
    }

    /// The same, for a permit that holds one like it.
    #[inline]
    pub(crate) fn like(handle: &H, given: Option<Instant>) -> Result<Self, Rejected>
    where
        H: Clone,
    {
        match handle.breaker().shared().admit() {
            Ok(lease) => Ok(Self::new(handle.clone(), lease)),
            Err(word) => Self::refuse(handle, word, given),
        }
    }

    /// What a closed breaker admits that times its calls.
    #[inline(never)]
    fn timed(handle: &H, word: Word, given: Option<Instant>) -> Self
    where
        H: Clone,
    {
        let shared = handle.breaker().shared();
        let lease = shared.admit_at(word, shared.at(given));
        Self::new(handle.clone(), lease)
    }

    /// What is not admitted at a glance. Each of the two answers is made where the caller wants it; moved there, it would be
    /// read in other pieces than it was written, which takes longer than to find out.
    #[inline(never)]
    fn refuse(handle: &H, word: Word, given: Option<Instant>) -> Result<Self, Rejected>
    where
        H: Clone,
    {
        let shared = handle.breaker().shared();
        if word.is_steadily_closed() {
            return Ok(Self::timed(handle, word, given));
        }
        match shared.refuse(word, given) {
            Ok(at) => Self::at(handle, word, at),
            Err(rejected) => {
                shared.observer().on_reject(&rejected);
                Err(rejected)
            }
        }
    }

    #[inline(never)]
    fn at(handle: &H, word: Word, at: Instant) -> Result<Self, Rejected>
    where
        H: Clone,
    {
        let shared = handle.breaker().shared();
        let lease = shared.ask_at(word, at).inspect_err(|rejected| shared.observer().on_reject(rejected))?;
        Ok(Self::new(handle.clone(), lease))
    }

    /// The service did its part.
    #[inline]
    pub fn success(self) {
        self.end(End::Said(Verdict::success()), None);
    }

    /// [`success`](Self::success) at `now`.
    #[inline]
    pub fn success_at(self, now: Instant) {
        self.end(End::Said(Verdict::success()), Some(now));
    }

    /// The service did not do its part.
    #[inline]
    pub fn failure(self) {
        self.end(End::Said(Verdict::failure()), None);
    }

    /// [`failure`](Self::failure) at `now`.
    #[inline]
    pub fn failure_at(self, now: Instant) {
        self.end(End::Said(Verdict::failure()), Some(now));
    }

    /// What the result says: an [`Outcome`](crate::Outcome), or a [`Verdict`] with what the service asked for.
    #[inline]
    pub fn record(self, verdict: impl Into<Verdict>) {
        self.end(End::Said(verdict.into()), None);
    }

    /// [`record`](Self::record) at `now`.
    #[inline]
    pub fn record_at(self, verdict: impl Into<Verdict>, now: Instant) {
        self.end(End::Said(verdict.into()), Some(now));
    }

    /// Gives it back unused: the call was not made. Its slot is free and it counts for nothing, whatever an abandoned one
    /// does; the observer does not hear of it.
    pub fn release(self) {
        self.end(End::Released, None);
    }

    /// What dropping it means, at `now`.
    pub fn abandon_at(self, now: Instant) {
        self.end(End::Dropped { panicking: false }, Some(now));
    }

    /// Whether the call is a probe: one of the few that a half-open breaker admits, and decides by.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.lease.role.as_probe().is_some()
    }

    /// Whether its result would still count.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.shared().is_current(&self.lease)
    }

    /// In a dry run: whether the call would have been rejected. Then its result counts for nothing.
    #[must_use]
    pub const fn would_be_rejected(&self) -> bool {
        matches!(self.lease.role, Role::BYSTANDER)
    }

    /// The call begins only later, with [`restart`](Self::restart): should it never, it has not failed.
    #[cfg(feature = "tower")]
    pub(crate) fn reserve(&self) {
        self.shared().reserve(&self.lease);
    }

    /// The call begins only now: how long it takes, and how long a probe may, counts from here. False if it is too late for it:
    /// its result would count for nothing.
    #[cfg(feature = "tower")]
    pub(crate) fn restart(&mut self) -> bool {
        let shared = self.handle.breaker().shared();
        if self.lease.started().is_some() || self.is_probe() {
            let now = shared.now();
            self.lease.restart(now);
            shared.restart(&self.lease, now);
        }
        self.is_usable()
    }

    /// Whether a call can still be made with it.
    #[cfg(feature = "tower")]
    pub(crate) fn is_usable(&self) -> bool {
        self.would_be_rejected() || self.is_current()
    }

    #[cold]
    fn abandon(&self) {
        let panicking = thread::panicking();
        in_a_drop(|| self.shared().end(&self.lease, End::Dropped { panicking }, None));
    }

    #[inline(always)]
    fn shared(&self) -> &Shared<H::Clock, H::Observer> {
        self.handle.breaker().shared()
    }

    #[inline]
    fn end(mut self, end: End, given: Option<Instant>) {
        self.end_in_place(end, given);
    }

    /// Ends it where it is, which is cheaper than to move it.
    #[inline(always)]
    pub(super) fn end_in_place(&mut self, end: End, given: Option<Instant>) {
        if self.shared().is_unchanged_by(&self.lease, end) {
            self.lease.role = Role::NONE;
            self.shared().tell_of_success();
            return;
        }
        // First: should the clock or an observer panic, it has ended all the same.
        let lease = self.lease;
        self.lease.role = Role::NONE;
        self.shared().end(&lease, end, given);
    }
}

impl<H: Handle> Drop for Permit<H> {
    #[inline]
    fn drop(&mut self) {
        if self.lease.role != Role::NONE {
            self.abandon();
        }
    }
}

impl<H: Handle> fmt::Debug for Permit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("period", &self.lease.period)
            .field("role", &self.lease.role)
            .finish_non_exhaustive()
    }
}
