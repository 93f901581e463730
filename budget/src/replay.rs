//! Whether a request may be sent again, and how it is copied for that.

/// Whether a request may be sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Twice is as good as once.
    Always,
    /// Only if the service surely did not begin the work: it throttled the request, or could not be reached. (See
    /// [`Verdict::is_unprocessed`](crate::Verdict::is_unprocessed).)
    IfUnprocessed,
    /// Never, and it is not copied.
    Never,
}

/// Knows which requests may be sent again, and copies them.
///
/// Any `Fn(&Req) -> Repeat` is one for requests that are `Clone`; `http::by_method` of `evenkeel-backoff` (feature
/// `http`) is the one for HTTP. Write the trait for requests that need another way to be copied.
pub trait Replay<Req> {
    /// Whether `request` may be sent again. Asked once for each request, before the first attempt.
    fn repeat(&self, request: &Req) -> Repeat;

    /// A copy to send later, or `None` where it turns out that there can be none. Asked only while a further attempt can
    /// still follow.
    fn copy(&self, request: &Req) -> Option<Req>;
}

/// Every request may be sent again, and is cloned: the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Always;

impl<Req: Clone> Replay<Req> for Always {
    fn repeat(&self, _: &Req) -> Repeat {
        Repeat::Always
    }

    fn copy(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

impl<Req: Clone, F: Fn(&Req) -> Repeat> Replay<Req> for F {
    fn repeat(&self, request: &Req) -> Repeat {
        self(request)
    }

    fn copy(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}
