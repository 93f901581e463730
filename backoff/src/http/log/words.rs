//! What an error is called in the log: a word that was written before there was a secret.

use std::{error::Error, io};

use crate::http::transport;

/// What errors of type `E` are called in an [`AttemptLog`](super::AttemptLog).
///
/// A function `|error: &E| …` to a `&'static str` is one. The answer is static so that it *cannot* hold anything of the
/// request: the `Display` of many HTTP clients' errors has the URL in it, and the URL may have a key.
pub trait ErrorWords<E> {
    /// What `error` is called: a few words, such as `timed out`.
    fn word(&self, error: &E) -> &'static str;
}

impl<F: Fn(&E) -> &'static str, E> ErrorWords<E> for F {
    fn word(&self, error: &E) -> &'static str {
        self(error)
    }
}

/// Calls errors what [`error_kind`] does. This is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorKinds;

impl<E: Error + 'static> ErrorWords<E> for ErrorKinds {
    fn word(&self, error: &E) -> &'static str {
        error_kind(error)
    }
}

/// What the innermost [`io::Error`] that says anything in the chain of `error`'s sources is called: `connection refused`,
/// `connection reset`, `timed out` and so on; `error` where there is none.
///
/// Whoever knows the client's own errors has better words:
///
/// ```
/// use evenkeel_backoff::http::error_kind;
/// use std::{error::Error, fmt, io};
///
/// #[derive(Debug)]
/// enum ClientError { Dns, Connect(io::Error) }
/// # impl fmt::Display for ClientError { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("no") } }
/// # impl Error for ClientError {
/// #     fn source(&self) -> Option<&(dyn Error + 'static)> {
/// #         match self { Self::Dns => None, Self::Connect(error) => Some(error) }
/// #     }
/// # }
///
/// assert_eq!(error_kind(&ClientError::Connect(io::ErrorKind::ConnectionRefused.into())), "connection refused");
/// assert_eq!(error_kind(&ClientError::Dns), "error");
///
/// // For `AttemptLogLayer::errors`.
/// let words = |error: &ClientError| match error {
///     ClientError::Dns => "name not resolved",
///     ClientError::Connect(_) => error_kind(error),
/// };
/// assert_eq!(words(&ClientError::Dns), "name not resolved");
/// ```
#[must_use]
pub fn error_kind(error: &(dyn Error + 'static)) -> &'static str {
    transport::chain(error).filter_map(|error| word(error.kind())).last().unwrap_or("error")
}

fn word(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => "connection refused",
        Kind::ConnectionReset => "connection reset",
        Kind::ConnectionAborted => "connection aborted",
        Kind::NotConnected => "not connected",
        Kind::BrokenPipe => "broken pipe",
        Kind::UnexpectedEof => "closed early",
        Kind::TimedOut => "timed out",
        Kind::HostUnreachable => "host unreachable",
        Kind::NetworkUnreachable => "network unreachable",
        Kind::NetworkDown => "network down",
        Kind::AddrInUse => "address in use",
        Kind::AddrNotAvailable => "address not available",
        Kind::PermissionDenied => "permission denied",
        Kind::InvalidInput => "invalid input",
        Kind::InvalidData => "invalid data",
        Kind::NotFound => "not found",
        Kind::WriteZero => "write zero",
        Kind::WouldBlock => "would block",
        Kind::Interrupted => "interrupted",
        Kind::Unsupported => "unsupported",
        // What it wraps may say more; so may what it is wrapped in.
        _ => return None,
    })
}
