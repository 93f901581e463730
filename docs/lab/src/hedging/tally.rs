//! What is counted of the requests of one row.

use std::{cell::Cell, time::Duration};

use crate::stats::Latencies;

/// One request under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: u64,
    /// When it began, since the start.
    pub(super) begun: Duration,
    /// How many attempts the service has seen of it.
    pub(super) sent: Cell<u32>,
    /// How long after the first attempt the second was sent.
    pub(super) second_after: Cell<Option<Duration>>,
}

impl Call {
    pub(super) const fn new(request: u64, begun: Duration) -> Self {
        Self { request, begun, sent: Cell::new(0), second_after: Cell::new(None) }
    }
}

/// The counts.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Of the requests that were answered with a success.
    pub(super) latencies: Latencies,
    pub(super) failed: u64,
    /// All that was measured.
    pub(super) all: Span,
    /// The first half minute after the start, which is not.
    pub(super) start: Span,
    /// The first second of what is measured.
    pub(super) first_second: Span,
    /// The first 10 s of that.
    pub(super) first_10_s: Span,
    /// From the second minute of that on.
    pub(super) later: Span,
    /// When a second attempt was first sent, since the start.
    pub(super) first_second_attempt: Option<Duration>,
    /// The sum over those that are measured, and how many there are.
    pub(super) second_after: (Duration, u32),
}

/// The requests that began in a span of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    from: Duration,
    to: Duration,
    pub(super) requests: u64,
    extra: u64,
}

impl Span {
    const fn new(from: Duration, to: Duration) -> Self {
        Self { from, to, requests: 0, extra: 0 }
    }

    /// Whether the request is one of them; then it is counted.
    fn count(&mut self, call: &Call) -> bool {
        let is_in = (self.from..self.to).contains(&call.begun);
        if is_in {
            self.requests += 1;
            self.extra += u64::from(call.sent.get().saturating_sub(1));
        }
        is_in
    }

    /// Attempts after the first, per request.
    pub(super) fn extra_load(&self) -> f64 {
        self.extra as f64 / self.requests.max(1) as f64
    }
}

impl Tally {
    /// What begins before `measured` is warm-up.
    pub(super) fn new(measured: Duration) -> Self {
        let seconds = Duration::from_secs;
        Self {
            latencies: Latencies::new(),
            failed: 0,
            all: Span::new(measured, Duration::MAX),
            start: Span::new(Duration::ZERO, seconds(30)),
            first_second: Span::new(measured, measured + seconds(1)),
            first_10_s: Span::new(measured, measured + seconds(10)),
            later: Span::new(measured + seconds(60), Duration::MAX),
            first_second_attempt: None,
            second_after: (Duration::ZERO, 0),
        }
    }

    /// A request was answered at `now`.
    pub(super) fn answered(&mut self, call: &Call, now: Duration, is_success: bool) {
        for span in [&mut self.start, &mut self.first_second, &mut self.first_10_s, &mut self.later] {
            span.count(call);
        }
        let second_after = call.second_after.get();
        if let Some(after) = second_after {
            let at = call.begun + after;
            self.first_second_attempt = Some(self.first_second_attempt.map_or(at, |first| first.min(at)));
        }
        if !self.all.count(call) {
            return;
        }
        if let Some(after) = second_after {
            self.second_after = (self.second_after.0 + after, self.second_after.1 + 1);
        }
        if is_success {
            self.latencies.record(now - call.begun);
        } else {
            self.failed += 1;
        }
    }
}
