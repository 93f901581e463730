//! The one lock: of a place in an attempt log, for as long as it takes to put a pointer there or to copy one.

use std::{ops::DerefMut, sync::PoisonError};

#[cfg(loom)]
use loom::sync::Mutex;
#[cfg(not(loom))]
#[allow(clippy::disallowed_types)]
// The one place: a text of any length cannot be an atomic, and successes come nowhere near.
use std::sync::Mutex;

/// A mutex that a panic does not close: no code of others runs while it is held, and what it guards is always whole.
#[derive(Debug)]
#[allow(clippy::disallowed_types)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    #[allow(clippy::disallowed_types)]
    pub(crate) fn new(guarded: T) -> Self {
        Self(Mutex::new(guarded))
    }

    pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
