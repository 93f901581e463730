//! One policy on tokio, on smol's reactor and on a plain thread: only the sleeper differs.

// A program may choose its sleeper; the libraries may not.
#![allow(clippy::disallowed_methods)]

use std::{future::Future, thread, time::Duration};

use evenkeel_backoff::{Exponential, Retry};

const SCHEDULE: Exponential = Exponential::new(Duration::from_millis(2)).cap(Duration::from_millis(20));

/// Fails twice.
async fn flaky(attempt: u32) -> Result<&'static str, &'static str> {
    if attempt < 2 { Err("busy") } else { Ok("answered") }
}

fn main() {
    let on_tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without I/O");
    println!("tokio: {:?}", on_tokio.block_on(Retry::new(SCHEDULE, tokio::time::sleep).run(flaky)));

    println!("smol: {:?}", async_io::block_on(Retry::new(SCHEDULE, async_io::Timer::after).run(flaky)));

    let blocking = |attempt| async_io::block_on(flaky(attempt));
    println!("a thread: {:?}", Retry::new(SCHEDULE, thread::sleep).run_blocking(blocking));

    // Any function that answers with a future will do.
    let own = |delay: Duration| async move { async_io::Timer::after(delay / 2).await };
    println!("of one's own: {:?}", async_io::block_on(answer(own)));
}

/// A library that retries need not know the runtime either: it is given the sleeper.
async fn answer<W, D>(sleep: W) -> Result<&'static str, &'static str>
where
    W: Fn(Duration) -> D,
    D: Future,
{
    Retry::new(SCHEDULE, sleep).run(flaky).await
}

#[test]
fn it_runs() {
    main();
}
