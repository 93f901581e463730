//! What an estimate costs, beside the atomics that it is made of.
//!
//! `cargo bench -p evenkeel-hedging --bench quantile` prints the tables. Everything runs in one process, in turn.
#![allow(clippy::disallowed_methods)] // A bench measures time.

#[path = "../../backoff/benches/harness/mod.rs"]
#[allow(dead_code)] // It is made for futures as well.
mod harness;
#[path = "quantile/mod.rs"]
mod quantile;
#[path = "quantile/threads.rs"]
mod threads;

fn main() {
    quantile::compare_records();
    threads::compare_threads();
}
