//! The atomics, from `std` or, in a model, from loom.

#[cfg(loom)]
mod watched;

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, fence},
};

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, atomic::fence};
#[cfg(loom)]
pub(crate) use watched::{AtomicU32, AtomicU64};

pub(crate) use std::sync::atomic::Ordering;
