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
//! that every budget has, yours too.
//!
//! # What is verified
//!
//! `tests/properties.rs` compares [`TokenBudget`] with a naive model over arbitrary histories; `tests/models.rs` runs
//! it under loom: two withdrawals of the last tokens grant one, a refund and a withdrawal do not lose each other's
//! tokens, a deposit never fills it over its capacity.
//!
//! # Features, runtimes, MSRV
//!
//! No features, no dependencies, no clock and no runtime. Rust 1.85.

mod account;
mod any;
mod classify;
#[cfg(feature = "serde")]
mod config;
mod in_flight;
mod invalid;
mod map;
#[cfg(feature = "metrics")]
mod metrics;
mod observe;
mod pair;
mod ratio;
mod share;
mod sync;
#[cfg(feature = "throttle")]
mod throttle;
mod token;
#[cfg(feature = "tower")]
mod tower;
mod unlimited;
mod verdict;
mod window;

pub use account::{Account, Balance, Budget, Cause, Earns, Exhausted};
pub use any::{AnyAccount, AnyBudget, AnyToken};
pub use classify::{Classify, ErrIsTransient};
#[cfg(feature = "serde")]
pub use config::{BudgetConfig, BudgetMapConfig, ThrottleConfig};
pub use in_flight::{InFlightAccount, InFlightBudget, InFlightBuilder, InFlightSnapshot, InFlightToken};
pub use invalid::Invalid;
pub use map::{BudgetMap, MapBuilder, MapSnapshot};
#[cfg(feature = "metrics")]
pub use metrics::{BudgetMetrics, ThrottleMetrics};
pub use observe::{BudgetObserver, Observed, ObservedAccount, ObservedToken};
pub use ratio::{RatioAccount, RatioBudget, RatioBuilder, RatioHandle, RatioSnapshot, RatioToken};
#[cfg(feature = "throttle")]
pub use throttle::{
    AdaptiveThrottle, Admission, Call, Priority, Rejected, ThrottleBuilder, ThrottleError, ThrottleObserver,
    ThrottleSnapshot,
};
pub use token::{Costs, TokenAccount, TokenBudget, TokenSnapshot, Tokens};
#[cfg(feature = "tower")]
pub use tower::{Prioritize, ThrottleFuture, ThrottleLayer, ThrottleService};
pub use unlimited::Unlimited;
pub use verdict::{Hint, Outcome, Verdict};
