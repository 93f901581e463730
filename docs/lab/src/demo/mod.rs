//! The demo: strategies live through the same incident of a model API, and are compared.
//!
//! Each strategy has a fresh [`server`] for each [`provider`] (real HTTP over loopback TCP), the same [`load`] and the same
//! luck, drawn from one seed. All may call both providers; most know only the first. Strategies run one after the other, so that none is measured on a machine that another keeps busy.

pub mod args;
pub mod client;
mod counted;
pub mod incident;
pub mod load;
pub mod provider;
pub mod report;
pub mod run;
pub mod scrape;
pub mod server;
pub mod service;
pub mod strategies;
pub mod summary;
pub mod table;
pub mod timeline;
