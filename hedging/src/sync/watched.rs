//! Loom's atomics, with every access seen.
//!
//! Loom looks for races between an access and the *last* one before it. A thread that loads a value and then exchanges it,
//! as every loop of ours does, hides with its own load the loads of other threads: loom 0.7 finds no race between those and
//! the exchange, and tries one order only. So each access here first touches a companion that nothing else depends on, and
//! by a read-modify-write, which loom takes to race with any other. The touch is relaxed and orders nothing; the access
//! itself stays what it is, and a load may still find an older value wherever its ordering allows it.
//!
//! Loom takes `SeqCst` for `AcqRel`, but knows the fence; so an access that asks for it has one on either side.

use loom::sync::atomic::fence;
use std::sync::atomic::Ordering;

macro_rules! watched {
    ($($name:ident: $int:ty),*) => {$(
        #[derive(Debug)]
        pub(crate) struct $name {
            value: loom::sync::atomic::$name,
            touched: loom::sync::atomic::AtomicBool,
        }

        #[allow(dead_code)] // What one type has, the other has too.
        impl $name {
            pub(crate) fn new(value: $int) -> Self {
                Self {
                    value: loom::sync::atomic::$name::new(value),
                    touched: loom::sync::atomic::AtomicBool::new(false),
                }
            }

            pub(crate) fn load(&self, order: Ordering) -> $int {
                in_order(order, || self.seen().load(order))
            }

            pub(crate) fn store(&self, value: $int, order: Ordering) {
                in_order(order, || self.seen().store(value, order));
            }

            pub(crate) fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                in_order(order, || self.seen().fetch_add(value, order))
            }

            pub(crate) fn fetch_sub(&self, value: $int, order: Ordering) -> $int {
                in_order(order, || self.seen().fetch_sub(value, order))
            }

            pub(crate) fn swap(&self, value: $int, order: Ordering) -> $int {
                in_order(order, || self.seen().swap(value, order))
            }

            pub(crate) fn fetch_max(&self, value: $int, order: Ordering) -> $int {
                in_order(order, || self.seen().fetch_max(value, order))
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $int,
                new: $int,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$int, $int> {
                in_order(success, || self.seen().compare_exchange(current, new, success, failure))
            }

            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut update: impl FnMut($int) -> Option<$int>,
            ) -> Result<$int, $int> {
                let mut held = self.load(fetch);
                while let Some(new) = update(held) {
                    match self.compare_exchange(held, new, set, fetch) {
                        Ok(before) => return Ok(before),
                        Err(now) => held = now,
                    }
                }
                Err(held)
            }

            fn seen(&self) -> &loom::sync::atomic::$name {
                self.touched.swap(true, Ordering::Relaxed);
                &self.value
            }
        }
    )*};
}

watched!(AtomicU32: u32, AtomicU64: u64);

fn in_order<T>(order: Ordering, access: impl FnOnce() -> T) -> T {
    let is_sequential = order == Ordering::SeqCst;
    if is_sequential {
        fence(Ordering::SeqCst);
    }
    let result = access();
    if is_sequential {
        fence(Ordering::SeqCst);
    }
    result
}
