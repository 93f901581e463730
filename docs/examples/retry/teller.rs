//! What `retry` tells: an observer that writes a line for every wait, and one for the end.

use std::{cell::RefCell, io::Write, num::NonZeroU32, time::Duration};

use evenkeel_backoff::{Cause, Observer, Stop};

use super::child::Failure;

/// Writes lines. That one cannot be written is no reason to stop.
pub(crate) struct Teller<W> {
    most_attempts: Option<NonZeroU32>,
    /// How the last attempt failed: an observer hears verdicts, and the classifier sees results.
    last: RefCell<String>,
    to: RefCell<W>,
}

impl<W: Write> Teller<W> {
    pub(crate) fn new(most_attempts: Option<NonZeroU32>, to: W) -> Self {
        Self { most_attempts, last: RefCell::default(), to: RefCell::new(to) }
    }

    /// Keeps what there is to tell about `result`.
    pub(crate) fn keep(&self, result: &Result<(), Failure>) {
        let told = match result {
            Ok(()) => String::new(),
            Err(failure) => failure.to_string(),
        };
        self.last.replace(told);
    }

    fn tell(&self, line: &str) {
        let _ = writeln!(self.to.borrow_mut(), "retry: {line}");
    }
}

impl<W: Write> Observer for Teller<W> {
    fn on_retry(&self, attempt: u32, _: Cause, delay: Duration) {
        let number = attempt.saturating_add(1);
        let of = self.most_attempts.map(|most| format!(" of {most}")).unwrap_or_default();
        self.tell(&format!("attempt {number}{of} in {delay:.1?}: {}", self.last.borrow()));
    }

    fn on_stop(&self, attempts: u32, stop: Stop) {
        let why = match stop {
            Stop::Success if attempts == 1 => return,
            Stop::Success => return self.tell(&format!("attempt {attempts} succeeded")),
            Stop::Exhausted => "that was the last attempt",
            Stop::Deadline => "the deadline has come",
            Stop::Permanent => "not one to try again",
            // A program asks for no delay and nobody pays for an attempt.
            other => other.as_str(),
        };
        self.tell(&format!("gave up after attempt {attempts}, {why}: {}", self.last.borrow()));
    }
}
