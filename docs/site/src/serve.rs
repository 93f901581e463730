//! A built site over HTTP on this machine alone, for a reader's browser and for tests.

use std::{
    fs,
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use tower::ServiceExt as _;
use tower_http::{
    services::{ServeDir, ServeFile},
    set_status::SetStatus,
};

/// Binds `port` of 127.0.0.1, 0 being any free one, and returns the address with the future that serves the folder `site` there
/// until it is dropped.
///
/// A folder is answered with its `index.html`, what is not there with the site's `404.html`, and nothing is to be cached, so
/// that a page loaded again is the page built last. Nothing outside of the folder is served, also not by a symbolic link
/// within it.
///
/// # Errors
///
/// If there is no such folder, or the port cannot be bound. The future ends with the error of the listener, if it ever has one.
///
/// # Cancel safety
///
/// Dropping the future closes the port. Answers that are on their way are finished as long as the runtime lives.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let site = tempfile::tempdir()?;
/// std::fs::write(site.path().join("index.html"), "<h1>evenkeel</h1>")?;
///
/// let (address, serving) = evenkeel_site::serve::bind(site.path(), 0).await?;
/// assert!(address.ip().is_loopback() && address.port() > 0);
/// let server = tokio::spawn(serving);
/// // Now `http://{address}/` answers.
/// server.abort();
///
/// let nowhere = site.path().join("not-built-yet");
/// assert!(evenkeel_site::serve::bind(&nowhere, 0).await.is_err());
/// # Ok(())
/// # }
/// ```
// As all that binds a port on the runtime that it is served on.
#[allow(clippy::unused_async)]
pub async fn bind(
    site: &Path,
    port: u16,
) -> io::Result<(SocketAddr, impl Future<Output = io::Result<()>> + Send + use<>)> {
    let listener = listener(Some(port))?;
    Ok((listener.local_addr()?, on(site, listener)?))
}

/// The port that the site is served on where none is asked for.
pub const PORT: u16 = 3000;

/// Binds `port` of 127.0.0.1, 0 being any free one. Without one it is [`PORT`], or any that is free where that is taken.
///
/// # Errors
///
/// If the port cannot be bound; the error names it.
pub fn listener(port: Option<u16>) -> io::Result<TcpListener> {
    let bound = |port| {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("port {port} of 127.0.0.1: {error}"));
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(named)
    };
    match port {
        Some(port) => bound(port),
        None => bound(PORT).or_else(|_| bound(0)),
    }
}

/// The future that serves the folder `site` there until it is dropped, as [`bind`] has it.
///
/// # Errors
///
/// If there is no such folder. The future ends with the error of the listener, if it ever has one.
pub fn on(site: &Path, listener: TcpListener) -> io::Result<impl Future<Output = io::Result<()>> + Send + use<>> {
    let site = Site { root: fs::canonicalize(site)? };
    if !site.root.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is no folder", site.root.display())));
    }
    listener.set_nonblocking(true)?;
    let router = Router::new().fallback(answer).with_state(site);
    Ok(async move { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await })
}

#[derive(Clone)]
struct Site {
    /// Without symbolic links in it.
    root: PathBuf,
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    let missing = SetStatus::new(ServeFile::new(site.root.join("404.html")), StatusCode::NOT_FOUND);
    let answered = if site.may_show(request.uri().path()).await {
        ServeDir::new(&site.root).not_found_service(missing).oneshot(request).await.map(IntoResponse::into_response)
    } else {
        missing.oneshot(request).await.map(IntoResponse::into_response)
    };
    let mut response = answered.unwrap_or_else(|never| match never {});
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|kind| in_utf8(kind.to_str().ok()?)) {
        headers.insert(header::CONTENT_TYPE, text);
    }
    response
}

/// Browsers guess how a text is encoded, and guess wrong.
fn in_utf8(kind: &str) -> Option<HeaderValue> {
    let is_bare_text = kind.starts_with("text/") && !kind.contains(';');
    is_bare_text.then(|| HeaderValue::try_from(format!("{kind}; charset=utf-8")).ok()).flatten()
}

impl Site {
    /// Whether what this path leads to, links in the file system followed, lies within the site, or nowhere. `ServeDir` refuses
    /// `..` itself, but follows links.
    async fn may_show(&self, path: &str) -> bool {
        // As a redirect to itself with a slash after it, such a path would lead to another host.
        if path.starts_with("//") {
            return false;
        }
        let Ok(decoded) = percent_decode_str(path.trim_start_matches('/')).decode_utf8() else { return false };
        let file = match tokio::fs::canonicalize(self.root.join(&*decoded)).await {
            Ok(file) => file,
            // What is a file and has a slash after it is not there either, but `ServeDir` would find it.
            Err(error) => return error.kind() == io::ErrorKind::NotFound,
        };
        let index = tokio::fs::canonicalize(file.join("index.html")).await;
        file.starts_with(&self.root) && index.map_or(true, |index| index.starts_with(&self.root))
    }
}
