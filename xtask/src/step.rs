//! One command to run, and the line with which a reader runs it again.

use std::{
    fmt,
    io::{self, BufRead, BufReader},
    process::{Command, ExitStatus, Stdio},
};

use crate::workspace;

/// A call of cargo, in the root of the workspace. Its `Display` can be pasted into a shell.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// What it is called in the summary; steps of one name share a line.
    pub(crate) name: &'static str,
    env: Vec<(&'static str, String)>,
    args: Vec<String>,
}

impl Step {
    /// `line` is what follows `cargo`, split at its spaces.
    pub(crate) fn cargo(name: &'static str, line: &str) -> Self {
        let args = line.split_whitespace().map(str::to_owned).collect();
        Self { name, env: Vec::new(), args }
    }

    /// Adds arguments as they are, spaces included.
    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a String>) -> Self {
        self.args.extend(args.into_iter().cloned());
        self
    }

    /// Sets a variable, whatever it was before.
    pub(crate) fn env(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.env.push((key, value.into()));
        self
    }

    /// Adds flags to a variable that holds a list of them, after those that the user has set.
    pub(crate) fn env_append(self, key: &'static str, flags: &str) -> Self {
        let theirs = std::env::var(key).unwrap_or_default();
        let all = format!("{theirs} {flags}").trim_start().to_owned();
        self.env(key, all)
    }

    /// Runs it to its end. The streams are inherited, so that cargo itself sees whether to use colours.
    pub(crate) fn status(&self) -> io::Result<ExitStatus> {
        self.command().status()
    }

    /// Runs it to its end, and returns what it wrote to standard output besides showing it.
    pub(crate) fn output(&self) -> io::Result<(ExitStatus, String)> {
        let mut child = self.command().stdout(Stdio::piped()).spawn()?;
        let mut output = String::new();
        // Read to its end before the child is waited for, or a full pipe would hold both.
        for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
            let line = line?;
            println!("{line}");
            output.push_str(&line);
            output.push('\n');
        }
        Ok((child.wait()?, output))
    }

    fn command(&self) -> Command {
        // Set by `cargo run`: the very cargo that built this, not the next best in the path.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let env = self.env.iter().map(|(key, value)| (key, value));
        let mut command = Command::new(cargo);
        command.args(&self.args).envs(env).current_dir(workspace::root());
        command
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.env {
            write!(f, "{key}={} ", quoted(value))?;
        }
        f.write_str("cargo")?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// The word as a POSIX shell must be given it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_as_the_line_that_runs_it_again() {
        let step = Step::cargo("docs", "doc --no-deps  -p a").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(step.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps -p a");
    }

    #[test]
    fn arguments_that_a_shell_would_change_are_quoted() {
        let args = ["it's".to_owned(), String::new(), "a b".to_owned(), "--x=1".to_owned()];
        let step = Step::cargo("demo", "run --").args(&args);
        assert_eq!(step.to_string(), r"cargo run -- 'it'\''s' '' 'a b' --x=1");
    }

    #[test]
    fn appended_flags_stand_alone_where_the_user_has_set_none() {
        let step = Step::cargo("loom", "test").env_append("XTASK_NEVER_SET", "--cfg loom");
        assert_eq!(step.to_string(), "XTASK_NEVER_SET='--cfg loom' cargo test");
    }
}
