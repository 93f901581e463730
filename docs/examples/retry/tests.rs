//! The command line, run on children of `sh`: statuses, and what is told.

use std::future::Future;

use clap::Parser;
use tempfile::TempDir;

use super::*;

#[path = "tests/ending.rs"]
mod ending;
#[path = "tests/program.rs"]
mod program;

/// The shortest waits, and nothing drawn.
const QUICK: &[&str] = &["--first=1ms", "--cap=1ms", "--jitter=none"];
/// More than any machine needs: for a test that would else hang when it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// The status, and what was told.
fn run(options: &[&str], command: &[&str]) -> (u8, String) {
    let args = parse(options, command);
    run_with(&args, |attempt| args.child(attempt))
}

fn parse(options: &[&str], command: &[&str]) -> Args {
    Args::try_parse_from([&["retry"], QUICK, options, &["--"], command].concat()).unwrap()
}

fn run_with(args: &Args, command: impl Fn(u32) -> Command) -> (u8, String) {
    on_tokio(async {
        let mut told = Vec::new();
        let status = retry(args, schedule(args).unwrap(), command, stream::pending(), &mut told).await;
        (status, String::from_utf8(told).unwrap())
    })
}

fn on_tokio<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it hangs") })
}

/// A script whose `$0` is a file, to which it adds a line at each attempt.
fn noting(options: &[&str], script: &str) -> (u8, String, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let notes = folder.path().join("notes");
    let script = format!("echo \"$RETRY_ATTEMPT\" >> \"$0\"; {script}");
    let (status, told) = run(options, &["sh", "-c", &script, notes.to_str().unwrap()]);
    (status, told, std::fs::read_to_string(notes).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn what_fails_twice_succeeds_at_the_third_attempt() {
    let (status, told, attempts) = noting(&["--attempts=5"], "test $(wc -l < \"$0\") -ge 3 || exit 7");
    assert_eq!(status, 0);
    assert_eq!(attempts, ["1", "2", "3"], "each knows its number");
    assert_eq!(
        told,
        "retry: attempt 2 of 5 in 1.0ms: exit status 7\nretry: attempt 3 of 5 in 1.0ms: exit status 7\n\
         retry: attempt 3 succeeded\n"
    );
}

#[test]
fn what_succeeds_at_once_is_run_once_and_nothing_is_told() {
    assert_eq!(noting(&[], "exit 0"), (0, String::new(), vec!["1".to_owned()]));
}

#[test]
fn the_status_is_that_of_the_last_attempt() {
    let (status, told, attempts) = noting(&[], "exit $((RETRY_ATTEMPT + 40))");
    assert_eq!((status, attempts.len()), (43, 3), "three attempts, unless another number is given");
    assert!(told.ends_with("retry: gave up after attempt 3, that was the last attempt: exit status 43\n"), "{told}");
    assert_eq!(noting(&["--attempts=1"], "exit 5").0, 5);
}

#[test]
fn only_the_statuses_that_are_named_are_tried_again() {
    let (status, told, attempts) =
        noting(&["--on=7,28", "--attempts=9"], "test $RETRY_ATTEMPT = 1 && exit 28; exit 22");
    assert_eq!((status, attempts.len()), (22, 2));
    assert!(told.ends_with("retry: gave up after attempt 2, not one to try again: exit status 22\n"), "{told}");
    assert_eq!(noting(&["--not-on=22"], "exit 22").2.len(), 1);
    assert_eq!(noting(&["--not-on=22"], "exit 28").2.len(), 3);
}

#[test]
fn what_cannot_be_run_is_not_tried_again() {
    let (status, told) = run(&["--on=127"], &["./no-such-program"]);
    assert_eq!(status, 127);
    assert!(
        told.starts_with("retry: gave up after attempt 1, not one to try again: \"./no-such-program\" could"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");

    let folder = TempDir::new().unwrap();
    let (status, told) = run(&["--on=126"], &[folder.path().to_str().unwrap()]);
    assert_eq!(status, 126);
    assert!(told.contains(&format!("{:?} could not be run: ", folder.path())), "{told}");

    assert_eq!(noting(&[], "no-such-program 2>&-").0, 127);
    assert_eq!(noting(&[], "no-such-program 2>&-").2.len(), 1, "a shell's word for it is taken");
    assert_eq!(noting(&["--on=127"], "exit 127").2.len(), 3, "unless it is named");
}

#[test]
fn a_child_that_a_signal_ends_is_128_and_its_number() {
    let (status, told, attempts) = noting(&["--attempts=2"], "kill -TERM $$");
    assert_eq!((status, attempts.len()), (143, 2));
    assert!(told.starts_with("retry: attempt 2 of 2 in 1.0ms: signal 15\n"), "{told}");
}

#[test]
fn a_wait_that_would_end_after_the_deadline_is_not_begun() {
    let (status, told, attempts) = noting(&["--deadline=1h", "--first=2h", "--cap=2h"], "exit 7");
    assert_eq!((status, attempts.len()), (7, 1), "the attempt's own status: it was not cut off");
    assert_eq!(told, "retry: gave up after attempt 1, the deadline has come: exit status 7\n");
}

#[test]
fn with_a_deadline_and_no_number_of_attempts_there_are_more_than_three() {
    let (status, told, attempts) = noting(&["--deadline=1h"], "test $RETRY_ATTEMPT -ge 6");
    assert_eq!((status, attempts.len()), (0, 6));
    assert!(told.starts_with("retry: attempt 2 in 1.0ms: exit status 1\n"), "{told}");
}

#[test]
fn a_factor_that_is_none_is_refused_by_the_library() {
    let refused = schedule(&parse(&["--factor=0.5"], &["true"])).unwrap_err();
    assert_eq!(refused.to_string(), "factor is 0.5: it must be a number from 1 to 255");
}
