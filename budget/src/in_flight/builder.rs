//! What a budget of places is made of, checked before there is one.

use super::{InFlightBudget, Limit, Places};
use crate::{Invalid, share::Share, sync::Arc};

/// Makes an [`InFlightBudget`]; each setting has a default.
///
/// ```
/// use evenkeel_budget::InFlightBudget;
///
/// let refused = InFlightBudget::builder().share(-0.2).build().unwrap_err();
/// assert_eq!(refused.to_string(), "share is -0.2: it must be a number from 0 to 1000");
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct InFlightBuilder {
    pub(super) share: f64,
    pub(super) min_concurrency: u32,
}

impl InFlightBuilder {
    /// Extra attempts in flight for each original in flight, from 0 to 1000, to nine decimals. 0.2 when left out.
    pub const fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Extra attempts that may be in flight however few originals are. 3 when left out; with 0, and a share of 0 as well,
    /// nothing is ever granted.
    pub const fn min_concurrency(mut self, min_concurrency: u32) -> Self {
        self.min_concurrency = min_concurrency;
        self
    }

    /// The budget, with nothing in flight.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the share is not a number from 0 to 1000.
    pub fn build(self) -> Result<InFlightBudget, Invalid> {
        let limit = Limit { share: Share::new("share", self.share)?, min_concurrency: self.min_concurrency };
        Ok(InFlightBudget { places: Arc::new(Places::new(limit)) })
    }
}
