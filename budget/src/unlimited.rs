//! The budget that grants everything.

use crate::{Account, Balance, Budget, Cause, Earns, Exhausted, Outcome};

/// Grants every extra attempt: for work that something else bounds.
///
/// It is its own account and takes no space. With it, a client that retries three times sends an unwell service four
/// times its load; prefer [`TokenBudget`](crate::TokenBudget) wherever many callers share a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlimited;

impl Budget for Unlimited {
    type Account = Self;

    fn open(&self) -> Self {
        Self
    }

    fn opens_late(&self) -> bool {
        true
    }
}

/// By reference as by value.
impl Budget for &Unlimited {
    type Account = Unlimited;

    fn open(&self) -> Unlimited {
        Unlimited
    }

    fn opens_late(&self) -> bool {
        true
    }
}

impl Account for Unlimited {
    type Token = ();

    fn withdraw(&mut self, _: Cause) -> Result<(), Exhausted> {
        Ok(())
    }

    fn record(&mut self, _: Outcome) {}
}

impl Balance for Unlimited {
    fn earns(&self) -> Earns {
        Earns::Nothing
    }

    fn balance(&self) -> f64 {
        f64::INFINITY
    }
}
