//! Two clocks for what takes function pointers: each thread has its own, and moves them by hand.

use std::{
    cell::Cell,
    num::NonZeroUsize,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use evenkeel_backoff::http::{AttemptLog, AttemptLogBuilder};

/// Where the monotonic clock begins, so that it can go back.
const LATER: Duration = Duration::from_secs(1_000_000);
/// Where the wall clock begins: at 2023-11-14T22:13:20Z.
const START: Duration = Duration::from_secs(1_700_000_000);

thread_local! {
    static ELAPSED: Cell<Duration> = const { Cell::new(LATER) };
    static WALL: Cell<Duration> = const { Cell::new(START) };
    static READS: Cell<[u32; 2]> = const { Cell::new([0; 2]) };
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// The time since 1970 at which the wall clock began, and so much later.
pub(crate) fn wall(later: Duration) -> SystemTime {
    UNIX_EPOCH + START + later
}

pub(crate) fn now() -> Instant {
    assert!(!BROKEN.get(), "the clock is broken");
    READS.set([READS.get()[0] + 1, READS.get()[1]]);
    origin() + ELAPSED.get()
}

pub(crate) fn wall_now() -> SystemTime {
    READS.set([READS.get()[0], READS.get()[1] + 1]);
    UNIX_EPOCH + WALL.get()
}

/// Both clocks go on.
pub(crate) fn advance(by: Duration) {
    ELAPSED.set(ELAPSED.get() + by);
    WALL.set(WALL.get() + by);
}

/// The monotonic clock goes back, as none should.
pub(crate) fn turn_back(by: Duration) {
    ELAPSED.set(ELAPSED.get() - by);
}

/// The wall clock is set.
pub(crate) fn set_wall(since_1970: Duration) {
    WALL.set(since_1970);
}

/// From now on the monotonic clock panics, or does no more.
pub(crate) fn break_clock(broken: bool) {
    BROKEN.set(broken);
}

/// How often the monotonic and the wall clock were read since this was asked last.
pub(crate) fn reads() -> [u32; 2] {
    READS.replace([0; 2])
}

/// A log that goes by these clocks.
pub(crate) fn builder(capacity: usize) -> AttemptLogBuilder {
    AttemptLog::builder(NonZeroUsize::new(capacity).unwrap()).clock(now).wall_clock(wall_now)
}

pub(crate) fn log(capacity: usize) -> AttemptLog {
    builder(capacity).build().unwrap()
}

/// The system's clock is read once, for an `Instant` to count from.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *ORIGIN.get_or_init(Instant::now)
}
