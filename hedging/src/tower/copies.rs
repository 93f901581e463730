//! How a request may be sent again, and the copy that is kept for that.

use evenkeel_budget::{Repeat, Replay, Verdict};

/// The copy of a request, as long as another attempt can follow.
pub(crate) struct Copies<Req, R> {
    replay: R,
    repeat: Repeat,
    next: Option<Req>,
}

impl<Req, R: Replay<Req>> Copies<Req, R> {
    /// Keeps a copy of the request that is about to be sent first, if another attempt can follow it.
    pub(crate) fn of(request: &Req, replay: R, more: bool) -> Self {
        let repeat = replay.repeat(request);
        let mut copies = Self { replay, repeat, next: None };
        copies.keep(request, more);
        copies
    }

    fn keep(&mut self, request: &Req, more: bool) {
        if more && self.repeat != Repeat::Never {
            self.next = self.replay.copy(request);
        }
    }

    /// The request of the next attempt; a copy of it is kept if another can follow. None where there is no copy.
    pub(crate) fn take(&mut self, more: bool) -> Option<Req> {
        let request = self.next.take()?;
        self.keep(&request, more);
        Some(request)
    }

    /// Whether none can be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    /// None will be taken.
    pub(crate) fn clear(&mut self) {
        self.next = None;
    }

    /// Whether the request may be sent again while the service may be working on it.
    pub(crate) fn may_hedge(&self) -> bool {
        self.next.is_some() && self.repeat == Repeat::Always
    }

    /// Whether it may be sent again after a failure with this verdict.
    pub(crate) fn may_repeat(&self, verdict: Verdict) -> bool {
        self.next.is_some()
            && match self.repeat {
                Repeat::Always => true,
                Repeat::IfUnprocessed => verdict.is_unprocessed(),
                Repeat::Never => false,
            }
    }
}
