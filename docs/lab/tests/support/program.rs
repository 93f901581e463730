//! The demo's program with `--metrics`, as a child that is killed when its handle is dropped.
#![allow(dead_code)] // Each test file takes what it needs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

use crate::exposition::Exposition;

/// The threads that poll its tasks.
pub(crate) const WORKERS: u32 = 2;

/// The program. It is killed when this is dropped, by a test that fails as well.
pub(crate) struct Demo {
    child: Child,
    /// Kept open, as the other: who cannot write there panics.
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// Where it serves its metrics.
    address: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(args).args(["--report", concat!(env!("CARGO_TARGET_TMPDIR"), "/metrics")]);
    command.env("TOKIO_WORKER_THREADS", WORKERS.to_string());
    command
}

impl Demo {
    /// Begins, and waits until it has said where it serves.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = command(args);
        command.args(["--metrics", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the demo, which cargo has built");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut demo = Self { child, stdout, stderr, address: String::new() };
        let mut said = String::new();
        while demo.address.is_empty() {
            let line = said.len();
            assert!(demo.stderr.read_line(&mut said).expect("text") > 0, "it ended: {said}");
            let url = said[line..].trim().strip_prefix("metrics: http://");
            demo.address = url.and_then(|url| url.strip_suffix("/metrics")).unwrap_or_default().to_owned();
        }
        demo
    }

    /// The head and the body of what it answers; none when nobody listens any more.
    pub(crate) fn get(&self, path: &str) -> Option<(String, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let mut answer = String::new();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n").ok()?;
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.to_owned()))
    }

    pub(crate) fn scrape(&self) -> Option<Exposition> {
        let (head, body) = self.get("/metrics")?;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        Some(Exposition::parse(&body))
    }

    /// Waits for the end of its runs, and reads what `--json` says of the first.
    pub(crate) fn figures(&mut self) -> serde_json::Value {
        let mut said = String::new();
        self.stdout.read_line(&mut said).expect("text");
        let said: serde_json::Value = serde_json::from_str(&said).expect("one object");
        said["strategies"][0].clone()
    }

    /// Waits for its end, and returns whether that was well.
    pub(crate) fn end(&mut self) -> bool {
        // Its end closes the pipe.
        self.stderr.read_to_string(&mut String::new()).expect("text");
        self.child.wait().expect("it is ours").success()
    }
}
