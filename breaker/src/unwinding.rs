//! Code of others, called in a drop.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

/// Calls `f`, a clock's or an observer's, in a drop. That may be the drop of a thread that unwinds, where another panic out of
/// it would abort the program: there a panic of `f` ends here.
pub(crate) fn in_a_drop(f: impl FnOnce()) {
    if thread::panicking() {
        let _ = catch_unwind(AssertUnwindSafe(f));
    } else {
        f();
    }
}

/// Calls `f`, and `undo` if that panics.
pub(crate) fn or_undo<T>(f: impl FnOnce() -> T, undo: impl FnOnce()) -> T {
    let mut undo = Undo(Some(undo));
    let result = f();
    undo.0 = None;
    result
}

struct Undo<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for Undo<F> {
    fn drop(&mut self) {
        if let Some(undo) = self.0.take() {
            in_a_drop(undo);
        }
    }
}
