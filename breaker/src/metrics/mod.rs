//! The observers that count, with the `metrics` facade.

mod breaker;
mod map;

pub use breaker::BreakerMetrics;
pub use map::{BreakerMapMetrics, KeyMetrics};
