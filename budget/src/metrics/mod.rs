//! The observers that count, with the `metrics` facade.

mod budget;
mod throttle;

pub use budget::BudgetMetrics;
pub use throttle::ThrottleMetrics;
