//! What an error says for which there is no response: the `io::Error` in it, if there is one.

use std::{error::Error, io};

use evenkeel_budget::Verdict;

/// As many errors in one chain as are looked at. Real chains have fewer than ten; one that bites its tail has no end.
const MAX_LINKS: usize = 32;

/// What `error` says. The innermost `io::Error` that says anything is the cause, and what is around it only describes it.
pub(super) fn judge(error: &(dyn Error + 'static)) -> Verdict {
    chain(error).filter_map(|error| kind(error.kind())).last().unwrap_or(Verdict::transient())
}

/// The `io::Error`s that `error` is made of, the outermost first.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a io::Error> {
    let chain = std::iter::successors(Some(error), |error| inner(*error)).take(MAX_LINKS);
    chain.filter_map(|error| error.downcast_ref::<io::Error>())
}

/// What `error` was made of. The `source` of an `io::Error` passes over the error that it wraps.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn kind(kind: io::ErrorKind) -> Option<Verdict> {
    use io::ErrorKind as Kind;
    match kind {
        // Only what makes a connection answers with these, so that nothing was sent.
        Kind::ConnectionRefused | Kind::AddrNotAvailable | Kind::AddrInUse => Some(Verdict::transient().unprocessed()),
        // These come while connecting, and also on a connection whose route is lost in the middle of a request.
        Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::WriteZero
        | Kind::TimedOut
        | Kind::Interrupted
        | Kind::WouldBlock => Some(Verdict::transient()),
        // The same call fails in the same way: a bad address, a certificate that is not trusted, a firewall of our own.
        Kind::InvalidInput | Kind::InvalidData | Kind::PermissionDenied | Kind::Unsupported => {
            Some(Verdict::permanent())
        }
        // What it wraps may say more; so may what it is wrapped in.
        _ => None,
    }
}
