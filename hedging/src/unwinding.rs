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
