//! What is cut off or stopped: it is asked to end, may clean up for a while, and is killed when it does not end.

use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::Stdio,
    rc::Rc,
    task::Poll,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    sync::Mutex,
};

use super::*;

// The children that hear signals wait in a loop of commands: a shell looks for signals between two, and one that came just before
// it blocks in a `read` would not be heard. They end with their parent, whatever becomes of the test.

/// Cleans up when a signal says that it is to end.
const TIDY: &[&str] =
    &["sh", "-c", "trap 'echo cleaned; exit 0' HUP INT QUIT TERM; echo begun; while kill -0 $PPID; do :; done"];
/// Hears what it is told, and goes on.
const STUBBORN: &[&str] = &["sh", "-c", "trap 'echo TERM' TERM; echo begun; while kill -0 $PPID; do :; done"];
/// For SIGINT, which tests that were begun in the background cannot hear: their shell had it ignored.
const SIGALRM: Asked = Asked { signal: 14, child_has_it: false };
const SIGTERM: Asked = Asked { signal: 15, child_has_it: false };

#[test]
fn an_attempt_that_takes_too_long_is_ended_and_is_124() {
    let (status, told, output) = silent(&["--attempt-timeout=20ms", "--attempts=2"]);
    assert_eq!(status, 124);
    assert_eq!(
        told,
        "retry: attempt 2 of 2 in 1.0ms: it took too long, and was ended\n\
         retry: gave up after attempt 2, that was the last attempt: it took too long, and was ended\n"
    );
    assert_eq!(output.trim_start_matches("begun\n"), "", "nobody is left who could write");
    assert_eq!(silent(&["--attempt-timeout=20ms", "--not-on=124"]).1.lines().count(), 1);
}

#[test]
fn the_deadline_ends_what_is_running_and_no_attempt_follows() {
    let (status, told, output) = silent(&["--deadline=20ms"]);
    assert_eq!(status, 124);
    assert_eq!(told, "retry: gave up after attempt 1, the deadline has come: it took too long, and was ended\n");
    assert_eq!(output.trim_start_matches("begun\n"), "");
}

#[test]
fn what_took_too_long_may_clean_up() {
    let (failure, output) = cut_off(TIDY, |_| pending());
    assert_eq!((failure.status(), output.as_str()), (124, "cleaned\n"));
}

#[test]
fn what_took_too_long_and_does_not_end_is_killed_after_the_grace() {
    let (failure, output) = cut_off(STUBBORN, |heard| async move {
        assert_eq!(next(&mut *heard.lock().await).await, "TERM");
    });
    assert_eq!((failure.status(), output.as_str()), (124, ""), "nobody is left who could write");
}

#[test]
fn asked_to_stop_it_lets_the_child_clean_up() {
    let (status, output) = stopped(&["--grace=1h"], TIDY, |_| stream::iter([SIGTERM]));
    assert_eq!((status, output.as_str()), (143, "cleaned\n"));
}

#[test]
fn without_a_grace_the_child_is_killed_at_once() {
    let (status, output) = stopped(&["--grace=0s"], STUBBORN, |_| stream::iter([SIGTERM]));
    assert_eq!((status, output.trim_start_matches("TERM\n")), (143, ""));
}

#[test]
fn each_further_signal_reaches_the_child_and_the_first_is_the_status() {
    let script = "trap 'echo TERM' TERM; trap 'echo ALRM; exit 0' ALRM; echo begun; while kill -0 $PPID; do :; done";
    let (status, output) = stopped(&["--grace=1h"], &["sh", "-c", script], |heard| {
        let after_term = async move {
            assert_eq!(next(&mut *heard.lock().await).await, "TERM");
            SIGALRM
        };
        stream::iter([SIGTERM]).chain(stream::once(after_term))
    });
    assert_eq!((status, output.as_str()), (143, "ALRM\n"));
}

#[test]
fn a_signal_that_the_child_has_had_is_not_sent_again() {
    let script =
        "trap 'echo ALRM; exit 0' ALRM; trap 'echo TERM; exit 0' TERM; echo begun; while kill -0 $PPID; do :; done";
    let had = Asked { child_has_it: true, ..SIGALRM };
    let (status, output) = stopped(&["--grace=1h"], &["sh", "-c", script], |_| stream::iter([had, SIGTERM]));
    assert_eq!((status, output.as_str()), (142, "TERM\n"), "of two a shell would hear the lower first");
}

