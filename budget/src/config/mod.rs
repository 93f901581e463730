//! Budgets and throttles from a configuration file.

mod budget;
mod map;
mod throttle;
mod value;

pub use budget::BudgetConfig;
pub use map::BudgetMapConfig;
pub use throttle::ThrottleConfig;
