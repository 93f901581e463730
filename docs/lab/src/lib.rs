//! **The lab**: what the experiments behind the book's figures share, and the demo of an incident.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`rng`] | randomness that replays exactly, keyed by what it is drawn for |
//! | [`stats`] | percentiles of latencies |
//! | [`chart`] | small multiples of line charts, as SVG |
//! | [`demo`] | a model API living through an incident, and the strategies of those who call it |
//!
//! Nothing here is published: the libraries that it measures are in the folders beside `docs`.

// The lab measures real programs in real time: its clocks and locks are none of the libraries' business.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod chart;
pub mod demo;
pub mod rng;
pub mod stats;
