//! The one lock: of what a transition changes, and of a map's list. See the architecture chapter for what is never behind it.

use std::{ops::DerefMut, sync::PoisonError};

#[cfg(loom)]
use loom::sync::Mutex;
#[cfg(not(loom))]
#[allow(clippy::disallowed_types)] // The one place.
use std::sync::Mutex;

/// A mutex that a panic does not close: what it guards is whole whenever code of others runs.
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
