//! What other libraries do where it matters, run here, and beside it what ours do: the evidence of the chapter *Compared with*.
//!
//! A test is named after the version that it was seen in. What is asserted of another library is not a wish: when a new
//! version does otherwise, the test fails, and the chapter has a line to change.

#![cfg(not(loom))]
#![allow(missing_docs)]
// The others read the clock themselves, and share what they are told here.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

// What the stories are told with.
#[path = "peers/at_hand.rs"]
mod at_hand;

// The stories.
#[path = "peers/budgets.rs"]
mod budgets;
#[path = "peers/chapter.rs"]
mod chapter;
#[path = "peers/copies.rs"]
mod copies;
#[path = "peers/costs.rs"]
mod costs;
#[path = "peers/dropped.rs"]
mod dropped;
#[path = "peers/errors.rs"]
mod errors;
#[path = "peers/half_open.rs"]
mod half_open;
#[path = "peers/hedges.rs"]
mod hedges;
#[path = "peers/hints.rs"]
mod hints;
#[path = "peers/huge.rs"]
mod huge;
#[path = "peers/jitter.rs"]
mod jitter;
#[path = "peers/late.rs"]
mod late;
#[path = "peers/limits.rs"]
mod limits;
#[path = "peers/open_times.rs"]
mod open_times;
#[path = "peers/shared.rs"]
mod shared;
#[path = "peers/windows.rs"]
mod windows;
