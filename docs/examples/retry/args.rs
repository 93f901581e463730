//! The arguments of `retry`, and what is legal.

use std::{ffi::OsString, num::NonZeroU32, time::Duration};

use clap::{Parser, ValueEnum, builder::RangedU64ValueParser};
use evenkeel_backoff::{DEFAULT_MAX_ATTEMPTS, Jitter};
use tokio::process::Command;

/// Runs a program again when it fails.
///
/// After a failure it waits, longer each time, and runs the program once more, until it succeeds, there are no attempts left or
/// the deadline has come. The waits are random up to what the options say, so that machines which fail together do not come
/// back together.
#[derive(Clone, Debug, Parser)]
#[command(name = "retry", after_help = LEGEND, args_override_self = true)]
pub(crate) struct Args {
    /// How often to run it at most, the first time included [default: 3; with --deadline as often as fits]
    #[arg(long, value_name = "N")]
    pub(crate) attempts: Option<NonZeroU32>,

    /// The first wait; each further one is longer
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(crate) first: Duration,

    /// How many times the wait before each wait is, from 1 to 255
    #[arg(long, default_value_t = 2.0)]
    pub(crate) factor: f64,

    /// The longest wait
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    pub(crate) cap: Duration,

    /// How waits are spread
    #[arg(long, value_enum, default_value_t = Spread::Full)]
    pub(crate) jitter: Spread,

    /// When to give up, counted from the start: no attempt begins later, and one that is running then is ended
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) deadline: Option<Duration>,

    /// How long an attempt may take; one that takes longer is ended by SIGTERM, and has failed with status 124
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) attempt_timeout: Option<Duration>,

    /// How long a program that has a signal to end may clean up before it is killed
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub(crate) grace: Duration,

    /// Run it again after these statuses alone
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',', value_parser = failures(), conflicts_with = "not_on")]
    on: Vec<u8>,

    /// Run it again after all statuses but these, 126 and 127
    #[arg(long, value_name = "STATUS,…", value_delimiter = ',', value_parser = failures())]
    not_on: Vec<u8>,

    /// Tell nothing on stderr
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The spread of the waits by the names that the command line has for it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Spread {
    /// As it is
    None,
    /// From nothing to all of it
    Full,
    /// From half to all of it
    Equal,
}

const LEGEND: &str = "\
Times are `500ms`, `2s`, `1m 30s`. The status is that of the last attempt:
  its own       how the program ended
  124           it was ended, for it took too long
  126, 127      it could not be run, there is no such program: neither is tried again
  128 + n       signal n ended it, or this program
  2             these options make no sense

SIGHUP, SIGINT, SIGQUIT and SIGTERM stop this program, and reach the one it runs. Only that one: let what it has started itself
be ended by it, or by `timeout`.

The program has RETRY_ATTEMPT in its environment, from 1. Its stdin is this program's: what one attempt has read of a pipe, the
next one does not see. What it has written to stdout is written: give it a file of its own where half an answer is none.";

impl Args {
    /// The program for one attempt, numbered from 0.
    pub(crate) fn child(&self, attempt: u32) -> Command {
        let (program, arguments) = self.command.split_first().expect("clap asks for one at least");
        let mut command = Command::new(program);
        command.args(arguments).env("RETRY_ATTEMPT", attempt.saturating_add(1).to_string());
        command
    }

    /// Whether an attempt that ended with `status` may be followed by another.
    pub(crate) fn is_worth_it(&self, status: u8) -> bool {
        if self.on.is_empty() {
            // As shells mean them: the program that was asked for cannot be run.
            !matches!(status, 126 | 127) && !self.not_on.contains(&status)
        } else {
            self.on.contains(&status)
        }
    }

    /// How many attempts there can be, where that is known.
    pub(crate) fn most_attempts(&self) -> Option<NonZeroU32> {
        // As `Retry` has it for a schedule without end.
        self.attempts.or_else(|| self.deadline.is_none().then_some(DEFAULT_MAX_ATTEMPTS))
    }
}

