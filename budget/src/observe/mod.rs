//! What a budget tells those who watch it.

mod observed;

use std::{rc::Rc, sync::Arc};

pub use observed::{Observed, ObservedAccount, ObservedToken};

use crate::Cause;

/// Hears what is paid into a budget and out of it. Every method does nothing unless it is written.
///
/// It is called on the request's own path after the budget is settled: it may look at the budget, and should be quick.
/// `balance` is what [`Balance::balance`](crate::Balance::balance) says right after the event, which other threads may have changed by then.
///
/// # Panics
///
/// An observer that panics takes nothing from the budget. An extra attempt whose grant it was told of is given back, and
/// the panic goes on to whoever asked for it; while a thread unwinds, a second panic ends in the observer.
pub trait BudgetObserver {
    /// What it holds, when nothing below has happened: the watching begins, an attempt has ended that pays nothing (a failure
    /// lowers the gRPC form), or a token that was sent is dropped (its place is free).
    fn on_balance(&self, balance: f64) {
        let _ = balance;
    }

    /// A request has paid in, at most once. It says so also where a full budget had no room for it.
    fn on_deposit(&self, balance: f64) {
        let _ = balance;
    }

    /// An extra attempt is granted.
    fn on_withdrawal(&self, cause: Cause, balance: f64) {
        let _ = (cause, balance);
    }

    /// An extra attempt is refused.
    fn on_refusal(&self, cause: Cause, balance: f64) {
        let _ = (cause, balance);
    }

    /// An extra attempt that was granted was not sent, and is given back. What a success returns is a deposit.
    fn on_refund(&self, cause: Cause, balance: f64) {
        let _ = (cause, balance);
    }
}

/// Hears nothing.
impl BudgetObserver for () {}

/// Both hear all, the first one first.
impl<A: BudgetObserver, B: BudgetObserver> BudgetObserver for (A, B) {
    fn on_balance(&self, balance: f64) {
        self.0.on_balance(balance);
        self.1.on_balance(balance);
    }

    fn on_deposit(&self, balance: f64) {
        self.0.on_deposit(balance);
        self.1.on_deposit(balance);
    }

    fn on_withdrawal(&self, cause: Cause, balance: f64) {
        self.0.on_withdrawal(cause, balance);
        self.1.on_withdrawal(cause, balance);
    }

    fn on_refusal(&self, cause: Cause, balance: f64) {
        self.0.on_refusal(cause, balance);
        self.1.on_refusal(cause, balance);
    }

    fn on_refund(&self, cause: Cause, balance: f64) {
        self.0.on_refund(cause, balance);
        self.1.on_refund(cause, balance);
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<O: BudgetObserver + ?Sized> BudgetObserver for $pointer {
            fn on_balance(&self, balance: f64) {
                (**self).on_balance(balance);
            }

            fn on_deposit(&self, balance: f64) {
                (**self).on_deposit(balance);
            }

            fn on_withdrawal(&self, cause: Cause, balance: f64) {
                (**self).on_withdrawal(cause, balance);
            }

            fn on_refusal(&self, cause: Cause, balance: f64) {
                (**self).on_refusal(cause, balance);
            }

            fn on_refund(&self, cause: Cause, balance: f64) {
                (**self).on_refund(cause, balance);
            }
        }
    )*};
}

forward!(&O, Box<O>, Rc<O>, Arc<O>);
