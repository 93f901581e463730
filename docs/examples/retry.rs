//! A command line: runs another program again when it fails, with backoff, jitter and a deadline.
//!
//! `cargo run -p evenkeel-docs --example retry -- --attempts 5 --first 1s -- curl -fsS http://127.0.0.1:8080/health`
//!
//! All that it decides, [`Retry`] decides: the attempts, the waits, the deadline. What is here is a child process as the
//! operation, exit codes as the classifier, and an observer that tells on stderr. The limit on an attempt is the operation's own:
//! [`Retry::attempt_timeout`] drops a future at once, and a process is asked to end first.

use std::{cell::OnceCell, future::ready, io::Write, pin::pin, process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser, error::ErrorKind};
use evenkeel_backoff::{Exponential, Invalid, Retry, Verdict};
use futures::{Stream, StreamExt, stream};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

#[path = "retry/args.rs"]
mod args;
#[path = "retry/child.rs"]
mod child;
#[path = "retry/signals.rs"]
mod signals;
#[path = "retry/teller.rs"]
mod teller;
#[cfg(all(test, unix))]
#[path = "retry/tests.rs"]
mod tests;

use args::Args;
use child::{Failure, Running};
use signals::Asked;
use teller::Teller;

fn main() -> ExitCode {
    ExitCode::from(start(&Args::parse()))
}

fn start(args: &Args) -> u8 {
    let schedule =
        schedule(args).unwrap_or_else(|invalid| Args::command().error(ErrorKind::ValueValidation, invalid).exit());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("retry: {error}");
            return 1;
        }
    };
    let told: Box<dyn Write> = if args.quiet { Box::new(std::io::sink()) } else { Box::new(std::io::stderr()) };
    let command = |attempt| args.child(attempt);
    runtime.block_on(async { retry(args, schedule, command, signals::asked_to_stop(), told).await })
}

/// Runs `command` until it succeeds, it is enough, or it is asked to stop: the status to end with.
///
/// # Cancel safety
///
/// Dropped, it kills the child that is running, at once.
async fn retry<W: Write>(
    args: &Args,
    schedule: Exponential,
    command: impl Fn(u32) -> Command,
    stop: impl Stream<Item = Asked>,
    told: W,
) -> u8 {
    let teller = Teller::new(args.most_attempts(), told);
    let mut retry = Retry::new(schedule, sleep)
        .when(|result: &Result<(), Failure>| {
            teller.keep(result);
            judge(args, result)
        })
        .observe(&teller);
    if let Some(attempts) = args.attempts {
        retry = retry.max_attempts(attempts);
    }
    if let Some(total) = args.deadline {
        retry = retry.deadline(total);
    }
    let running = Running::default();
    let begun = OnceCell::new();
    let attempt = |attempt| {
        // First asked when `Retry` has its deadline: what is cut off at this one is never too early for that one.
        let so_far = begun.get_or_init(Instant::now).elapsed();
        let left = args.deadline.map(|total| total.saturating_sub(so_far));
        let limit = args.attempt_timeout.into_iter().chain(left).min().unwrap_or(Duration::MAX);
        running.run(command(attempt), after(limit), after(args.grace))
    };
    let mut stop = pin!(stop.chain(stream::pending()));
    let asked = tokio::select! {
        // Whoever has stopped it wants no other attempt, whatever else is ready.
        biased;
        Some(asked) = stop.next() => asked,
        result = retry.run(attempt) => return result.map_or_else(|failure| failure.status(), |()| 0),
    };
    running.hear(asked);
    let further = stop.for_each(|asked| {
        running.hear(asked);
        ready(())
    });
    tokio::select! {
        () = running.end(after(args.grace)) => {}
        () = further => {}
    }
    asked.status()
}

/// Counted from when it is first waited for, as a grace is.
async fn after(time: Duration) {
    sleep(time).await;
}

/// Whether another attempt may help, as far as an exit code says.
fn judge(args: &Args, result: &Result<(), Failure>) -> Verdict {
    match result {
        Ok(()) => Verdict::success(),
        // There is no such program, and there will be none in a second.
        Err(Failure::NotStarted(..)) => Verdict::permanent(),
        Err(failure) if args.is_worth_it(failure.status()) => Verdict::transient(),
        Err(_) => Verdict::permanent(),
    }
}

fn schedule(args: &Args) -> Result<Exponential, Invalid> {
    Exponential::builder(args.first).factor(args.factor).cap(args.cap).jitter(args.jitter.into()).build()
}
