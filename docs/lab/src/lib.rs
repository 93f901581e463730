//! **The lab**: the experiments behind the book's figures, what they share, and the demo of an incident.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`rng`] | randomness that replays exactly, keyed by what it is drawn for |
//! | [`stats`] | percentiles of latencies |
//! | [`clock`] | a clock that is moved by hand |
//! | [`chart`] | small multiples of line charts, as SVG |
//! | [`table`] | columns of text |
//! | [`files`] | where reports are written |
//! | [`sheet`] | what an experiment shows: rows, a table, a chart |
//! | [`breaker`] | what a breaker costs and saves in an outage, and with a service that flaps |
//! | [`budgets`] | what each budget does when attempts fail |
//! | [`throttle`] | what a throttled service sees of an overload |
//! | [`hedging`] | what hedging cuts off the tail, and what it costs |
//! | [`soak`] | the whole stack under random faults, and the audit of what it leaves behind |
//! | [`demo`] | a model API living through an incident, and the strategies of those who call it |
//!
//! Nothing here is published: the libraries that it measures are in the folders beside `docs`.

// The lab measures real programs in real time: its clocks and locks are none of the libraries' business.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod breaker;
pub mod budgets;
pub mod chart;
pub mod clock;
pub mod demo;
pub mod files;
pub mod hedging;
pub mod rng;
pub mod sheet;
pub mod soak;
pub mod stats;
pub mod table;
pub mod throttle;
