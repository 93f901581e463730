//! **The lab**: the experiments behind the book's figures, what they share, and the demo of an incident.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`rng`] | randomness that replays exactly, keyed by what it is drawn for |
//! | [`stats`] | percentiles of latencies |
//! | [`clock`] | a clock that is moved by hand |
//! | [`paused`] | tokio's paused clock, for those who wait |
//! | [`drawn`] | a schedule with a jitter of its own in each session, which replays |
//! | [`side_by_side`] | worlds that know nothing of each other, on all threads |
//! | [`chart`] | small multiples of line charts, as SVG |
//! | [`table`] | columns of text |
//! | [`files`] | where reports are written |
//! | [`sheet`] | what an experiment shows: rows, tables, charts |
//! | [`experiment`] | the experiments by name |
//! | [`breaker`] | what a breaker costs and saves in an outage, and with a service that flaps |
//! | [`budgets`] | what each budget does when attempts fail |
//! | [`throttle`] | what a throttled service sees of an overload |
//! | [`hedging`] | what hedging cuts off the tail, and what it costs |
//! | [`jitter`] | a hundred clients that contend for one row: what the forms of jitter do about it |
//! | [`outage`] | a fleet of clients through an outage of the service, and whether they let it come back |
//! | [`overload`] | what a fleet leaves of a service that is asked for more than it can do |
//! | [`replica`] | one bad backend of ten, and who gets around it |
//! | [`plan`] | the policy calculator: a user's own configuration, in an outage |
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
pub mod drawn;
pub mod experiment;
pub mod files;
pub mod fleet;
pub mod hedging;
pub mod jitter;
pub mod outage;
pub mod overload;
pub mod paused;
pub mod plan;
pub mod replica;
pub mod rng;
pub mod sheet;
pub mod side_by_side;
pub mod soak;
pub mod stats;
pub mod table;
pub mod throttle;
