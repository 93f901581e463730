//! The server behind the gateway, which answers by the rules of HTTP only when it is told to.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use super::{nginx::PATIENCE, port::Port};

/// What it does with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// 200.
    Well,
    /// As [`Well`](Self::Well), when it is [released](Upstream::release).
    Held,
    /// This status, with these lines of headers, each ended by CRLF.
    Says(u16, &'static str),
    /// No answer, until the gateway has left.
    Silent,
    /// It resets the connection.
    Resets,
    /// It resets the connection in the middle of the body of a 200.
    BreaksOff,
    /// As [`Well`](Self::Well) for the first request of a connection; the second is reset.
    OncePerConnection,
}

#[derive(Debug)]
pub(crate) struct Upstream {
    port: Port,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    name: &'static str,
    usual: Mutex<Turn>,
    next: Mutex<VecDeque<Turn>>,
    /// The ids that the gateway gave to the requests.
    seen: Mutex<Vec<String>>,
    begun: Semaphore,
    released: Semaphore,
    left: Semaphore,
}

impl Upstream {
    /// One that is well.
    pub(crate) fn start(name: &'static str) -> Self {
        let shared = Arc::new(Shared {
            name,
            usual: Mutex::new(Turn::Well),
            next: Mutex::default(),
            seen: Mutex::default(),
            begun: Semaphore::new(0),
            released: Semaphore::new(0),
            left: Semaphore::new(0),
        });
        let mut upstream = Self { port: Port::free().expect("a free port"), shared, serving: None };
        upstream.start_again();
        upstream
    }

    pub(crate) fn start_again(&mut self) {
        let listener = self.port.listen().expect("the port is held");
        self.serving = Some(tokio::spawn(serve(listener, Arc::clone(&self.shared))));
    }

    /// Closes its port and its connections. When this has been awaited they are closed.
    pub(crate) async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// What it does from now on.
    pub(crate) fn is(&self, turn: Turn) {
        *self.shared.usual.lock().expect("no test panics with it in hand") = turn;
    }

    /// What it does with the next requests, before it is as usual again.
    pub(crate) fn next<const N: usize>(&self, turns: [Turn; N]) {
        self.shared.next.lock().expect("no test panics with it in hand").extend(turns);
    }

    /// How many requests it has seen.
    pub(crate) fn count(&self) -> usize {
        self.seen().len()
    }

    /// The gateway's ids of them.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().expect("no test panics with it in hand").clone()
    }

    /// Answers when one more request has begun.
    pub(crate) async fn begun(&self) {
        came(&self.shared.begun).await;
    }

    /// Lets one that is held be answered.
    pub(crate) fn release(&self) {
        self.shared.released.add_permits(1);
    }

    /// Answers when the gateway has left one that was silent.
    pub(crate) async fn left(&self) {
        came(&self.shared.left).await;
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

async fn came(events: &Semaphore) {
    timeout(PATIENCE, events.acquire()).await.expect("it comes").expect("it is not closed").forget();
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // The connections end with it.
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move { converse(connection, &shared).await });
        while connections.try_join_next().is_some() {}
    }
}

/// The requests of one connection, until either side has enough.
async fn converse(connection: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut connection = BufReader::new(connection);
    let mut earlier = 0;
    while let Some((id, keeps)) = request(&mut connection).await? {
        shared.seen.lock().expect("no test panics with it in hand").push(id);
        shared.begun.add_permits(1);
        let next = shared.next.lock().expect("no test panics with it in hand").pop_front();
        let turn = next.unwrap_or(*shared.usual.lock().expect("no test panics with it in hand"));
        match turn {
            Turn::OncePerConnection if earlier > 0 => return connection.get_ref().set_zero_linger(),
            Turn::Well | Turn::OncePerConnection => well(&mut connection, shared.name).await?,
            Turn::Held => {
                shared.released.acquire().await.map_err(io::Error::other)?.forget();
                well(&mut connection, shared.name).await?;
            }
            Turn::Says(status, headers) => {
                let answer = format!("HTTP/1.1 {status} -\r\n{headers}content-length: 5\r\n\r\nsorry");
                connection.write_all(answer.as_bytes()).await?;
            }
            Turn::Silent => {
                // What ends it is the gateway's leaving, in whichever way.
                let _ = connection.read_u8().await;
                shared.left.add_permits(1);
                return Ok(());
            }
            Turn::Resets => return connection.get_ref().set_zero_linger(),
            Turn::BreaksOff => {
                connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"choices\":").await?;
                return connection.get_ref().set_zero_linger();
            }
        }
        earlier += 1;
        if !keeps {
            return Ok(());
        }
    }
    Ok(())
}

async fn well(connection: &mut BufReader<TcpStream>, name: &str) -> io::Result<()> {
    let body = format!(r#"{{"choices":[{{"message":{{"role":"assistant","content":"{name}"}}}}]}}"#);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    connection.write_all((head + &body).as_bytes()).await
}

/// Reads one: the gateway's id of it, and whether the connection is to be kept. `None` when there is no further one.
async fn request(connection: &mut BufReader<TcpStream>) -> io::Result<Option<(String, bool)>> {
    let (mut id, mut length, mut keeps) = (String::new(), 0, true);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        match lower.trim().split_once(": ") {
            Some(("x-request-id", value)) => value.clone_into(&mut id),
            Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
            Some(("connection", "close")) => keeps = false,
            _ => {}
        }
    }
    connection.read_exact(&mut vec![0; length]).await?;
    Ok(Some((id, keeps)))
}
