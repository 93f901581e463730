//! The tower layer.

mod future;
mod layer;

pub use future::ResponseFuture;
pub use layer::{RetryLayer, RetryService};
