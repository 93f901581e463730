//! Counting what is allocated; by whom it is counted, the program decides.

/// Runs what it is given, and counts the allocations of that.
pub type Count = fn(&mut dyn FnMut()) -> Allocated;

/// What was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// How many times.
    pub count_total: u64,
    /// Bytes that were not freed again.
    pub bytes_current: i64,
}

/// What a candidate allocates and keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// Allocations of an operation.
    pub allocs: f64,
    /// Bytes kept between operations, where it says what it keeps.
    pub bytes: Option<u64>,
}