impl From<Spread> for Jitter {
    fn from(spread: Spread) -> Self {
        match spread {
            Spread::None => Self::None,
            Spread::Full => Self::Full,
            Spread::Equal => Self::Equal,
        }
    }
}

/// In no time nothing can be run.
fn some_time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it must be more than zero".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// Zero is no failure.
fn failures() -> RangedU64ValueParser<u8> {
    RangedU64ValueParser::new().range(1..=255)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["retry"], args].concat())
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_status_2() {
        for options in [
            ["--attempts", "0"],
            ["--first", "soon"],
            ["--first", "-1s"],
            ["--cap", "1"],
            ["--deadline", ""],
            ["--deadline", "0s"],
            ["--attempt-timeout", "0ms"],
            ["--grace", "-1s"],
            ["--jitter", "some"],
            ["--on", "0"],
            ["--on", "256"],
            ["--on", "1,,2"],
            ["--not-on", "all"],
            ["--factor", "two"],
        ] {
            let refused = parse(&[&options[..], &["--", "true"]].concat()).unwrap_err();
            assert_eq!(refused.exit_code(), 2, "{options:?}");
        }
        assert_eq!(parse(&["--on=1", "--not-on=2", "true"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&["--attempts", "2", "--"]).unwrap_err().exit_code(), 2, "no program");
    }

    #[test]
    fn a_mistyped_option_is_not_run_as_the_program() {
        for typo in [
            &["--attemps", "5", "--", "touch", "made"][..],
            &["-x", "true"],
            &["--deadlin=5s", "curl"],
            &["--quiet", "--vresion", "--", "true"],
            &["--version"],
        ] {
            let refused = parse(typo).unwrap_err();
            assert_eq!((refused.kind(), refused.exit_code()), (clap::error::ErrorKind::UnknownArgument, 2), "{typo:?}");
        }
    }

    #[test]
    fn the_options_of_the_program_are_its_own() {
        for options in [&["--quiet", "--", "curl", "--quiet", "-f"][..], &["--quiet", "curl", "--quiet", "-f"]] {
            assert_eq!(parse(options).unwrap().command, ["curl", "--quiet", "-f"]);
        }
        assert_eq!(
            parse(&["curl", "-fsS", "--attempts", "--", "-x"]).unwrap().command[1..],
            ["-fsS", "--attempts", "--", "-x"]
        );
        assert_eq!(parse(&["--", "sh", "-c", "exit", "--x"]).unwrap().command, ["sh", "-c", "exit", "--x"]);
        assert_eq!(parse(&["--", "--odd", "-x"]).unwrap().command, ["--odd", "-x"], "a program of such a name");
    }

    #[test]
    fn statuses_are_chosen_by_name_or_by_exception() {
        let worth_it = |options: &[&str], status| parse(&[options, &["true"]].concat()).unwrap().is_worth_it(status);
        assert!(worth_it(&[], 1) && worth_it(&[], 124) && !worth_it(&[], 126) && !worth_it(&[], 127));
        assert!(worth_it(&["--on=7,28", "--on", "127"], 127) && worth_it(&["--on=7,28", "--on=127"], 7));
        assert!(!worth_it(&["--on=7,28"], 1) && !worth_it(&["--on=7,28"], 124));
        assert!(!worth_it(&["--not-on=22"], 22) && worth_it(&["--not-on=22"], 7) && !worth_it(&["--not-on=22"], 127));
    }

    #[test]
    fn with_a_deadline_there_are_as_many_attempts_as_fit() {
        let most =
            |options: &[&str]| parse(&[options, &["true"]].concat()).unwrap().most_attempts().map(NonZeroU32::get);
        assert_eq!(most(&[]), Some(3));
        assert_eq!(most(&["--attempts=8", "--attempts=9"]), Some(9), "of one option the last counts, as in an alias");
        assert_eq!(most(&["--deadline=1m"]), None);
        assert_eq!(most(&["--deadline=1m", "--attempts=9"]), Some(9));
    }
}
