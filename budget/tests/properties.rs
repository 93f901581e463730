//! For all histories: each budget does what a naive model of it does.
#![cfg(not(loom))]

mod support;

#[path = "properties/grpc.rs"]
mod grpc;
#[path = "properties/in_flight.rs"]
mod in_flight;
#[path = "properties/pair.rs"]
mod pair;
#[path = "properties/ratio.rs"]
mod ratio;
#[path = "properties/tokens.rs"]
mod tokens;

use proptest::sample::Index;

/// One of those that are there. An index counts round among them.
fn pick<'a, T>(index: &Index, of: &'a mut [T]) -> Option<&'a mut T> {
    if of.is_empty() { None } else { Some(index.get_mut(of)) }
}
