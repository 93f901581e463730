//! Budgets and throttles from a configuration file.

mod budget;
mod human;
mod map;
mod throttle;

pub use budget::BudgetConfig;
pub use map::BudgetMapConfig;
pub use throttle::ThrottleConfig;
