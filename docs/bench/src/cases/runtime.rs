//! Candidates that need tokio's timer.

use std::hint::black_box;

use tokio::runtime::{Builder, Runtime};

use crate::measure::Candidate;

/// One thread, with time.
pub(super) fn with_time() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime of one thread can be made")
}

/// One that is awaited in `runtime`, a batch at a time: entering and leaving it is lost in that.
pub(super) fn awaited<'a, T>(
    name: &'static str,
    runtime: &'a Runtime,
    mut op: impl AsyncFnMut() -> T + 'a,
) -> Candidate<'a> {
    Candidate::batched(name, move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                black_box(op().await);
            }
        });
    })
}
