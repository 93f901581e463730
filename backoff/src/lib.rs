//! **When should it be tried again?**
//!
//! ```
//! # #[cfg(feature = "retry")]
//! # {
//! use evenkeel_backoff::{Exponential, Retry, TokenBudget};
//! use std::time::Duration;
//!
//! let schedule = Exponential::new(Duration::from_millis(100)).cap(Duration::from_secs(10)); // full jitter
//! let retry = Retry::new(schedule.take(4), tokio::time::sleep)
//!     .budget(TokenBudget::default()) // shared by all requests: no storm in an outage
//!     .deadline(Duration::from_secs(30));
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let answer = retry.run(|attempt| async move { if attempt == 0 { Err("busy") } else { Ok("done") } }).await;
//! assert_eq!(answer, Ok("done"));
//!
//! let refused = retry.run(|attempt| async move { Err::<(), _>(format!("busy at attempt {attempt}")) }).await;
//! assert_eq!(refused, Err("busy at attempt 4".to_owned()), "the last result, as it was");
//! # });
//! # }
//! ```
//!
//! # A map
//!
//! - [`Exponential`], [`Constant`], [`Linear`], [`Fibonacci`], [`Decorrelated`]: schedules, values that iterate over
//!   delays; their [`Jitter`]; a [`Builder`] for settings that have to be checked.
//! - [`Retry`]: the policy. [`Retry::run`] for futures, [`Retry::run_blocking`] for threads, [`Retry::layer`] and
//!   [`RetryLayer`] for tower.
//! - [`Verdict`], [`http`] for what HTTP answers mean and which requests may be sent twice, and [`grpc`] for what gRPC
//!   statuses mean; [`AttemptLog`](http::AttemptLog) for what to tell the provider's support.
//! - [`TokenBudget`] and the rest of `evenkeel-budget`, re-exported: what limits the extra load.
//! - [`Observer`] and [`Metrics`]: what happened, and what did not and why.
//! - [`RetryConfig`]: all of it from a file.
//!
//! # When to use it, and when not
//!
//! Retry what is *likely to pass soon* and *safe to repeat*: a 503 of an overloaded service, a connection that was
//! reset, a 429 that says when to come back. Do not retry what will fail again (a 400), nor what must not happen twice
//! unless the service was surely not reached; do not retry at two levels of one call stack, for the attempts multiply;
//! and when a service is down for minutes, a breaker spares both sides the attempts. To cut the tail of latency of a
//! service that is well, hedge rather than retry.
//!
//! # How it decides
//!
//! After each attempt, and the first "no" returns the result as it was:
//!
//! ```text
//! attempt ─▶ classify ─▶ server's hint ─▶ attempts left? ─▶ deadline ─▶ schedule ─▶ repeatable? ─▶ budget
//!    ▲         │ success    │ never          │ no             │ past      │ at its     │ no           │ refused
//!    │         │ permanent  │ too long       │                │           │ end        │              │
//!    │         ▼            ▼                ▼                ▼           ▼            ▼              ▼
//!    │         └────────────┴────────────────┴─── the result ─┴───────────┴────────────┴──────────────┘
//!    │                                                                                                │ paid
//!    └── make ready (tower) ◀── wait: the server's delay + the schedule's, jittered ◀── drop the result ┘
//! ```
//!
//! So nothing is paid or slept for a retry that will not be sent, and nothing of the failed attempt (its response, its
//! connection, a permit) is held during the wait. A delay of zero goes through no timer and lets others have a turn.
//!
//! # Runtimes
//!
//! None is needed and any will do: the sleeper is an argument. `tokio::time::sleep`, `async_io::Timer::after` (smol,
//! async-std), `futures_timer::Delay::new`, `std::thread::sleep` for threads, and in a test a function of your own. So is
//! the clock, which is read only where a deadline is set: under tokio's paused clock,
//! `|| tokio::time::Instant::now().into_std()`.
//!
//! # What is verified
//!
//! Schedules are compared with their formulas and retries with a naive loop for arbitrary inputs (proptest), stories run
//! in a world whose time is moved by hand, the layer is held to the tower contract by a probe that counts polls, copies
//! and drops, two requests that share a budget run under loom, and the costs that are promised (no allocation, no timer,
//! no clock read on the path of a success) are asserted with a counting allocator. The book lists each known hazard with
//! the test that rules it out.
//!
//! # Features
//!
//! | feature | | default |
//! | --- | --- | --- |
//! | `retry` | [`Retry`] and its observers, [`grpc`]; brings `std` | yes |
//! | `std` | unseeded jitter draws on the operating system's randomness | with `retry` |
//! | `tower` | [`RetryLayer`] (`tower-service`, `tower-layer`) | |
//! | `http` | [`http`] and its [`AttemptLog`](http::AttemptLog) (the `http`, `httpdate` and `humantime` crates) | |
//! | `serde` | [`RetryConfig`], and schedules from a file | |
//! | `metrics` | [`Metrics`] | |
//!
//! Without default features there are the schedules alone, `no_std` and without `alloc`. Without `std` two sessions of
//! one process still differ, but two devices that run one image may not: [`seed`](Schedule::seed) each with something of
//! its own.
//!
//! MSRV: Rust 1.85.
#![no_std]
#![cfg_attr(
    not(all(feature = "tower", feature = "http", feature = "serde", feature = "metrics")),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "serde")]
mod config;
#[cfg(feature = "retry")]
pub mod grpc;
#[cfg(feature = "http")]
pub mod http;
mod invalid;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "retry")]
mod retry;
mod schedule;
#[cfg(feature = "http")]
mod sync;
#[cfg(feature = "tower")]
mod tower;

pub use self::{
    invalid::Invalid,
    schedule::{
        AnyDelays, AnySchedule, Builder, Constant, Decorrelated, Delays, Exponential, Fibonacci, Jitter, Linear, Ratio,
        Schedule, curve,
    },
};

#[cfg(feature = "serde")]
pub use self::config::{Configured, RetryConfig};
#[cfg(feature = "metrics")]
pub use self::metrics::Metrics;
#[cfg(feature = "retry")]
pub use self::retry::{
    AttemptTimeout, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_SERVER_DELAY, NoTimeout, Observer, Policy, PolicyFor, Retry, Run,
    Stop,
};
#[cfg(feature = "tower")]
pub use self::tower::{ResponseFuture, RetryLayer, RetryService};
#[cfg(feature = "retry")]
#[doc(no_inline)]
pub use evenkeel_budget::{
    Account, Always, AnyBudget, Budget, BudgetMap, Cause, Classify, Costs, ErrIsTransient, Exhausted, Hint,
    InFlightBudget, Outcome, RatioBudget, Repeat, Replay, Spend, TokenBudget, Unbudgeted, Unlimited, Verdict,
};
