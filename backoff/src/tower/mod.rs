//! The tower layer.

mod future;
mod layer;
mod replay;

pub use future::ResponseFuture;
pub use layer::{RetryLayer, RetryService};
pub use replay::{Always, Repeat, Replay};
