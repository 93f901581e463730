//! Counting what is allocated; by whom it is counted, the program decides.

/// Runs what it is given, and counts the allocations of that, which are those of the thread that it runs in.
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

/// Counts the bytes of what a candidate keeps.
pub(super) type State<'a> = Box<dyn Fn(Count) -> u64 + 'a>;

/// What it keeps, made anew to be counted: its own size and what is on the heap once it is made.
pub(super) fn state<'a, T>(make: impl Fn() -> T + 'a) -> State<'a> {
    Box::new(move |count| {
        let mut made = None;
        let counted = count(&mut || made = Some(make()));
        size_of::<T>() as u64 + u64::try_from(counted.bytes_current).unwrap_or(0)
    })
}
