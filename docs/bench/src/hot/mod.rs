//! The paths that every call takes, each a function of its own that callgrind counts by its name.
//!
//! What they do is the same each time: jitter is seeded, clocks stand, sleepers do not sleep. Functions whose code is the same
//! are made one by the compiler and then have one name, so those of one type read different fields of what they are given.

use std::{
    fmt,
    future::{Future, Ready, pending, ready},
    hint::black_box,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tower_service::Service;

use crate::echo::Echo;

pub mod breaker;
pub mod budget;
pub mod hedging;
pub mod retry;
pub mod schedule;
pub mod stack;

/// Where the functions are, as callgrind names them.
pub const PLACE: &str = "evenkeel_bench::hot::";

/// Counting begins and ends with this function.
pub const MEASURED: &str = "*::hot::measured*";

/// Calls all of them.
pub fn run() {
    schedule::run();
    retry::run();
    breaker::run();
    budget::run();
    hedging::run();
    stack::run();
}

/// So often each is called to be counted, after as many times that are not.
const TIMES: u32 = 100;

/// What is done at the first call alone is not counted.
fn repeat<T>(mut path: impl FnMut() -> T) {
    for _ in 0..TIMES {
        black_box(path());
    }
    measured(path);
}

#[inline(never)]
fn measured<T>(mut path: impl FnMut() -> T) {
    for _ in 0..TIMES {
        black_box(path());
    }
}

/// A clock that stands, of the type that clocks have by default.
const STILL: fn() -> Instant = || {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
};

/// None of the calls takes so long.
const LONG: Duration = Duration::from_secs(10);

/// The one key of the maps.
const KEY: u64 = 1;

/// A sleeper whose time never comes.
type Forever = fn(Duration) -> std::future::Pending<()>;

const FOREVER: Forever = |_| pending();

/// A sleeper that does not sleep.
type NoSleep = fn(Duration) -> Ready<()>;

const NO_SLEEP: NoSleep = |_| ready(());

/// A service that answers at the second poll.
#[derive(Clone, Copy, Debug)]
struct Late;

impl Service<u64> for Late {
    type Response = u64;
    type Error = fmt::Error;
    type Future = Turn;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), fmt::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: u64) -> Turn {
        Turn::default()
    }
}

/// An answer that comes at the second poll.
#[derive(Debug, Default)]
struct Turn {
    was_polled: bool,
}

impl Future for Turn {
    type Output = Result<u64, fmt::Error>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if std::mem::replace(&mut self.was_polled, true) { Poll::Ready(black_box(Ok(1))) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_path_comes_out_as_it_says() {
        super::run();
    }
}
