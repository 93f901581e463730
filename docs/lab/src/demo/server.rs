//! A service behind real TCP: it listens, stops listening for the first half of its outage, if it has one, and comes back.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    client::{ATTEMPT, IDEMPOTENCY_KEY, number, response},
    service::Service,
};

/// A server on a free port of the loopback interface, which serves until it is dropped.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes a free port.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves through the whole incident, and after it until the future is dropped.
    ///
    /// # Errors
    ///
    /// When it cannot accept, or cannot have its port back after the outage.
    pub async fn run(self, service: Arc<Service>) -> io::Result<()> {
        let Self { listener, address } = self;
        let Some(down) = service.refuses() else { return serve_until(listener, &service, None).await };
        let (close, reopen) = (service.start() + down.start, service.start() + down.end);

        serve_until(listener, &service, Some(close)).await?;
        // Bound and not listening: connections are refused, and nobody else is given the port.
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        sleep_until(reopen).await;
        serve_until(socket.listen(BACKLOG)?, &service, None).await
    }
}

/// As many connections as may be opened in one burst.
const BACKLOG: u32 = 1_024;

/// Accepts and serves; at `close` it drops the listener and every connection, kept alive or in the middle of an answer.
async fn serve_until(listener: TcpListener, service: &Arc<Service>, close: Option<Instant>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let closing = async {
        match close {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(closing);
    loop {
        tokio::select! {
            () = &mut closing => {
                drop(listener);
                connections.shutdown().await;
                return Ok(());
            }
            accepted = listener.accept() => {
                match accepted {
                    Ok((stream, _)) => drop(connections.spawn(serve(stream, Arc::clone(service)))),
                    // The caller has gone before it was its turn, which some systems report.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => return Err(error),
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, service: Arc<Service>) {
    // Neither matters to what is measured: a connection that breaks is the caller's to notice.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(request, &service));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(request: Request<Incoming>, service: &Arc<Service>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (id, attempt) = (number(request.headers(), IDEMPOTENCY_KEY), number(request.headers(), ATTEMPT));
    let reply = service.answer(id, u32::try_from(attempt).unwrap_or(u32::MAX)).await;
    Ok(response(reply).map(Full::new))
}
