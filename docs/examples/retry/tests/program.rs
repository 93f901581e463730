//! The program as a process, which real signals stop.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    os::{fd::OwnedFd, unix::net::UnixStream, unix::process::CommandExt},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Says which signal it hears, and ends.
const SAYING: &str =
    "for s in HUP INT QUIT TERM; do trap \"echo $s; exit 0\" $s; done; echo begun; while kill -0 $PPID; do :; done";
const SCRIPT: &str = "RETRY_TEST_SCRIPT";

#[test]
fn each_signal_reaches_the_child_which_may_clean_up() {
    for (signal, name) in signals::SIGNALS.into_iter().zip(["HUP", "INT", "QUIT", "TERM"]) {
        if signals::is_ignored(signal) {
            println!("skipped: these tests were begun with SIG{name} ignored, as under nohup");
            continue;
        }
        let program = Program::start(&mut myself());
        program.send(signal);
        assert_eq!(program.end(), (Some(i32::from(128 + signal)), format!("{name}\n")));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_ignored_from_the_start_stays_ignored() {
    let me = myself();
    let mut nohup = Command::new("sh");
    nohup.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(me.get_program()).args(me.get_args());
    let program = Program::start(&mut nohup);
    program.send(1);
    program.send(15);
    assert_eq!(program.end(), (Some(143), "TERM\n".to_owned()), "of two it would hear the lower first");
}

/// `script` runs a program in front on a terminal, as a shell does; and it is of all Debian systems.
#[cfg(target_os = "linux")]
#[test]
fn a_key_is_one_in_front_on_a_terminal_alone() {
    let me = format!("\"{}\" --exact tests::program::what_is_a_key --nocapture", env::current_exe().unwrap().display());
    let said = |program: &str, arguments: &[&str]| {
        let told = Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).output()?;
        Ok::<_, std::io::Error>(String::from_utf8(told.stdout).unwrap())
    };
    assert!(said("sh", &["-c", &me]).unwrap().contains("keys: []"), "a group of its own is behind");
    match said("script", &["-qec", &me, "/dev/null"]) {
        Ok(told) => assert!(told.contains("keys: [2, 3]"), "{told}"),
        Err(error) => println!("skipped: script: {error}"),
    }
}

/// What the test above starts.
#[test]
fn what_is_a_key() {
    println!("keys: {:?}", signals::SIGNALS.into_iter().filter(|&signal| signals::is_key(signal)).collect::<Vec<_>>());
}

/// What the first tests start: `retry` in a process of its own. By itself it has nothing to do.
#[test]
fn the_program_itself() {
    if let Ok(script) = env::var(SCRIPT) {
        std::process::exit(start(&parse(&["--grace=1h"], &["sh", "-c", &script])).into());
    }
}

/// The test before, in this very executable.
fn myself() -> Command {
    let mut me = Command::new(env::current_exe().unwrap());
    me.args(["--exact", "tests::program::the_program_itself", "--nocapture"]);
    me
}

struct Program {
    process: Child,
    heard: BufReader<UnixStream>,
}

impl Program {
    /// Ready when its child has begun.
    fn start(command: &mut Command) -> Self {
        let (theirs, ours) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        // A group of its own is not in front on a terminal: what the tests send is not taken for a key.
        command.env(SCRIPT, SAYING).process_group(0);
        command.stdin(OwnedFd::from(theirs.try_clone().unwrap())).stdout(OwnedFd::from(theirs)).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        // Else this end of theirs stays open in it.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut program = Self { process, heard: BufReader::new(ours) };
        // The test harness has its say before.
        while program.line() != "begun\n" {}
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.heard.read_line(&mut line).unwrap(), 0, "it ended");
        line
    }

    fn send(&self, signal: u8) {
        let id = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(id, Signal::from_named_raw(signal.into()).unwrap()).unwrap();
    }

    /// Its status, and what its child has written since it began.
    fn end(mut self) -> (Option<i32>, String) {
        let mut output = String::new();
        self.heard.read_to_string(&mut output).unwrap();
        (self.process.wait().unwrap().code(), output)
    }
}

/// For a test that fails: its child then finds no parent.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
