//! What evenkeel costs, measured beside its peers: in one run, candidates in turn, so that whatever else the machine does hits all
//! alike.
//!
//! `cargo xtask bench` runs it. Two programs share the [`cases`]: `bench` has the system's allocator and measures time, `heap`
//! counts allocations, which takes time of its own. What was measured when the book was written is kept in `results/`, and its
//! tables and charts are made of that.
#![allow(clippy::disallowed_methods)] // A bench measures time.
#![allow(clippy::disallowed_types)] // And what one writes by hand has a lock.

#[cfg(feature = "shown")]
pub mod builds;
#[cfg(feature = "measure")]
pub mod cases;
pub mod compiler;
mod echo;
#[cfg(feature = "shown")]
pub mod growth;
pub mod hot;
pub mod instructions;
pub mod machine;
#[cfg(feature = "measure")]
pub mod measure;
pub mod poll;
#[cfg(feature = "shown")]
pub mod recorded;
pub mod row;
#[cfg(feature = "shown")]
pub mod sheet;
pub mod target;
