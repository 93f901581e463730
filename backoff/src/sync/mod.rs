//! What threads share of an attempt log: from `std` or, in a model, from loom.

mod lock;

#[cfg(loom)]
pub(crate) use loom::sync::atomic::AtomicU64;
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::AtomicU64;

pub(crate) use lock::Lock;
pub(crate) use std::sync::atomic::Ordering;
