//! A fleet of clients and the service that all of them call, in virtual time: what the experiments on load share.
//!
//! The service is a line and some workers: [`Server`]. Users come to the clients as a Poisson process, and each client does what
//! it does with the real crates: [`Client`]. What becomes of it all is counted in bins: [`Tally`].

mod caller;
mod server;
mod tally;
mod world;

pub use caller::{Guard, Unanswered, again, caller};
pub use server::{Arrival, Outage, Server, Service};
pub use tally::{Bin, Span, Tally};
pub use world::{Client, Failed, Requesting, Traffic, World};
