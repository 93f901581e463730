//! `demo` and `lab`: the programs of the lab, with the exit code that they end with; and the soak that is a check.

use std::path::Path;

use crate::{
    report::{Report, Stop},
    step::Step,
};

/// The main job of the workspace: strategies of retrying live through an incident.
pub(crate) fn demo(_: &mut Report, args: &[String]) -> Result<(), Stop> {
    run("demo", args)
}

/// The experiments behind the book's figures, and the soak.
pub(crate) fn experiment(_: &mut Report, args: &[String]) -> Result<(), Stop> {
    run("lab", args)
}

/// What a change must survive: the whole stack under faults, for half a minute.
pub(crate) fn soak() -> Step {
    let args = ["soak".to_owned(), "--seconds".to_owned(), "30".to_owned()];
    let mut step = step("lab", false, &args);
    step.name = "soak";
    step
}

fn run(program: &'static str, args: &[String]) -> Result<(), Stop> {
    hand_on(args, |quiet, args| [step(program, quiet, args)])
}

/// Hands all arguments on to the last of the steps. Nothing is written to standard output here: with `--json` a program may be
/// reading it.
pub(crate) fn hand_on<const N: usize>(
    args: &[String],
    steps: impl FnOnce(bool, &[String]) -> [Step; N],
) -> Result<(), Stop> {
    let quiet = args.iter().any(|arg| arg == "--json");
    // Where the caller is; the program itself runs in the root of the workspace. Without it, paths stay as they are.
    let here = std::env::current_dir().unwrap_or_default();
    steps(quiet, &from_here(args, &here)).iter().try_for_each(|step| {
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
    })
}

fn step(program: &'static str, quiet: bool, args: &[String]) -> Step {
    let quiet = if quiet { "--quiet" } else { "" };
    Step::cargo(program, &format!("run --locked {quiet} --release -p evenkeel-lab --bin {program} --")).args(args)
}

/// The arguments with their paths told from `here`, as the caller means them: the folder of the report, and the configuration,
/// unless that is standard input. The default of the folder stays the program's own, in the root of the workspace.
fn from_here(args: &[String], here: &Path) -> Vec<String> {
    const FLAGS: [&str; 2] = ["--report", "--config"];
    // An empty one is nonsense, and the program says so.
    let told = |path: &str| match path {
        "" | "-" => path.to_owned(),
        path => here.join(path).display().to_string(),
    };
    let mut is_path = false;
    let mut all = Vec::with_capacity(args.len());
    for arg in args {
        let flag = arg.split_once('=').filter(|(flag, _)| FLAGS.contains(flag));
        all.push(match flag {
            _ if is_path => told(arg),
            Some((flag, path)) => format!("{flag}={}", told(path)),
            None => arg.clone(),
        });
        is_path = !is_path && FLAGS.contains(&arg.as_str());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_where_the_caller_is() {
        let told = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
            from_here(&args, Path::new("/here"))
        };
        assert_eq!(told(&["--report", "out", "--json"]), ["--report", "/here/out", "--json"]);
        assert_eq!(told(&["--report=out", "--only", "none"]), ["--report=/here/out", "--only", "none"]);
        assert_eq!(told(&["--report", "/there"]), ["--report", "/there"]);
        assert_eq!(told(&["--report"]), ["--report"]);
        assert_eq!(told(&["--report="]), ["--report="]);
        assert_eq!(told(&["plan", "--config", "policy.toml"]), ["plan", "--config", "/here/policy.toml"]);
        assert_eq!(told(&["--config=policy.toml", "--json"]), ["--config=/here/policy.toml", "--json"]);
        assert_eq!(told(&["--config", "-"]), ["--config", "-"]);
    }

    #[test]
    fn the_soak_of_the_checks_can_be_run_again_by_its_line() {
        let line = "cargo run --locked --release -p evenkeel-lab --bin lab -- soak --seconds 30";
        assert_eq!((soak().name, soak().to_string()), ("soak", line.to_owned()));
    }

    #[test]
    fn every_argument_reaches_the_program() {
        let args = ["--seed".to_owned(), "7".to_owned()];
        for program in ["demo", "lab"] {
            let line = format!("cargo run --locked --release -p evenkeel-lab --bin {program} -- --seed 7");
            assert_eq!(step(program, false, &args).to_string(), line);
        }
    }
}
