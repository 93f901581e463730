//! One attempt: a child process, and how it failed.

use std::{
    cell::RefCell,
    ffi::OsString,
    fmt,
    future::{Future, poll_fn},
    io,
    pin::pin,
    process::ExitStatus,
    task::Poll,
};

use tokio::process::{Child, Command};

use super::signals::Asked;

/// How an attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It ended with this status.
    Exited(u8),
    /// This signal ended it.
    Killed(u8),
    /// It was ended, for it took longer than it may.
    TookTooLong,
    /// This program was not even begun.
    NotStarted(OsString, io::Error),
}

/// The child of the attempt that is running, or of the last one.
///
/// It is kept apart from the future that waits for it, so that it can still be heard out when that is dropped. Dropped itself, it
/// kills the child.
#[derive(Debug, Default)]
pub(crate) struct Running(RefCell<Option<Child>>);

impl Running {
    /// Runs it to its end. When `limit` is over first, ends it as [`end`](Self::end) does, by SIGTERM.
    pub(crate) async fn run(
        &self,
        mut command: Command,
        limit: impl Future<Output = ()>,
        grace: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        let child = command.kill_on_drop(true).spawn();
        let not_run = |error| Failure::NotStarted(command.as_std().get_program().to_owned(), error);
        self.0.replace(Some(child.map_err(not_run)?));
        tokio::select! {
            biased;
            status = self.ended() => match status {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(failure(status)),
                Err(error) => Err(not_run(error)),
            },
            () = limit => {
                self.hear(Asked { signal: 15, child_has_it: false });
                self.end(grace).await;
                Err(Failure::TookTooLong)
            }
        }
    }

    /// Lets the child have a signal that it has not had. One that has ended needs none.
    pub(crate) fn hear(&self, asked: Asked) {
        if let Some(child) = self.0.borrow_mut().as_mut().filter(|_| !asked.child_has_it) {
            send(child, asked.signal);
        }
    }

    /// Waits until the child has ended, and kills it when it has not when `grace` is over. What the child has started itself is
    /// the child's to end.
    pub(crate) async fn end(&self, grace: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            _ = self.ended() => return,
            () = grace => {}
        }
        if let Some(child) = self.0.borrow_mut().as_mut() {
            // It fails for one that has ended.
            let _ = child.start_kill();
        }
        let _ = self.ended().await;
    }

    async fn ended(&self) -> io::Result<ExitStatus> {
        poll_fn(|cx| match self.0.borrow_mut().as_mut() {
            Some(child) => pin!(child.wait()).poll(cx),
            None => Poll::Ready(Ok(ExitStatus::default())),
        })
        .await
    }
}

#[cfg(unix)]
fn send(child: &mut Child, signal: u8) {
    use rustix::process::{Pid, Signal, kill_process};
    // It has an id until its end was seen, and until then no other process can have that.
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let (Some(id), Some(signal)) = (id, Signal::from_named_raw(signal.into())) {
        let _ = kill_process(id, signal);
    }
}

/// There is nothing else that it could be sent.
#[cfg(not(unix))]
fn send(child: &mut Child, _: u8) {
    let _ = child.start_kill();
}

impl Failure {
    /// The status that stands for it, as shells and `timeout` have it.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Exited(status) => *status,
            Self::Killed(signal) => signal.saturating_add(128),
            Self::TookTooLong => 124,
            Self::NotStarted(_, error) if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotStarted(..) => 126,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Killed(signal) => write!(f, "signal {signal}"),
            Self::TookTooLong => f.write_str("it took too long, and was ended"),
            Self::NotStarted(program, error) => write!(f, "{program:?} could not be run: {error}"),
        }
    }
}

fn failure(status: ExitStatus) -> Failure {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Failure::Killed(u8::try_from(signal).unwrap_or(u8::MAX));
    }
    // On other systems a status can be longer than a byte, and this program's own cannot.
    Failure::Exited(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
