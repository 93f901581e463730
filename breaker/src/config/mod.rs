//! Breakers from a configuration file.

mod breaker;
mod map;
mod value;

pub use breaker::BreakerConfig;
pub use map::BreakerMapConfig;
