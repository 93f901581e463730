//! The atomics and the locks, from `std` or, in a model, from loom.

mod lock;
#[cfg(loom)]
mod watched;

pub(crate) use lock::Lock;
#[cfg(loom)]
pub(crate) use loom::sync::{Arc, RwLock};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, RwLock};
#[cfg(loom)]
pub(crate) use watched::{AtomicU64, AtomicUsize};

pub(crate) use std::sync::atomic::Ordering;

/// Waits for a moment, the longer the more often it was in vain: so one of two threads that are in each other's way has the
/// cache lines for some calls, instead of both handing them to and fro at each step. At most some microseconds.
pub(crate) fn back_off(in_vain: &mut u32) {
    // In a model there is nothing to wait for.
    if !cfg!(loom) {
        (0..1_u32 << *in_vain).for_each(|_| std::hint::spin_loop());
        *in_vain = (*in_vain + 1).min(MOST_IN_VAIN);
    }
}

const MOST_IN_VAIN: u32 = 6;

/// On a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Apart<T>(pub(crate) T);

/// A number for the thread that asks: those that run at the same time have different ones, as far as may be.
#[cfg(not(loom))]
pub(crate) fn stripe() -> usize {
    use std::cell::Cell;

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    STRIPE.with(|stripe| {
        stripe.get().unwrap_or_else(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            stripe.set(Some(number));
            number
        })
    })
}

/// In a model, each of its threads has one, the same in every run.
#[cfg(loom)]
pub(crate) fn stripe() -> usize {
    use loom::sync::atomic::AtomicUsize;

    loom::lazy_static! {
        static ref NEXT: AtomicUsize = AtomicUsize::new(0);
    }
    loom::thread_local! {
        static STRIPE: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    STRIPE.with(|stripe| *stripe)
}
