//! The tower layer.

mod choose;
mod clones;
mod copies;
mod future;
mod layer;

pub use choose::{Choose, Chosen, Lent, Shared};
pub(crate) use copies::Copies;
pub use future::ResponseFuture;
pub use layer::{HedgeLayer, HedgeService};
