//! How what a call costs grows with what there is: results, keys, traffic, attempts, services; and what each thing takes.
//!
//! `cargo run --release -p evenkeel-bench --bin growth` measures it. What it was when the book was written is kept in
//! `results/growth.json`, and [`sheet`] makes the tables and charts of that.

mod charts;
mod view;

#[cfg(feature = "measure")]
mod breakers;
#[cfg(feature = "measure")]
mod budgets;
#[cfg(feature = "measure")]
mod grower;
#[cfg(feature = "measure")]
mod hand;
#[cfg(feature = "measure")]
mod hedges;
#[cfg(feature = "measure")]
mod keys;
#[cfg(feature = "measure")]
mod memory;
#[cfg(feature = "measure")]
mod quantiles;
#[cfg(feature = "measure")]
mod retries;
#[cfg(feature = "measure")]
mod schedules;

use serde::{Deserialize, Serialize};

#[cfg(feature = "measure")]
pub use grower::{Plan, measured};
pub use view::sheet;

/// All that one run has measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Processor and system.
    pub machine: String,
    /// Chart by chart, line by line.
    pub points: Vec<Point>,
    /// What each thing takes.
    pub memory: Vec<Size>,
}

/// One point of a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Which chart it is on, by its short name.
    pub chart: String,
    /// The line: who.
    pub line: String,
    /// How many, or how long: the chart says of what.
    pub x: f64,
    /// Nanoseconds of a call, or of what else the chart says.
    pub ns: Option<f64>,
    /// Bytes.
    pub bytes: Option<f64>,
    /// Allocations of a call.
    pub allocs: Option<f64>,
}

/// What one thing takes, in bytes: its own size and what it has on the heap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// What it is.
    pub thing: String,
    /// When it is made.
    pub made: u64,
    /// After it was used; the same for what lives for a call.
    pub used: u64,
}
