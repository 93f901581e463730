//! A port of the loopback interface that stays ours while nobody listens on it, so that a server can be stopped and come back.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

#[derive(Debug)]
pub(crate) struct Port {
    address: SocketAddr,
    /// Bound and not listening: a connection is refused, and the system gives the port to nobody else.
    _held: TcpSocket,
}

impl Port {
    pub(crate) fn free() -> io::Result<Self> {
        let held = bound(([127, 0, 0, 1], 0).into())?;
        Ok(Self { address: held.local_addr()?, _held: held })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bound(self.address)?.listen(1024)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Two may be bound to one port as long as only one of them listens.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
