//! **When should it be asked a second time, or someone else?**
//!
//! Of a hundred answers five take ten times as long as the others, and nobody knows beforehand which. Ask again when an answer
//! is late, take whichever comes first, and the slowest one in a hundred comes four times as soon, for a tenth more
//! calls.
//!
//! ```
//! use evenkeel_hedging::{Hedge, Quantile, TokenBudget};
//! use std::time::Duration;
//!
//! let late = Quantile::builder(0.95).until_warm(Duration::from_millis(300)).build()?;
//! let hedge = Hedge::new(late, tokio::time::sleep) // a second attempt when the first is slower than 95 % of all
//!     .budget(TokenBudget::default()); // shared by all requests: when all are slow, they are not all sent twice
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let replica = |attempt: u32| async move {
//!     tokio::time::sleep(Duration::from_millis(if attempt == 0 { 5_000 } else { 20 })).await;
//!     if attempt < 2 { Ok(attempt) } else { Err("none is asked a third time") }
//! };
//! assert_eq!(hedge.run(replica).await, Ok(1), "after 320 ms");
//!
//! let refused = hedge.run(|attempt| async move { Err::<(), _>(format!("attempt {attempt} is refused")) });
//! assert_eq!(refused.await, Err("attempt 1 is refused".to_owned()), "all have failed: the last one's result");
//! # });
//! # Ok::<(), evenkeel_hedging::Invalid>(())
//! ```
//!
//! # A map
//!
//! - [`Hedge`]: the policy. [`Hedge::run`] for futures, [`Hedge::layer`] and [`HedgeLayer`] for tower.
//! - When the next attempt is due: [`Every`], [`OnFailure`], [`AtOnce`], an array or any other schedule; [`Quantile`], an
//!   estimate of what was seen, and [`QuantileMap`], one for each endpoint. [`Delays`] is the form of all of them.
//! - [`Alternates`]: several different services, such as providers of one model. Failover, staggered or racing.
//! - [`Verdict`], [`TokenBudget`] and the rest of `evenkeel-budget`, re-exported: what results mean, and what limits the load.
//! - [`Observer`] and [`HedgeMetrics`]: what happened, and what did not and why.
//! - [`HedgeConfig`]: a policy from a file, and [`AnyDelays`], delays that are chosen at run time.
//!
//! # When to use it, and when not
//!
//! Hedge what is *safe to send twice* and *slow by chance*: a replica that collects garbage, a lost packet, a queue that this
//! request happened to meet. A request that is slow by itself, a long prompt or a large query, is as slow the second time, and
//! twice the work; see what the p99 does before and after. Do not hedge what must not happen twice; what costs money by the
//! call, without looking at the bill; nor a service that is slow because it has too much to do, without a budget. To ask again
//! what has *failed*, retry: that waits in between. To survive an outage, ask someone else: that is [`Alternates`].
//!
//! # How it decides
//!
//! ```text
//!              ┌────────────────────────── those in flight ──────────────────────────┐
//!  first ─────▶│ success, permanent failure ──▶ the answer; all others are dropped   │
//!              │ transient failure ──▶ kept, and the next attempt is due:            │
//!              │                       at once, when the server says, or never again │
//!              │ none has ended, and the delay has passed ──▶ the next is due        │
//!              └───────▲──────────────────────────────────────────────────┬──────────┘
//!                      │ paid, ready (tower), sent       refused, or none │ left
//!                      └──────── budget ◀──── the next, if it may follow ─┴─▶ wait for those in flight;
//!                                                                             all failed: the best result
//! ```
//!
//! All attempts that have ended are heard before another is sent. A success never loses to a failure, however late it comes.
//!
//! # Runtimes
//!
//! None is needed and any will do: the sleeper is an argument. `tokio::time::sleep`, `async_io::Timer::after` (smol, async-std),
//! `futures_timer::Delay::new`, and in a test a function of your own. Nothing is spawned: all attempts are polled by the one
//! future, in the caller's task. The clock is read only by a [`Quantile`], twice for a request that waits.
//!
//! # What is verified
//!
//! Every order in which up to four attempts can end is generated and compared with a naive timeline, sends, drops and results,
//! and arbitrary ones by proptest. Estimates are compared with the sorted samples, and hold their share of hedges over a million
//! requests with slow tails. The window's turns and the shared budget run under loom. The layers are held to the tower contract
//! by a probe that counts polls, copies and drops; the costs that are promised (no allocation, no timer, no clock for an answer
//! that comes at once) are asserted with a counting allocator. The book lists each known hazard with the test that rules it out.
//!
//! # Features
//!
//! | feature | |
//! | --- | --- |
//! | `tower` | [`HedgeLayer`] and [`Alternates`] (`tower-service`, `tower-layer`) |
//! | `serde` | [`HedgeConfig`] |
//! | `metrics` | [`HedgeMetrics`] |
//!
//! None is on by default. No lock but that of [`QuantileMap`]. Targets need 64-bit atomics.
//!
//! MSRV: Rust 1.85.
#![cfg_attr(
    not(all(feature = "tower", feature = "serde", feature = "metrics")),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "tower")]
mod alternates;
mod any;
#[cfg(feature = "serde")]
mod config;
mod delays;
mod hedge;
#[cfg(feature = "metrics")]
mod metrics;
mod observe;
mod quantile;
mod sync;
#[cfg(feature = "tower")]
mod tower;
mod unwinding;

#[cfg(feature = "serde")]
pub use self::config::{HedgeConfig, QuantileConfig};
#[cfg(feature = "metrics")]
pub use self::metrics::HedgeMetrics;
#[cfg(feature = "tower")]
pub use self::{
    alternates::{Alternates, AlternatesFuture, Answered, Available, EachAvailable, Failover, Services},
    tower::{Choose, Chosen, HedgeLayer, HedgeService, Lent, ResponseFuture, Shared},
};
pub use self::{
    any::{AnyDelays, AnySession},
    delays::{AtOnce, Delays, End, Every, NEVER, OnFailure},
    hedge::{AllFailed, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_SERVER_DELAY, Hedge, Policy, PolicyFor, Run},
    observe::{Answer, Attempt, Observer},
    quantile::{Quantile, QuantileBuilder, QuantileMap, QuantileSnapshot},
};
#[doc(no_inline)]
pub use evenkeel_budget::{
    Account, Always, AnyBudget, Budget, BudgetMap, Cause, Classify, Costs, ErrIsTransient, Exhausted, Hint,
    InFlightBudget, Invalid, Outcome, RatioBudget, Repeat, Replay, Spend, TokenBudget, Unbudgeted, Unlimited, Verdict,
};
