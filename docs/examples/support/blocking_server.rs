//! A server of threads on a loopback port, for examples: it counts the connections, and ends with its owner.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Answers one connection after another with a function, each in a thread of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    calls: AtomicU32,
    has_ended: AtomicBool,
}

impl Server {
    /// `answer` is given the connection and its number, from 0.
    pub(crate) fn start<F>(answer: F) -> io::Result<Self>
    where
        F: Fn(TcpStream, u32) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (shared, answer) = (Arc::<Shared>::default(), Arc::new(answer));
        let ours = Arc::clone(&shared);
        let accept = move || {
            for connection in listener.incoming() {
                if ours.has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, number) = (Arc::clone(&answer), ours.calls.fetch_add(1, Ordering::Relaxed));
                // A client that has gone away is none of the server's troubles.
                thread::spawn(move || connection.and_then(|connection| answer(connection, number)));
            }
        };
        Ok(Self { address, shared, acceptor: Some(thread::spawn(accept)) })
    }

    /// How often it was called since this was asked last.
    pub(crate) fn calls(&self) -> u32 {
        self.shared.calls.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Relaxed);
        // It waits for a connection: here is one.
        if TcpStream::connect(self.address).is_ok() {
            if let Some(acceptor) = self.acceptor.take() {
                let _ = acceptor.join();
            }
        }
    }
}
