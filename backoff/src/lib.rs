//! **When to try again.**
#![no_std]

#[cfg(feature = "std")]
extern crate std;

mod invalid;
#[cfg(feature = "retry")]
mod retry;
mod schedule;
#[cfg(feature = "tower")]
mod tower;

pub use self::{
    invalid::Invalid,
    schedule::{
        AnyDelays, AnySchedule, Builder, Constant, Decorrelated, Delays, Exponential, Fibonacci, Jitter, Linear, Ratio,
        Schedule, curve,
    },
};

#[cfg(feature = "retry")]
pub use self::retry::{
    AttemptTimeout, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_SERVER_DELAY, NoTimeout, Observer, Policy, PolicyFor, Retry, Run,
    Spend, Stop, Unbudgeted,
};
#[cfg(feature = "tower")]
pub use self::tower::{Always, Repeat, Replay, ResponseFuture, RetryLayer, RetryService};
#[cfg(feature = "retry")]
#[doc(no_inline)]
pub use evenkeel_budget::{
    Account, Budget, Cause, Classify, Costs, ErrIsTransient, Exhausted, Hint, Outcome, TokenBudget, Unlimited, Verdict,
};
