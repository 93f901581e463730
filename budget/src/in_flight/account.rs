//! One request's side of a budget of places, and one extra attempt's.

use std::{borrow::Borrow, fmt};

use super::{InFlightBudget, places::InFlight};
use crate::{Account, Cause, Exhausted, Outcome};

/// One request's side of an [`InFlightBudget`]: it is in flight until this is dropped.
pub struct InFlightAccount<B: Borrow<InFlightBudget> = InFlightBudget> {
    budget: B,
}

impl<B: Borrow<InFlightBudget>> InFlightAccount<B> {
    pub(super) fn new(budget: B) -> Self {
        budget.borrow().places.enter(InFlight::ORIGINAL);
        Self { budget }
    }
}

impl<B: Borrow<InFlightBudget> + Clone> Account for InFlightAccount<B> {
    type Token = InFlightToken<B>;

    fn withdraw(&mut self, _: Cause) -> Result<InFlightToken<B>, Exhausted> {
        self.budget.borrow().places.try_extra()?;
        Ok(InFlightToken { budget: self.budget.clone() })
    }

    fn record(&mut self, _: Outcome) {}
}

impl<B: Borrow<InFlightBudget>> Drop for InFlightAccount<B> {
    fn drop(&mut self) {
        self.budget.borrow().places.leave(InFlight::ORIGINAL);
    }
}

impl<B: Borrow<InFlightBudget>> fmt::Debug for InFlightAccount<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlightAccount").finish_non_exhaustive()
    }
}

/// The place of one extra attempt under an [`InFlightBudget`], free again when this is dropped, sent or not.
#[must_use = "dropping the token ends the attempt: keep it while the attempt is in flight"]
pub struct InFlightToken<B: Borrow<InFlightBudget> = InFlightBudget> {
    budget: B,
}

impl<B: Borrow<InFlightBudget>> Drop for InFlightToken<B> {
    fn drop(&mut self) {
        self.budget.borrow().places.leave(InFlight::EXTRA);
    }
}

impl<B: Borrow<InFlightBudget>> fmt::Debug for InFlightToken<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlightToken").finish_non_exhaustive()
    }
}
