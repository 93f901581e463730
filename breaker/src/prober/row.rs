//! How many checks have failed in a row.

use crate::breaker::{Place, View};

/// It ends with a success, and when the breaker goes to a state that its checks have not led to: who has closed or forced it
/// knows better, and where no check follows nobody would hear that the row is over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) failures: u32,
    /// The last period in which the breaker was closed or forced.
    settled: Option<u64>,
}

impl Row {
    pub(super) fn look(&mut self, view: &View) {
        match view.place {
            Place::Closed | Place::Forced if self.settled != Some(view.period) => {
                *self = Self { failures: 0, settled: Some(view.period) };
            }
            Place::Closed | Place::Forced | Place::Open { .. } | Place::HalfOpen { .. } => {}
        }
    }

    pub(super) fn add(&mut self, success: bool) {
        self.failures = if success { 0 } else { self.failures.saturating_add(1) };
    }
}
