//! **How much extra load may retries and hedges add?**
//!
//! A retry is a bet that the service is well and only this attempt was not. When the service is *not* well, every
//! client loses that bet at once, and the retries are what keeps it down. A budget ends the betting: it pays for extra
//! attempts out of what the service has earned by answering, and grants none when nothing is earned.
//!
//! ```
//! use evenkeel_budget::{Account, Budget, Cause, Outcome, TokenBudget};
//!
//! let budget = TokenBudget::default(); // cheap to clone; every clone is the same bucket
//!
//! // One request: its first attempt fails, a retry is paid for, and answers.
//! let mut account = budget.open();
//! account.record(Outcome::Transient);
//! let mut token = account.withdraw(Cause::Transient)?;
//! account.sent(&mut token);
//! account.record(Outcome::Success);
//! assert_eq!(budget.balance(), 500, "a retry that helped is given back");
//!
//! // An outage: nothing succeeds, and soon nothing is granted.
//! let granted = (0..1_000)
//!     .filter(|_| {
//!         let mut account = budget.open();
//!         let Ok(mut token) = account.withdraw(Cause::Transient) else { return false };
//!         account.sent(&mut token);
//!         true
//!     })
//!     .count();
//! assert_eq!(granted, 35, "500 tokens at 14 a retry, for a thousand requests that want one");
//! # Ok::<(), evenkeel_budget::Exhausted>(())
//! ```
//!
//! # Which one
//!
//! | | limits | clock |
//! | --- | --- | --- |
//! | [`TokenBudget`] | what failures may cost beyond what successes return (AWS), or how many failures are answered with retries (gRPC) | none |
//! | [`RatioBudget`] | extra attempts to a share of the requests of the last seconds, exactly | one reading a request |
//! | [`InFlightBudget`] | extra attempts at the same time | none |
//! | `(A, B)` | what both grant | |
//! | [`Unlimited`] | nothing | none |
//! | [`AnyBudget`] | as the one in it, chosen at run time | |
//! | [`BudgetMap`] | one of them for each host or tenant, a bounded number | |
//! | [`Observed`] | as the one in it, and says so | |
//!
//! [`TokenBudget`]`::default()` suits nearly everyone, and is what the layers of `evenkeel-backoff` have.
//! `AdaptiveThrottle` (feature `throttle`) is none of them: it judges all requests, first attempts too.
//!
//! # When to use it, and when not
//!
//! Use one budget for each thing that can be overloaded: usually one per service that is called, shared by every client
//! of it in the process and by whatever sends it extra attempts. Do without ([`Unlimited`]) where a person waits for
//! each retry, or where the schedule alone bounds the work: a nightly job that calls once.
//!
//! # How it decides
//!
//! ```text
//!             open()                 one original request begins
//! Budget ───────────────▶ Account ── record(outcome)      after each attempt
//!                            │
//!                            ├────── withdraw(cause) ──▶ Err(Exhausted): no extra attempt
//!                            │            │
//!                            │            ▼
//!                            │          Token ── dropped before `sent`: as if it had not been asked for
//!                            │            │
//!                            └── sent(&mut token)          the attempt goes out: it is paid for
//! ```
//!
//! [`Outcome`] and [`Verdict`] are the words that a classifier answers with; [`Budget`] and [`Account`] are the form
//! that every budget has, yours too. [`Replay`] says which requests may be sent twice: retries and hedges ask it alike.
//!
//! A budget by reference is a budget as well, [`TokenBudget`], [`RatioBudget`], [`InFlightBudget`] and [`AnyBudget`] at least:
//! its accounts and tokens then count no references, which is most of what a token costs otherwise.
//!
//! # What is verified
//!
//! `tests/properties.rs` compares each budget with a naive model over arbitrary histories: the ratio with a list of all
//! events in 128 bits, under clocks that stand still, jump and go back. `tests/models.rs` runs what is shared through its
//! interleavings under loom: two withdrawals of one deposit grant one, a deposit while the window turns is not lost, a refund
//! and a withdrawal lose nothing, no more is in flight than there are places.
//!
//! # Features, runtimes, MSRV
//!
//! | feature | |
//! | --- | --- |
//! | `throttle` (default) | `AdaptiveThrottle`, and the future around a call; `pin-project-lite` |
//! | `tower` | `ThrottleLayer` and `ThrottleService` |
//! | `metrics` | `BudgetMetrics` and `ThrottleMetrics`: observers that count with the `metrics` facade |
//! | `serde` | `BudgetConfig`, `BudgetMapConfig`, `ThrottleConfig`: read from a file, unknown fields refused |
//!
//! No runtime, no lock but that of [`BudgetMap`], no allocation after a budget is built. Targets need 64-bit atomics. Rust
//! 1.85.

mod account;
mod any;
mod classify;
#[cfg(feature = "serde")]
mod config;
mod in_flight;
mod invalid;
mod late;
mod map;
#[cfg(feature = "metrics")]
mod metrics;
mod observe;
mod pair;
mod ratio;
mod replay;
mod share;
mod spend;
mod sync;
#[cfg(feature = "throttle")]
mod throttle;
mod token;
#[cfg(feature = "tower")]
mod tower;
mod unlimited;
mod unwinding;
mod verdict;
mod window;

pub use account::{Account, Balance, Budget, Cause, Earns, Exhausted};
pub use any::{AnyAccount, AnyBudget, AnyHandle, AnySnapshot, AnyToken};
pub use classify::{Classify, ErrIsTransient};
#[cfg(feature = "serde")]
pub use config::{BudgetConfig, BudgetMapConfig, ThrottleConfig};
pub use in_flight::{InFlightAccount, InFlightBudget, InFlightBuilder, InFlightSnapshot, InFlightToken};
pub use invalid::Invalid;
pub use late::LateAccount;
pub use map::{BudgetMap, MapBuilder, MapSnapshot};
#[cfg(feature = "metrics")]
pub use metrics::{BudgetMetrics, ThrottleMetrics};
pub use observe::{BudgetObserver, Observed, ObservedAccount, ObservedToken};
pub use ratio::{RatioAccount, RatioBudget, RatioBuilder, RatioHandle, RatioSnapshot, RatioToken};
pub use replay::{Always, Repeat, Replay};
pub use spend::{Spend, Unbudgeted};
#[cfg(feature = "throttle")]
pub use throttle::{
    AdaptiveThrottle, Admission, Call, Priority, Rejected, ThrottleBuilder, ThrottleError, ThrottleHandle,
    ThrottleObserver, ThrottleSnapshot,
};
pub use token::{Costs, TokenAccount, TokenBudget, TokenSnapshot, Tokens};
#[cfg(feature = "tower")]
pub use tower::{Prioritize, ThrottleFuture, ThrottleLayer, ThrottleService};
pub use unlimited::Unlimited;
pub use verdict::{Hint, Outcome, Verdict};
