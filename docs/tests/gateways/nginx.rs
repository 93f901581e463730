//! An nginx of a test's own: started with the test, killed and reaped with it, its files in a temporary folder.

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::port::Port;

/// Longer than anything here takes on a machine that is busy: what hangs fails, instead of hanging the run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Nginx {
    program: PathBuf,
    folder: TempDir,
    port: Port,
    process: Option<Child>,
}

/// One line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) status: u16,
    /// Of each server that nginx asked for it, in order; `-` for nobody.
    pub(crate) upstream: String,
    pub(crate) path: String,
}

impl Nginx {
    /// One with `http` in its `http` block and `server` in its only server, when it answers. `None`, and a line that
    /// says why, where there is no nginx.
    pub(crate) async fn start(http: &str, server: &str) -> Option<Self> {
        let program = crate::tool::found("nginx")?;
        let folder = tempfile::Builder::new().prefix("evenkeel-nginx").tempdir().expect("a temporary folder");
        let port = Port::free().expect("a free port");
        let mut nginx = Self { program, folder, port, process: None };
        nginx.configure(http, server);
        nginx.start_again().await;
        Some(nginx)
    }

    /// Writes the configuration, which the next start or [`reload`](Self::reload) reads.
    pub(crate) fn configure(&self, http: &str, server: &str) {
        let listen = self.port.address();
        let text = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log error.log notice;
            events {{ worker_connections 512; }}
            http {{
                client_body_temp_path body; proxy_temp_path proxy;
                fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                log_format seen '$status|$upstream_status|$uri';
                access_log access.log seen;
                proxy_set_header X-Request-Id $request_id;
                {http}
                server {{
                    listen {listen};
                    location = /ready {{ access_log off; return 204; }}
                    {server}
                }}
            }}"
        );
        fs::write(self.file("nginx.conf"), text).expect("the folder can be written");
    }

    /// Starts it on the port that it had, and answers when it does.
    ///
    /// It is given the listening socket itself, as its standard input: there is no moment at which the port is somebody
    /// else's, and who connects before it is up waits in line instead of being refused.
    pub(crate) async fn start_again(&mut self) {
        self.stop();
        let listener = self.port.listen().and_then(tokio::net::TcpListener::into_std).expect("the port is held");
        let child = Command::new(&self.program)
            .arg("-p")
            .arg(self.folder.path())
            .arg("-c")
            .arg(self.file("nginx.conf"))
            .arg("-e")
            .arg(self.file("error.log"))
            .env("NGINX", "0;")
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its workers are to end with it, also when it cannot tell them.
            .process_group(0)
            .spawn()
            .expect("it was found");
        self.process = Some(child);
        self.ready().await;
    }

    /// Kills it in the middle of whatever it does. Its connections are reset, and new ones refused.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        signal("KILL", &format!("-{}", child.id()));
        // A shell that is not there does not keep the test waiting.
        let _ = child.kill();
        child.wait().expect("a child that nobody else waits for");
    }

    /// Has it read its configuration again, as `nginx -s reload` does.
    pub(crate) fn reload(&self) {
        let process = self.process.as_ref().expect("it runs");
        signal("HUP", &process.id().to_string());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    /// What it has answered so far. It writes the line of an answer before it reads its next request, and here that has
    /// been answered.
    pub(crate) async fn seen(&self) -> Vec<Line> {
        self.ready().await;
        fs::read_to_string(self.file("access.log")).expect("it was written").lines().map(line).collect()
    }

    /// The statuses of [`seen`](Self::seen).
    pub(crate) async fn statuses(&self) -> Vec<u16> {
        self.seen().await.iter().map(|line| line.status).collect()
    }

    async fn ready(&self) {
        let answer = timeout(PATIENCE, asked(&self.port)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let answered = answer.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 204"));
        assert!(answered, "{answer:?}: {}", fs::read_to_string(self.file("error.log")).unwrap_or_default());
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// At once, but by the master, which waits for its worker: killed, it would leave it to nobody.
impl Drop for Nginx {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        signal("TERM", &process.id().to_string());
        // An error is of one that has ended.
        let _ = process.wait();
    }
}

async fn asked(port: &Port) -> io::Result<String> {
    let mut connection = TcpStream::connect(port.address()).await?;
    connection.write_all(b"GET /ready HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn line(text: &str) -> Line {
    let mut parts = text.split('|');
    let mut part = || parts.next().expect("a line of our own format").to_owned();
    Line { status: part().parse().expect("a status"), upstream: part(), path: part() }
}

/// The standard library can only kill, and only one.
fn signal(name: &str, whom: &str) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", name, whom]).stderr(Stdio::null()).status();
    assert!(sent.is_ok(), "there is a shell");
}
