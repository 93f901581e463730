//! Policies and estimates from a configuration file.

mod hedge;
mod quantile;
mod value;

pub use hedge::HedgeConfig;
pub use quantile::QuantileConfig;
