//! For all histories: the breaker does what a naive one does, and time alone always leads on.
#![cfg(not(loom))]

#[path = "properties/agreement.rs"]
mod agreement;
#[path = "properties/liveness.rs"]
mod liveness;
#[path = "properties/naive.rs"]
mod naive;
#[path = "properties/world.rs"]
mod world;
