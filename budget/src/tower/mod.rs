//! The tower layer.

mod future;
mod layer;

pub use future::ThrottleFuture;
pub use layer::{Prioritize, ThrottleLayer, ThrottleService};
