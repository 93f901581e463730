//! The atomics and the one lock, from `std` or, in a model, from loom.

mod lost;
#[cfg(loom)]
mod watched;

pub(crate) use lost::{Lost, update};

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Arc, RwLock,
    atomic::{AtomicU32, AtomicU64},
};

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, RwLock};
#[cfg(loom)]
pub(crate) use watched::{AtomicU32, AtomicU64};

pub(crate) use std::sync::atomic::Ordering;

/// On cache lines of its own: what is written often does not take what is only read, or counts references, with it.
/// 128 bytes, for processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);
