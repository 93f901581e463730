//! Which threads a public type may go to, and whether it survives a panic, is part of its promise.
#![cfg(not(loom))]

use std::panic::{RefUnwindSafe, UnwindSafe};

use evenkeel_budget::{
    AnyAccount, AnyBudget, AnyToken, BudgetMap, Cause, Costs, Earns, ErrIsTransient, Exhausted, Hint, InFlightAccount,
    InFlightBudget, InFlightBuilder, InFlightSnapshot, InFlightToken, Invalid, MapBuilder, MapSnapshot, Observed,
    ObservedAccount, ObservedToken, Outcome, RatioAccount, RatioBudget, RatioBuilder, RatioSnapshot, RatioToken,
    TokenAccount, TokenBudget, TokenSnapshot, Tokens, Unlimited, Verdict,
};

fn is<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
fn is_shared<T: Send + Sync + Unpin + 'static>() {}
fn is_copy<T: Copy>() {}

#[test]
fn everything_goes_to_any_thread_and_survives_a_panic() {
    is::<TokenBudget>();
    is::<TokenAccount>();
    is::<Tokens>();
    is::<TokenAccount<&'static TokenBudget>>();
    is::<TokenSnapshot>();
    is::<RatioBudget>();
    is::<RatioBuilder>();
    is::<RatioAccount>();
    is::<RatioAccount<&'static RatioBudget>>();
    is::<RatioToken>();
    is::<RatioSnapshot>();
    is::<InFlightBudget>();
    is::<InFlightBuilder>();
    is::<InFlightAccount>();
    is::<InFlightToken>();
    is::<InFlightSnapshot>();
    is::<Invalid>();
    is::<Earns>();
    is::<Unlimited>();
    is::<Verdict>();
    is::<Outcome>();
    is::<Hint>();
    is::<Cause>();
    is::<Exhausted>();
    is::<Costs>();
    is::<ErrIsTransient>();
    is::<Observed<TokenBudget, ()>>();
    is::<ObservedAccount<TokenBudget, ()>>();
    is::<ObservedToken<TokenBudget, ()>>();
    is::<AnyBudget>();
    is::<AnyAccount>();
    is::<AnyToken>();
    is::<MapSnapshot>();
    #[cfg(feature = "serde")]
    is::<evenkeel_budget::BudgetConfig>();
    #[cfg(feature = "serde")]
    is::<evenkeel_budget::BudgetMapConfig>();
    #[cfg(feature = "serde")]
    is::<evenkeel_budget::ThrottleConfig>();
}

/// They hold functions of others, of which nobody knows what a panic leaves behind.
#[test]
fn what_holds_the_code_of_others_goes_to_any_thread() {
    is_shared::<BudgetMap<String>>();
    is_shared::<MapBuilder<String>>();
    #[cfg(feature = "metrics")]
    is_shared::<evenkeel_budget::BudgetMetrics>();
    #[cfg(feature = "metrics")]
    is_shared::<evenkeel_budget::ThrottleMetrics>();
}

#[test]
fn values_are_copies() {
    is_copy::<RatioBuilder>();
    is_copy::<RatioSnapshot>();
    is_copy::<InFlightBuilder>();
    is_copy::<InFlightSnapshot>();
    is_copy::<TokenSnapshot>();
    is_copy::<Invalid>();
    is_copy::<Earns>();
    is_copy::<Unlimited>();
    is_copy::<Verdict>();
    is_copy::<Outcome>();
    is_copy::<Hint>();
    is_copy::<Cause>();
    is_copy::<Exhausted>();
    is_copy::<Costs>();
    is_copy::<ErrIsTransient>();
    is_copy::<MapSnapshot>();
    #[cfg(feature = "serde")]
    is_copy::<evenkeel_budget::BudgetConfig>();
}

#[cfg(feature = "throttle")]
#[test]
fn a_throttle_and_its_calls_go_wherever_their_parts_go() {
    use evenkeel_budget::{
        AdaptiveThrottle, Admission, Call, Priority, Rejected, ThrottleBuilder, ThrottleError, ThrottleSnapshot,
    };
    use std::{future::Ready, rc::Rc, time::Instant};

    is::<AdaptiveThrottle>();
    is::<Admission>();
    is::<Admission<&'static AdaptiveThrottle>>();
    is::<ThrottleBuilder>();
    is::<ThrottleSnapshot>();
    is::<ThrottleError<()>>();
    is::<Call<Ready<Result<(), ()>>>>();
    is_copy::<ThrottleBuilder>();
    is_copy::<ThrottleSnapshot>();
    is_copy::<ThrottleError<()>>();
    is_copy::<Rejected>();
    is_copy::<Priority>();

    // What is only for one thread is for that one, and borrows what it likes.
    fn is_shared<T: Clone>(_: T) {}
    let local = Rc::new(());
    let clock = || {
        let _ = &local;
        start()
    };
    is_shared(AdaptiveThrottle::builder().clock(clock).build().unwrap());

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods)]
        Instant::now()
    }
}

#[cfg(feature = "tower")]
#[test]
fn a_throttled_stack_goes_wherever_its_parts_go() {
    use evenkeel_budget::{ThrottleFuture, ThrottleLayer, ThrottleService};
    use std::future::Ready;

    is::<ThrottleLayer>();
    is::<ThrottleService<()>>();
    is::<ThrottleFuture<Ready<Result<(), ()>>>>();
}
