//! One attempt that is out: what is known of it from the start, and how it is told when it ends.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
    time::{Duration, Instant},
};

use ::http::{HeaderMap, Response, Uri};

use super::{
    AttemptEnd, AttemptLog, AttemptRecord, ErrorWords,
    ids::{SentId, no_secret_of},
    secrets::Secrets,
};
use crate::http::hint;

/// Tells the log how the attempt ended: by `end`, or by its drop.
pub(super) struct Flight {
    log: AttemptLog,
    place: usize,
    started: Instant,
    sent_id: Option<SentId>,
    secrets: Secrets,
    /// What a drop tells; nothing before it was sent, and after it was told.
    untold: Option<AttemptEnd>,
}

impl Flight {
    pub(super) fn begin(log: &AttemptLog, place: usize, request: &HeaderMap, uri: Option<&Uri>) -> Self {
        let shared = &*log.0;
        let secrets = Secrets::of(&shared.key, request, uri);
        let sent_id = shared.ids.of_request(request, no_secret_of(&secrets, &shared.key));
        Self { log: log.clone(), place, started: (shared.clock)(), sent_id, secrets, untold: None }
    }

    /// From now on there is something to tell.
    pub(super) fn sent(&mut self) {
        self.untold = Some(AttemptEnd::Dropped);
    }

    /// Runs what is the attempt's own. Should it panic, that is how the attempt ended, whenever it is dropped afterwards.
    pub(super) fn run<T>(&mut self, attempt: impl FnOnce() -> T) -> T {
        let untold = self.untold.replace(AttemptEnd::Failed("panicked"));
        let output = attempt();
        self.untold = untold;
        output
    }

    /// It has ended by itself.
    pub(super) fn end<B, E>(mut self, result: &Result<Response<B>, E>, words: &impl ErrorWords<E>) {
        match result {
            Ok(response) => {
                self.untold = None;
                self.tell(AttemptEnd::Status(response.status()), Some(response.headers()));
            }
            Err(error) => {
                // Should there be no word for it, because the function panics, it has failed all the same.
                self.untold = Some(AttemptEnd::Failed("error"));
                self.untold = Some(AttemptEnd::Failed(words.word(error)));
            }
        }
    }

    fn tell(&self, mut end: AttemptEnd, response: Option<&HeaderMap>) {
        let shared = &*self.log.0;
        let mut took = None;
        if end == AttemptEnd::Dropped && !shared.dropped_after.is_zero() {
            // It is a failure unless the time says otherwise, which a clock that panics or went back does not.
            let time = catch_unwind(AssertUnwindSafe(|| self.took())).unwrap_or_else(|panic| {
                shared.totals.count(self.place, true);
                resume_unwind(panic)
            });
            if time.is_some_and(|time| time < shared.dropped_after) {
                end = AttemptEnd::DroppedSoon;
            }
            took = Some(time);
        }
        let is_failure = end.is_failure();
        let counted = shared.totals.count(self.place, is_failure);
        if !is_failure && !shared.everything {
            return;
        }
        let took = took.unwrap_or_else(|| self.took()).unwrap_or_default();
        let now = (shared.wall_clock)();
        let retry_after = |headers| hint::retry_after(headers, shared.wall_clock);
        let is_secret = no_secret_of(&self.secrets, &shared.key);
        let record = AttemptRecord {
            number: 0,
            service: shared.totals.service(self.place),
            at: now.checked_sub(took).unwrap_or(now),
            took,
            end,
            request_ids: shared.ids.of_attempt(self.sent_id.as_ref(), response, is_secret),
            retry_after: response.filter(|_| is_failure).and_then(retry_after),
        };
        shared.ring.push(record, counted);
    }

    /// How long it has taken; nothing, if the clock went back.
    fn took(&self) -> Option<Duration> {
        (self.log.0.clock)().checked_duration_since(self.started)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Some(end) = self.untold.take() else { return };
        if thread::panicking() {
            // A clock that panics as well would abort the program. What was counted stays counted.
            let _ = catch_unwind(AssertUnwindSafe(|| self.tell(end, None)));
        } else {
            self.tell(end, None);
        }
    }
}
