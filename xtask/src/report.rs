//! Steps as the user sees them: announced, timed, and at the end listed.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::step::Step;

/// Runs the steps of a task and keeps their times. It writes to the error stream alone: standard output belongs to what is run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    done: Vec<Done>,
}

/// Why a task ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The usage was asked for.
    Help,
    /// It was called in a way that it does not know.
    Usage(String),
    /// It failed, and has said why.
    Exit(u8),
}

#[derive(Debug)]
struct Done {
    name: &'static str,
    times: usize,
    took: Duration,
    passed: bool,
}

impl Report {
    /// Runs a command; a failure ends the task with the line that repeats it.
    pub(crate) fn run(&mut self, step: &Step) -> Result<(), Stop> {
        self.check(step.name, &step.to_string(), || match step.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(format!("cargo did not start: {error}")),
        })
    }

    /// Runs a check of our own, which `line` repeats; its error is what there is to say about a failure.
    // Tools may read the clock where the libraries may not.
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn check(
        &mut self,
        name: &'static str,
        line: &str,
        check: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), Stop> {
        eprintln!("▸ {line}");
        let start = Instant::now();
        let result = check();
        let took = start.elapsed();
        self.add(name, took, result.is_ok());
        match result {
            Ok(()) => {
                eprintln!("✓ {}", Seconds(took));
                Ok(())
            }
            Err(why) => {
                eprintln!("✗ {name}: {why}, after {}. To run it again:\n  {line}", Seconds(took));
                Err(Stop::Exit(1))
            }
        }
    }

    fn add(&mut self, name: &'static str, took: Duration, passed: bool) {
        match self.done.last_mut() {
            Some(last) if last.name == name => {
                last.times += 1;
                last.took += took;
                last.passed &= passed;
            }
            Some(_) | None => self.done.push(Done { name, times: 1, took, passed }),
        }
    }
}

/// The summary: a line for each name.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Done { name, times, took, passed } in &self.done {
            let mark = if *passed { '✓' } else { '✗' };
            let times = if *times > 1 { format!("× {times}") } else { String::new() };
            writeln!(f, "{mark} {name:<10}{times:<6}{:>10}", Seconds(*took).to_string())?;
        }
        let total = self.done.iter().map(|done| done.took).sum();
        write!(f, "  {:<16}{:>10}", "in all", Seconds(total).to_string())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_one_name_share_a_line_of_the_summary() {
        let mut report = Report::default();
        report.add("tidy", Duration::from_millis(140), true);
        report.add("loom", Duration::from_secs(61), true);
        report.add("loom", Duration::from_secs(2), false);
        let expected = "\
✓ tidy                 0.1 s
✗ loom      × 2       63.0 s
  in all              63.1 s";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_failed_check_ends_the_task() {
        let mut report = Report::default();
        assert_eq!(report.check("a", "a", || Ok(())), Ok(()));
        assert_eq!(report.check("b", "b", || Err("no".to_owned())), Err(Stop::Exit(1)));
    }
}