#[test]
fn dropped_it_kills_the_child() {
    let args = parse(&[], STUBBORN);
    let (theirs, ours) = UnixStream::pair().unwrap();
    on_tokio(async {
        let mut heard = told_by(ours);
        let command = |attempt| talking(args.child(attempt), &theirs);
        tokio::select! {
            biased;
            status = retry(&args, schedule(&args).unwrap(), command, stream::pending(), Vec::new()) => panic!("{status}"),
            line = next(&mut heard) => assert_eq!(line, "begun"),
        }
        drop(theirs);
        assert_eq!(left(&mut heard).await, "");
    });
}

#[test]
fn asked_to_stop_in_a_wait_it_ends() {
    let args = parse(&["--first=1h", "--cap=1h"], &["sh", "-c", "exit 7"]);
    let told = RefCell::new(Vec::new());
    // Ready when the wait was told of: in the poll after the one in which it began.
    let stop = stream::once(poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if told.borrow().is_empty() { Poll::Pending } else { Poll::Ready(Asked { signal: 2, child_has_it: false }) }
    }));
    struct Shared<'a>(&'a RefCell<Vec<u8>>);
    impl Write for Shared<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let command = |attempt| args.child(attempt);
    let status = on_tokio(retry(&args, schedule(&args).unwrap(), command, stop, Shared(&told)));
    assert_eq!(
        (status, told.into_inner().as_slice()),
        (130, &b"retry: attempt 2 of 3 in 3600.0s: exit status 7\n"[..])
    );
}

type Told = BufReader<tokio::net::UnixStream>;

/// How an attempt fails whose limit is over when the child has begun, and what the child writes from then on.
fn cut_off<G: Future<Output = ()>>(command: &[&str], grace: impl FnOnce(Rc<Mutex<Told>>) -> G) -> (Failure, String) {
    let (theirs, ours) = UnixStream::pair().unwrap();
    let command = talking(parse(&[], command).child(0), &theirs);
    drop(theirs);
    on_tokio(async {
        let heard = Rc::new(Mutex::new(told_by(ours)));
        let begun = async { assert_eq!(next(&mut *heard.lock().await).await, "begun") };
        let failure = Running::default().run(command, begun, grace(heard.clone())).await.unwrap_err();
        (failure, left(&mut *heard.lock().await).await)
    })
}

/// The status of what is asked to stop by `signals` when the child has begun, and what the child writes that they do not read.
fn stopped<S: Stream<Item = Asked>>(
    options: &[&str],
    command: &[&str],
    signals: impl FnOnce(Rc<Mutex<Told>>) -> S,
) -> (u8, String) {
    let args = parse(options, command);
    let (theirs, ours) = UnixStream::pair().unwrap();
    on_tokio(async {
        let heard = Rc::new(Mutex::new(told_by(ours)));
        let begun = async { assert_eq!(next(&mut *heard.lock().await).await, "begun") };
        let stop = stream::once(begun).filter_map(|()| ready(None)).chain(signals(heard.clone()));
        let command = |attempt| talking(args.child(attempt), &theirs);
        let status = retry(&args, schedule(&args).unwrap(), command, stop, Vec::new()).await;
        drop(theirs);
        (status, left(&mut *heard.lock().await).await)
    })
}

/// Says that it has begun, and then nothing for a minute. It is one process, so that all of it is ended.
const SILENT: &[&str] = &["sh", "-c", "echo begun; exec sleep 60"];

/// The status, what was told, and all that was written, which is known when all of those who could have are gone.
fn silent(options: &[&str]) -> (u8, String, String) {
    let args = parse(options, SILENT);
    let (theirs, ours) = UnixStream::pair().unwrap();
    let (status, told) = run_with(&args, |attempt| talking(args.child(attempt), &theirs));
    drop(theirs);
    let output = on_tokio(async { left(&mut told_by(ours)).await });
    (status, told, output)
}

/// The command, which talks to `there` alone.
fn talking(mut command: Command, there: &UnixStream) -> Command {
    let end = || Stdio::from(OwnedFd::from(there.try_clone().unwrap()));
    command.stdin(end()).stdout(end());
    command
}

fn told_by(ours: UnixStream) -> Told {
    ours.set_nonblocking(true).unwrap();
    BufReader::new(tokio::net::UnixStream::from_std(ours).unwrap())
}

async fn next(heard: &mut Told) -> String {
    let mut line = String::new();
    heard.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

/// All that is still to come, which ends when all who could write are gone.
async fn left(heard: &mut Told) -> String {
    let mut output = String::new();
    heard.read_to_string(&mut output).await.unwrap();
    output
}
