//! What asks `retry` to stop: the signals, and whether the child has had them.

use futures::Stream;

/// A signal, of those that ask a program to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    pub(crate) signal: u8,
    /// A terminal sends its keys to all that run in front, the child among them.
    pub(crate) child_has_it: bool,
}

impl Asked {
    /// The status of a program that a signal ended: 128 and its number.
    pub(crate) fn status(self) -> u8 {
        self.signal.saturating_add(128)
    }
}

/// All that come from now on, and none that was ignored when this program began, as SIGHUP is under `nohup`.
#[cfg(unix)]
pub(crate) fn asked_to_stop() -> impl Stream<Item = Asked> {
    use std::task::Poll;

    use tokio::signal::unix::signal;

    let mut signals: Vec<_> = SIGNALS
        .into_iter()
        .filter(|&number| !is_ignored(number))
        // One that cannot be had does what it does without us: it ends this program.
        .filter_map(|number| Some((number, signal(i32::from(number).into()).ok()?)))
        .collect();
    futures::stream::poll_fn(move |cx| {
        let came = signals.iter_mut().find_map(|(number, signal)| signal.poll_recv(cx).is_ready().then_some(*number));
        came.map_or(Poll::Pending, |signal| Poll::Ready(Some(Asked { signal, child_has_it: is_key(signal) })))
    })
}

/// SIGHUP, SIGINT, SIGQUIT and SIGTERM: these have the same numbers everywhere.
#[cfg(unix)]
pub(crate) const SIGNALS: [u8; 4] = [1, 2, 3, 15];

/// Whether it is what a terminal sends for a key, and this program runs in front on one.
///
/// Then the child has it, and one that had it twice would take the second for impatience and leave its cleaning up, as many
/// do. Somebody else may have sent it to this program alone all the same: then the child is killed after the grace.
#[cfg(unix)]
pub(crate) fn is_key(signal: u8) -> bool {
    let in_front =
        |terminal| rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp());
    matches!(signal, 2 | 3) && std::fs::File::open("/dev/tty").is_ok_and(in_front)
}

/// There is no safe call that asks for this; where there is no `/proc`, nothing counts as ignored.
#[cfg(unix)]
pub(crate) fn is_ignored(signal: u8) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(not(unix))]
pub(crate) fn asked_to_stop() -> impl Stream<Item = Asked> {
    futures::stream::once(async {
        match tokio::signal::ctrl_c().await {
            // A console sends it to all that it shows.
            Ok(()) => Asked { signal: 2, child_has_it: true },
            Err(_) => std::future::pending().await,
        }
    })
}
