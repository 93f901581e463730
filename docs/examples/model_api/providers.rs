//! Servers that stand for two providers of a chat API, whose moods the program changes.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use tokio::{net::TcpListener, task::AbortHandle};

/// It serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

/// What a server is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    Well,
    /// 503, come back in a second.
    Failing,
    /// 503 once, and then well.
    FailsOnce,
    /// It takes the request, and no answer comes.
    Silent,
    /// 401: the key is not valid any more.
    RefusesUs,
}

#[derive(Debug)]
struct Shared {
    name: &'static str,
    mood: AtomicU8,
    requests: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Server {
    /// One that is well, on a free port of the loopback interface.
    pub(crate) async fn start(name: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            name,
            mood: AtomicU8::new(Mood::Well as u8),
            requests: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let app = Router::new().route("/v1/chat/completions", post(complete)).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await }).abort_handle();
        Ok(Self { address, shared, serving })
    }

    pub(crate) fn url(&self) -> Uri {
        let url = format!("http://{}/v1/chat/completions", self.address);
        url.parse().expect("an address makes a URL")
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.shared.mood.store(mood as u8, Ordering::Relaxed);
    }

    /// How many it has seen.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The most that it has worked on at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn complete(State(shared): State<Arc<Shared>>) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let _working = Working::on(&shared);
    answer(&shared).await
}

/// One more, until it is dropped: also when the caller has left, who ends the handler where it waits.
struct Working<'a>(&'a Shared);

impl<'a> Working<'a> {
    fn on(shared: &'a Shared) -> Self {
        let now = shared.now.fetch_add(1, Ordering::Relaxed) + 1;
        shared.most.fetch_max(now, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(shared: &Shared) -> Response {
    let once = Mood::FailsOnce as u8;
    if shared.mood.compare_exchange(once, Mood::Well as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match shared.mood.load(Ordering::Relaxed) {
        mood if mood == Mood::Failing as u8 => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "overloaded").into_response()
        }
        mood if mood == Mood::Silent as u8 => std::future::pending().await,
        mood if mood == Mood::RefusesUs as u8 => StatusCode::UNAUTHORIZED.into_response(),
        _ => {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let message =
                json!({ "role": "assistant", "content": format!("all is well, says the {} one", shared.name) });
            Json(json!({ "choices": [{ "index": 0, "message": message }] })).into_response()
        }
    }
}
