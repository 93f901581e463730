//! The lock, and those who are told when it is free: no code of others runs under it, but for the schedule's.

use std::{task::Waker, time::Instant, vec};

use super::{core::Core, shared::Shared};
use crate::{BreakerObserver, sync::Lock, unwinding::in_a_drop};

/// Whom to tell when the lock is free.
pub(super) struct ToTell {
    wake: Vec<Waker>,
    observer: bool,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Shared<C, O> {
    /// Runs `f` under the lock, and then what had to wait for it to be free: those who are to be woken, and the observer.
    pub(crate) fn locked<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        let (result, told) = self.quietly(f);
        self.tell(told);
        result
    }

    /// Runs `f` under the lock; those to [tell](Self::tell) are the caller's.
    pub(super) fn quietly<T>(&self, f: impl FnOnce(&mut Core) -> T) -> (T, ToTell) {
        let mut core = self.core.lock();
        (f(&mut core), ToTell { wake: core.take_wake(), observer: core.is_to_tell() })
    }

    /// Wakes them, and tells the observer what it was not told yet, unless another thread does. A panic of one goes through
    /// when the others have been told.
    pub(super) fn tell(&self, told: ToTell) {
        Telling { shared: self, wake: told.wake.into_iter(), observer: told.observer }.go_on();
    }
}

/// Those who are being told; if one panics, the rest are told in the drop.
struct Telling<'a, C: Fn() -> Instant, O: BreakerObserver> {
    shared: &'a Shared<C, O>,
    wake: vec::IntoIter<Waker>,
    observer: bool,
}

impl<C: Fn() -> Instant, O: BreakerObserver> Telling<'_, C, O> {
    fn go_on(&mut self) {
        self.wake.by_ref().for_each(Waker::wake);
        while self.observer {
            // A statement of its own: the lock is free while the observer is told.
            let step = self.shared.core.lock().begin_telling();
            match step {
                Some(step) => {
                    let _one = TellingOne(&self.shared.core);
                    self.shared.observer.on_transition(&self.shared.transition(&step));
                }
                None => self.observer = false,
            }
        }
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> Drop for Telling<'_, C, O> {
    fn drop(&mut self) {
        while self.observer || self.wake.len() > 0 {
            in_a_drop(|| self.go_on());
        }
    }
}

/// One transition is being told; over when it is dropped, by a panic as well.
struct TellingOne<'a>(&'a Lock<Core>);

impl Drop for TellingOne<'_> {
    fn drop(&mut self) {
        self.0.lock().end_telling();
    }
}
