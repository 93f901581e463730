//! **The site**: the book, with charts that the lab draws while it is built, and the API, under one roof.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`build`] | all of it, in order, and puts the result in place as a whole |
//! | [`sheets`] | runs the experiments that the chapters ask for, side by side |
//! | [`figures`] | `{{#charts …}}` and `{{#figures …}}` in a chapter |
//! | [`chart`] | a picture of the lab in the colours of the page |
//! | [`api`] | links to the API as rustdoc resolved them, and rustdoc's pages |
//! | [`files`] | pages for the files of the repository that the book links to |
//! | [`markdown`] | links and code in a text |
//! | [`check`] | that no link of the site is broken |
//! | [`serve`] | the site over HTTP, on this machine |
//! | [`watch`] | builds it again when a chapter has changed |

pub mod api;
pub mod build;
pub mod chart;
pub mod check;
pub mod figures;
pub mod files;
mod lost;
pub mod markdown;
mod modules;
mod place;
mod refusal;
pub mod serve;
pub mod sheets;
pub mod watch;

pub use refusal::Refusal;
