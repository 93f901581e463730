//! The protocol by which chromium is driven: commands and their results, and events in between, as JSON over a WebSocket.
//!
//! Of the libraries for it, those with all of the protocol in types take minutes to compile; what is needed here is this page.

use std::collections::VecDeque;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::chromium::PATIENCE;

pub(crate) struct Devtools {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The tab that commands are for, as soon as there is one.
    pub(crate) session: Option<String>,
    last: u64,
    /// What came while a result was waited for.
    events: VecDeque<Event>,
}

/// What chromium says without being asked.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl Devtools {
    pub(crate) async fn connect(address: &str) -> Self {
        let connected = timeout(PATIENCE, connect_async(address)).await.expect("chromium answers");
        let (socket, _) = connected.expect("a WebSocket");
        Self { socket, session: None, last: 0, events: VecDeque::new() }
    }

    /// The result of a command.
    ///
    /// # Panics
    ///
    /// If chromium refuses it, or does not answer.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(command.to_string())).await.expect("chromium is there");
        let id = self.last;
        let answer = async {
            loop {
                let mut message = self.receive().await;
                if message["id"] == id {
                    assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                    return message["result"].take();
                }
                self.events.extend(event(message));
            }
        };
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("no answer to {method}"))
    }

    /// The next event that came, or comes.
    pub(crate) async fn event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let message = self.receive().await;
            self.events.extend(event(message));
        }
    }

    /// The next event of those that have come.
    pub(crate) fn event_that_came(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    async fn receive(&mut self) -> Value {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("chromium is gone: {error}"),
                None => panic!("chromium is gone"),
            }
        }
    }
}

fn event(mut message: Value) -> Option<Event> {
    let method = message["method"].as_str()?.to_owned();
    Some(Event { method, params: message["params"].take() })
}
