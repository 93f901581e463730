//! `demo`: the main job of the workspace, with the exit code that it ends with.

use crate::{
    report::{Report, Stop},
    step::Step,
};

/// Hands all arguments on. Nothing is written to standard output here: with `--json` a program may be reading it.
pub(crate) fn run(_: &mut Report, args: &[String]) -> Result<(), Stop> {
    let quiet = args.iter().any(|arg| arg == "--json");
    let step = step(quiet, args);
    if !quiet {
        eprintln!("▸ {step}");
    }
    match step.status() {
        Ok(status) if status.success() => Ok(()),
        // A code outside of `u8` is how some systems report a crash.
        Ok(status) => Err(Stop::Exit(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))),
        Err(error) => {
            eprintln!("✗ cargo did not start: {error}");
            Err(Stop::Exit(1))
        }
    }
}

fn step(quiet: bool, args: &[String]) -> Step {
    let quiet = if quiet { "--quiet" } else { "" };
    Step::cargo("demo", &format!("run {quiet} --release -p evenkeel-lab --bin demo --")).args(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_reaches_the_demo() {
        let args = ["--seed".to_owned(), "7".to_owned()];
        let line = "cargo run --release -p evenkeel-lab --bin demo -- --seed 7";
        assert_eq!(step(false, &args).to_string(), line);
    }
}
