//! The atomics, from `std` or, in a model, from loom.

#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, atomic::AtomicU32};

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, atomic::AtomicU32};

pub(crate) use std::sync::atomic::Ordering;
