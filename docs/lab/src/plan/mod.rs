//! The policy calculator: a user's own configuration, in an outage of the service that it calls.
//!
//! [`Policy`] is what the file says, [`Load`] what it is asked about. [`Bounds`] are worst cases, worked out from the
//! configuration alone; [`Warning`]s say what will hurt; [`Measured`] is what a [fleet](crate::fleet) of clients with that
//! configuration came to, made of the real crates. [`Report`] is all of it.

mod bounds;
mod client;
mod facts;
mod human;
mod load;
mod measured;
mod policy;
mod refused;
mod report;
mod service;
mod show;
mod timeline;
mod warnings;
mod watch;

pub use bounds::Bounds;
pub use load::Load;
pub use measured::Measured;
pub use policy::Policy;
pub use refused::Refused;
pub use report::Report;
pub use service::{Layer, Service};
pub use warnings::Warning;
