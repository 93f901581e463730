//! Which threads a public type may go to, and whether it survives a panic, is part of its promise.
#![cfg(not(loom))]

use std::panic::{RefUnwindSafe, UnwindSafe};

use evenkeel_budget::{
    Cause, Costs, ErrIsTransient, Exhausted, Hint, Outcome, TokenAccount, TokenBudget, Tokens, Unlimited, Verdict,
};

fn is<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
fn is_copy<T: Copy>() {}

#[test]
fn everything_goes_to_any_thread_and_survives_a_panic() {
    is::<TokenBudget>();
    is::<TokenAccount>();
    is::<Tokens>();
    is::<Unlimited>();
    is::<Verdict>();
    is::<Outcome>();
    is::<Hint>();
    is::<Cause>();
    is::<Exhausted>();
    is::<Costs>();
    is::<ErrIsTransient>();
}

#[test]
fn values_are_copies() {
    is_copy::<Unlimited>();
    is_copy::<Verdict>();
    is_copy::<Outcome>();
    is_copy::<Hint>();
    is_copy::<Cause>();
    is_copy::<Exhausted>();
    is_copy::<Costs>();
    is_copy::<ErrIsTransient>();
}
