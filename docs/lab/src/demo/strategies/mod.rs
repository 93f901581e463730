//! The strategies that are compared. One more is one more file here, and its line in [`ALL`].

mod bash;
mod evenkeel;
mod naive;
mod none;
mod tenacity;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use super::client::{Answer, Client, Request};

/// A way to turn one request into one final answer.
///
/// A value of it is made for each run, so what its requests share (a budget, breakers) are its fields.
pub trait Strategy: fmt::Debug + Send + Sync {
    /// Answers `request`, by sending it as often as it sees fit. It is dropped when the caller's patience ends.
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a>;
}

/// The future of a final answer. The one allocation for each request is of no account beside HTTP.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What a strategy may know of the run that it is made for.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The seed of the run.
    pub seed: u64,
    /// Requests a second.
    pub rps: f64,
    /// How long a caller waits, in the demo's time.
    pub patience: Duration,
}

/// A strategy's name, and how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Makes it for one run, whose requests that client sends.
    pub make: fn(&Setup, &Arc<Client>) -> Arc<dyn Strategy>,
}

/// All of them, in the order of the report.
pub const ALL: &[Entry] = &[
    Entry { name: "none", about: "one attempt", make: |_, _| Arc::new(none::None) },
    Entry { name: "naive", about: "3 retries at once, after anything but a 2xx", make: |_, _| Arc::new(naive::Naive) },
    Entry { name: "bash", about: "5 tries, waits of 5·2ⁿ s, only after a 500", make: |_, _| Arc::new(bash::Bash) },
    Entry {
        name: "tenacity",
        about: "7 tries, exponential waits of 4 s to 60 s without jitter, after a 500 or a timeout",
        make: |_, _| Arc::new(tenacity::Tenacity),
    },
    Entry {
        name: "evenkeel",
        about: "the second server where the first fails, is late or is down: breakers, hedging, retries, and one budget",
        make: |setup, client| Arc::new(evenkeel::Evenkeel::new(setup, client)),
    },
];

/// The strategy of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

fn is_success(answer: &Answer) -> bool {
    matches!(answer, Ok(response) if response.status().is_success())
}

fn is_500(answer: &Answer) -> bool {
    matches!(answer, Ok(response) if response.status() == http::StatusCode::INTERNAL_SERVER_ERROR)
}
