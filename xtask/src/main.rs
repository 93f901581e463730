//! The tasks of the workspace: `cargo xtask <task>`.

mod bench;
mod ci;
mod docs;
mod explored;
mod features;
mod lab;
mod loom;
mod manifest;
mod report;
mod step;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use report::{Report, Stop};

/// All there is to run, in the order of the usage text.
const TASKS: &[Task] = &[
    Task {
        name: "demo",
        args: "[args…]",
        help: "build and run the demo; the arguments are its own (`demo --help`)",
        run: lab::demo,
    },
    Task {
        name: "lab",
        args: "<experiment> [args…]",
        help: "build and run an experiment behind the book's figures, the soak, or the policy calculator (`lab --help`)",
        run: lab::experiment,
    },
    Task {
        name: "bench",
        args: "[word] [args…]",
        help: "what a call costs, beside the peers; or by word: `growth` with size, `builds`, `counts` of instructions (`bench --help`)",
        run: bench::run,
    },
    Task { name: "test", args: "", help: "all tests and doctests of all packages", run: test::run },
    Task {
        name: "loom",
        args: "[crate]",
        help: "the models of one library or of all, under every interleaving",
        run: loom::run,
    },
    Task {
        name: "features",
        args: "",
        help: "each library with no, each single and every feature, warnings denied",
        run: features::run,
    },
    Task { name: "tidy", args: "", help: "the house rules that a machine can check", run: tidy::run },
    Task {
        name: "docs",
        args: "[flags]",
        help: "the site, book and API, in target/site; --open it, --serve it [--port N], --quick charts in target/site-quick",
        run: docs::run,
    },
    Task {
        name: "ci",
        args: "",
        help: "everything above but the demo and what measures, and the counts; cheap checks first, a soak of 30 s last",
        run: ci::run,
    },
];

struct Task {
    name: &'static str,
    args: &'static str,
    help: &'static str,
    run: fn(&mut Report, &[String]) -> Result<(), Stop>,
}

impl Task {
    /// A program of the lab or the bench has flags of its own, and answers for them itself.
    fn takes_any_flag(&self) -> bool {
        self.args.ends_with("[args…]")
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Help) => {
            println!("{}", usage());
            ExitCode::SUCCESS
        }
        Err(Stop::Usage(complaint)) => {
            eprintln!("{complaint}\n\n{}", usage());
            ExitCode::from(2)
        }
        Err(Stop::Exit(code)) => ExitCode::from(code),
    }
}

fn dispatch(args: &[String]) -> Result<(), Stop> {
    let Some((name, rest)) = args.split_first() else {
        return Err(Stop::Usage("which task?".to_owned()));
    };
    if is_help(name) {
        return Err(Stop::Help);
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return Err(Stop::Usage(format!("unknown task `{name}`")));
    };
    if !task.takes_any_flag() && rest.iter().any(|arg| is_help(arg)) {
        return Err(Stop::Help);
    }
    if task.args.is_empty() {
        if let Some(extra) = rest.first() {
            return Err(Stop::Usage(format!("`{name}` takes no argument `{extra}`")));
        }
    }
    (task.run)(&mut Report::default(), rest)
}

fn is_help(arg: &str) -> bool {
    matches!(arg, "--help" | "-h" | "help")
}

fn usage() -> String {
    let mut usage = "usage: cargo xtask <task>\n".to_owned();
    for Task { name, args, help, .. } in TASKS {
        let call = format!("{name} {args}");
        usage += &format!("\n  {call:<26}{help}");
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(args: &[&str]) -> Stop {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        // None of the calls below gets as far as running a task.
        dispatch(&args).expect_err("refused")
    }

    #[test]
    fn a_call_without_a_task_is_refused() {
        assert_eq!(stop(&[]), Stop::Usage("which task?".to_owned()));
    }

    #[test]
    fn an_unknown_task_is_refused_by_name() {
        assert_eq!(stop(&["tset"]), Stop::Usage("unknown task `tset`".to_owned()));
    }

    #[test]
    fn an_unknown_flag_is_refused_before_anything_runs() {
        let refusal = Stop::Usage("`test` takes no argument `--fast`".to_owned());
        assert_eq!(stop(&["test", "--fast"]), refusal);
        assert!(matches!(stop(&["docs", "--fast"]), Stop::Usage(complaint) if complaint.contains("`--fast`")));
    }

    #[test]
    fn help_is_given_before_and_after_the_name() {
        assert_eq!(stop(&["--help"]), Stop::Help);
        assert_eq!(stop(&["ci", "--help"]), Stop::Help);
    }

    #[test]
    fn help_after_a_program_is_the_programs_own() {
        let names: Vec<_> = TASKS.iter().filter(|task| task.takes_any_flag()).map(|task| task.name).collect();
        assert_eq!(names, ["demo", "lab", "bench"]);
    }

    #[test]
    fn the_usage_names_every_task() {
        assert!(TASKS.iter().all(|task| usage().contains(task.name) && usage().contains(task.help)));
    }
}
