//! One way to do an operation.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

use super::heap::{self, Count, Counted};

/// One way to do an operation, and what it keeps between operations.
pub struct Candidate<'a> {
    pub(crate) name: &'static str,
    /// Does it so many times.
    batch: Box<dyn FnMut(u64) + 'a>,
    /// How many bytes it keeps, once they are counted.
    state: Option<heap::State<'a>>,
}

impl<'a> Candidate<'a> {
    /// `op` is inlined into its own loop; only the loop is called through a pointer.
    pub fn new<T>(name: &'static str, mut op: impl FnMut() -> T + 'a) -> Self {
        Self::batched(name, move |times| {
            for _ in 0..times {
                black_box(op());
            }
        })
    }

    /// One that does a whole batch by itself.
    pub fn batched(name: &'static str, batch: impl FnMut(u64) + 'a) -> Self {
        Self { name, batch: Box::new(batch), state: None }
    }

    /// What it keeps, made anew to be counted: its own size and what is on the heap once it is made.
    #[must_use]
    pub fn keeps<T>(mut self, make: impl Fn() -> T + 'a) -> Self {
        self.state = Some(heap::state(make));
        self
    }

    /// How long so many take.
    pub(super) fn time(&mut self, times: u64) -> Duration {
        let start = Instant::now();
        (self.batch)(times);
        start.elapsed()
    }

    /// Allocations of an operation, and bytes kept between operations.
    pub(crate) fn count(&mut self, count: Count) -> Counted {
        const TIMES: u64 = 100;
        (self.batch)(1);
        let counted = count(&mut || (self.batch)(TIMES));
        let bytes = self.state.as_ref().map(|state| state(count));
        Counted { allocs: counted.count_total as f64 / TIMES as f64, bytes }
    }
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}
